"""Drives a running `waypost run tests/clients/dialects.route --demo` with LiteLLM's client.

Usage: litellm_client.py BASE_URL. Exits 0 if every check holds, and prints one line for each. Every model is asked as an
OpenAI model (`openai/NAME`, through /v1/chat/completions) and as an Anthropic one (`anthropic/NAME`, through /v1/messages).
"""

import asyncio
import json
import os
import sys

# Its table of prices comes with it: a test asks no other host.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS"] = "True"

import litellm
import pydantic

BASE_URL = sys.argv[1]
MODELS = ("phi", "mistral", "gpt", "azure-gpt", "claude", "claude-amazon", "gemini", "nova")
BASES = {"openai": f"{BASE_URL}/v1", "anthropic": BASE_URL}
EVERY = [(api, model) for api in BASES for model in MODELS]
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
litellm.telemetry = False
litellm.suppress_debug_info = True


class City(pydantic.BaseModel):
    name: str
    population: int


def settings(api: str, model: str, key: str = "demo") -> dict:
    return {"model": f"{api}/{model}", "api_base": BASES[api], "api_key": key, "num_retries": 0, "timeout": 30}


def ask(api: str, model: str, text: str, **more: object) -> litellm.ModelResponse:
    return litellm.completion(**settings(api, model), messages=[{"role": "user", "content": text}], **more)


def chat() -> None:
    for api, model in EVERY:
        answer = ask(api, model, "What is 2+2?", max_tokens=100)
        assert "4" in answer.choices[0].message.content, (api, model, answer)
        assert answer.choices[0].finish_reason == "stop", (api, model, answer)
        assert answer.usage.prompt_tokens > 0 and answer.usage.completion_tokens > 0, (api, model, answer)


def stream_with_usage() -> None:
    for api, model in EVERY:
        text = "Count from one to ten."
        chunks = list(ask(api, model, text, stream=True, stream_options={"include_usage": True}, max_tokens=100))
        whole = litellm.stream_chunk_builder(chunks)
        assert whole.choices[0].message.content, (api, model, whole)
        usages = [chunk.usage for chunk in chunks if getattr(chunk, "usage", None)]
        assert usages and usages[-1].completion_tokens > 1, (api, model, usages)


def asynchronous_stream() -> None:
    async def read() -> str:
        stream = await litellm.acompletion(
            **settings("openai", "claude"), messages=[{"role": "user", "content": "Count to three."}], stream=True
        )
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert asyncio.run(read())


def tools() -> None:
    for api, model in EVERY:
        messages = [{"role": "user", "content": "What is the weather in Oslo?"}]
        more = {"tools": [TOOL], "max_tokens": 100}
        answer = litellm.completion(**settings(api, model), messages=messages, tool_choice="required", **more)
        message = answer.choices[0].message
        assert answer.choices[0].finish_reason == "tool_calls", (api, model, answer)
        assert "city" in json.loads(message.tool_calls[0].function.arguments), (api, model, answer)
        result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "4 degrees"}
        messages += [message.model_dump(exclude_none=True), result]
        answer = litellm.completion(**settings(api, model), messages=messages, **more)
        assert "4 degrees" in answer.choices[0].message.content, (api, model, answer)


def streamed_tools() -> None:
    for api, model in EVERY:
        more = {"tools": [TOOL], "tool_choice": "required", "stream": True, "max_tokens": 100}
        whole = litellm.stream_chunk_builder(list(ask(api, model, "What is the weather in Oslo?", **more)))
        call = whole.choices[0].message.tool_calls[0]
        assert call.function.name == "get_weather" and call.id, (api, model, whole)
        assert "city" in json.loads(call.function.arguments), (api, model, whole)


def structured_output() -> None:
    schema = City.model_json_schema()
    described = {"type": "json_schema", "json_schema": {"name": "city", "schema": schema, "strict": True}}
    for api, model in EVERY:
        answer = ask(api, model, "Name a city.", response_format=described, max_tokens=100)
        assert City.model_validate_json(answer.choices[0].message.content), (api, model, answer)


def embeddings() -> None:
    for model in ("e5", "embedder"):
        answer = litellm.embedding(**settings("openai", model), input=["one", "two", "three"])
        assert [item["index"] for item in answer.data] == [0, 1, 2], (model, answer)
        assert answer.data[0]["embedding"] != answer.data[1]["embedding"], (model, answer)
        assert answer.usage.prompt_tokens > 0, (model, answer)


def responses() -> None:
    for model in MODELS:
        answer = litellm.responses(**settings("openai", model), input="What is 2+2?", max_output_tokens=100)
        assert answer.status == "completed", (model, answer)
        assert "4" in answer.output[-1].content[0].text, (model, answer)


def expect(kind: type, call: object) -> Exception:
    try:
        call()
    except kind as error:
        assert type(error) is kind, f"{type(error).__name__} instead of {kind.__name__}: {error}"
        return error
    raise AssertionError(f"no {kind.__name__} was raised")


def errors_are_their_own_exceptions() -> None:
    hi = [{"role": "user", "content": "hi"}]
    for api in BASES:
        expect(
            litellm.AuthenticationError,
            lambda: litellm.completion(**settings(api, "phi", "sk-not-a-key"), messages=hi),
        )
        expect(litellm.NotFoundError, lambda: ask(api, "gpt-99", "hi"))
        expect(litellm.RateLimitError, lambda: ask(api, "claude", "word " * 99_000, max_tokens=8_000))
        long = "word " * 40_000
        error = expect(litellm.ContextWindowExceededError, lambda: ask(api, "phi", long, max_tokens=10))
        assert "weak" in str(error), error
    expect(litellm.BadRequestError, lambda: litellm.completion(**settings("openai", "phi"), messages=[]))


for check in (
    chat,
    stream_with_usage,
    asynchronous_stream,
    tools,
    streamed_tools,
    structured_output,
    embeddings,
    responses,
    errors_are_their_own_exceptions,
):
    check()
    print(f"ok: {check.__name__.replace('_', ' ')}")
