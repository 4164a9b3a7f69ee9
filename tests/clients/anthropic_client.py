"""Drives a running `waypost run tests/clients/dialects.route --demo` with the official Anthropic client.

Usage: anthropic_client.py BASE_URL. Exits 0 if every check holds, and prints one line for each. `claude` speaks Anthropic's
API, `gemini` Google's, `nova` and `claude-amazon` Amazon's, the others OpenAI's: the same checks hold for all.
"""

import sys

import anthropic
import pydantic

BASE_URL = sys.argv[1]
MODELS = ("phi", "mistral", "gpt", "azure-gpt", "claude", "claude-amazon", "gemini", "nova")
TOOL = {
    "name": "get_weather",
    "description": "Current weather of a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["c", "f"]}},
        "required": ["city"],
    },
}


class City(pydantic.BaseModel):
    name: str
    population: int


def client(key: str) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=BASE_URL, api_key=key, max_retries=0, timeout=30)


def ask(model: str, text: str, **more: object) -> anthropic.types.Message:
    messages = [{"role": "user", "content": text}]
    return client("demo").messages.create(model=model, max_tokens=200, messages=messages, **more)


def message() -> None:
    for model in MODELS:
        answer = ask(model, "What is 2+2?", system="Be brief.")
        assert answer.type == "message" and answer.role == "assistant", answer
        assert answer.content[0].type == "text" and "4" in answer.content[0].text, answer
        assert answer.stop_reason == "end_turn", answer
        assert answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0, answer


def routed_by_the_same_rules() -> None:
    for text, tier in (("Count to three.", "weak"), ("Prove it.", "strong")):
        answer = client("demo").messages.with_raw_response.create(
            model="auto", max_tokens=50, messages=[{"role": "user", "content": text}]
        )
        assert answer.headers["x-waypost-tier"] == tier, answer.headers


def cut_answer() -> None:
    for model in MODELS:
        answer = client("demo").messages.create(
            model=model, max_tokens=3, messages=[{"role": "user", "content": "Tell a long story."}]
        )
        assert answer.stop_reason == "max_tokens" and answer.usage.output_tokens == 3, answer


def stream() -> None:
    for model in MODELS:
        with client("demo").messages.stream(
            model=model, max_tokens=200, messages=[{"role": "user", "content": "Count from one to ten."}]
        ) as events:
            text = "".join(events.text_stream)
            final = events.get_final_message()
        assert text and final.content[0].text == text, final
        assert final.stop_reason == "end_turn", final
        assert final.usage.input_tokens > 0 and final.usage.output_tokens > 1, final.usage


def tools() -> None:
    for model in MODELS:
        question = "What is the weather in Oslo?"
        answer = ask(model, question, tools=[TOOL], tool_choice={"type": "any"})
        call = answer.content[-1]
        assert answer.stop_reason == "tool_use" and call.type == "tool_use", answer
        assert call.name == "get_weather" and "city" in call.input and call.id, call
        answer = client("demo").messages.create(
            model=model,
            max_tokens=200,
            tools=[TOOL],
            messages=[
                {"role": "user", "content": question},
                {"role": "assistant", "content": answer.content},
                {
                    "role": "user",
                    "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "4 degrees"}],
                },
            ],
        )
        assert "4 degrees" in answer.content[0].text, answer


def streamed_tools() -> None:
    for model in MODELS:
        with client("demo").messages.stream(
            model=model,
            max_tokens=200,
            tools=[TOOL],
            tool_choice={"type": "tool", "name": "get_weather"},
            messages=[{"role": "user", "content": "What is the weather in Oslo?"}],
        ) as events:
            final = events.get_final_message()
        call = final.content[-1]
        assert call.type == "tool_use" and "city" in call.input, final
        assert final.stop_reason == "tool_use", final


def structured_output() -> None:
    for model in MODELS:
        messages = [{"role": "user", "content": "Name a city."}]
        answer = client("demo").messages.parse(model=model, max_tokens=200, messages=messages, output_format=City)
        assert isinstance(answer.parsed_output, City), (model, answer)


def counted_tokens() -> None:
    for model in MODELS:
        counted = client("demo").messages.count_tokens(
            model=model, messages=[{"role": "user", "content": "How many tokens are these?"}]
        )
        assert 3 < counted.input_tokens < 40, counted


def models() -> None:
    assert "auto" in [model.id for model in client("demo").models.list()]


def expect(kind: type, call: object) -> anthropic.APIStatusError:
    try:
        call()
    except kind as error:
        assert error.body["type"] == "error" and error.body["error"]["message"], error.body
        return error
    raise AssertionError(f"no {kind.__name__} was raised")


def errors_are_their_own_exceptions() -> None:
    hi = [{"role": "user", "content": "hi"}]
    expect(
        anthropic.AuthenticationError,
        lambda: client("sk-not-a-key").messages.create(model="auto", max_tokens=5, messages=hi),
    )
    expect(anthropic.NotFoundError, lambda: ask("claude-99", "hi"))
    error = expect(anthropic.BadRequestError, lambda: ask("phi", "word " * 40_000))
    assert "prompt is too long" in str(error), error
    expect(anthropic.BadRequestError, lambda: client("demo").messages.create(model="auto", max_tokens=5, messages=[]))
    long = [{"role": "user", "content": "word " * 99_000}]
    error = expect(
        anthropic.RateLimitError,
        lambda: client("demo").messages.create(model="claude", max_tokens=8_000, messages=long),
    )
    assert error.body["error"]["line"] > 0, error.body


for check in (
    message,
    routed_by_the_same_rules,
    cut_answer,
    stream,
    tools,
    streamed_tools,
    structured_output,
    counted_tokens,
    models,
    errors_are_their_own_exceptions,
):
    check()
    print(f"ok: {check.__name__.replace('_', ' ')}")
