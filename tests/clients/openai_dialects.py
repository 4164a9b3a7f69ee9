"""Drives a running `waypost run tests/clients/dialects.route --demo` with the official OpenAI client.

Usage: openai_dialects.py BASE_URL. Exits 0 if every check holds, and prints one line for each. `claude` speaks Anthropic's
API, `gemini` Google's, `nova` and `claude-amazon` Amazon's, the others OpenAI's: the same checks hold for all, in chats and
in Responses.
"""

import json
import sys

import openai
import pydantic

BASE_URL = sys.argv[1]
MODELS = ("phi", "mistral", "gpt", "azure-gpt", "claude", "claude-amazon", "gemini", "nova")
# A response of these is made of what they answer; `gpt` speaks it itself.
TRANSLATED = [model for model in MODELS if model != "gpt"]
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CLIENT = openai.OpenAI(base_url=f"{BASE_URL}/v1", api_key="demo", max_retries=0, timeout=30)


class City(pydantic.BaseModel):
    name: str
    population: int


def chat() -> None:
    for model in MODELS:
        answer = CLIENT.chat.completions.create(
            model=model,
            seed=7,
            messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is 2+2?"}],
        )
        assert "4" in answer.choices[0].message.content, answer
        assert answer.choices[0].finish_reason == "stop" and answer.usage.total_tokens > 0, answer


def streamed_chat() -> None:
    for model in MODELS:
        chunks = list(
            CLIENT.chat.completions.create(
                model=model,
                messages=[{"role": "user", "content": "Count from one to ten."}],
                stream=True,
                stream_options={"include_usage": True},
            )
        )
        assert "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
        usages = [chunk.usage for chunk in chunks if chunk.usage]
        assert len(usages) == 1 and usages[0].completion_tokens > 1, usages


def chat_with_tools() -> None:
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}
    for model in MODELS:
        messages = [{"role": "user", "content": "What is the weather in Oslo?"}]
        answer = CLIENT.chat.completions.create(model=model, messages=messages, tools=[tool], tool_choice="required")
        message = answer.choices[0].message
        assert answer.choices[0].finish_reason == "tool_calls", answer
        assert "city" in json.loads(message.tool_calls[0].function.arguments), answer
        result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "4 degrees"}
        answer = CLIENT.chat.completions.create(model=model, messages=[*messages, message, result], tools=[tool])
        assert "4 degrees" in answer.choices[0].message.content, answer


def streamed_tools() -> None:
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": {**PARAMETERS, "additionalProperties": False}, "strict": True}}
    for model in MODELS:
        messages = [{"role": "user", "content": "What is the weather in Oslo?"}]
        with CLIENT.chat.completions.stream(
            model=model, messages=messages, tools=[tool], tool_choice="required"
        ) as events:
            final = events.get_final_completion()
        call = final.choices[0].message.tool_calls[0]
        assert call.id and call.function.name == "get_weather", (model, final)
        assert "city" in json.loads(call.function.arguments), (model, final)


def structured_output() -> None:
    for model in MODELS:
        messages = [{"role": "user", "content": "Name a city."}]
        answer = CLIENT.chat.completions.parse(model=model, messages=messages, response_format=City)
        assert isinstance(answer.choices[0].message.parsed, City), (model, answer)
        answer = CLIENT.responses.parse(model=model, input="Name a city.", text_format=City)
        assert isinstance(answer.output_parsed, City), (model, answer)


def streamed_structured_output() -> None:
    for model in MODELS:
        messages = [{"role": "user", "content": "Name a city."}]
        with CLIENT.chat.completions.stream(model=model, messages=messages, response_format=City) as events:
            answer = events.get_final_completion()
        assert isinstance(answer.choices[0].message.parsed, City), (model, answer)
        with CLIENT.responses.stream(model=model, input="Name a city.", text_format=City) as events:
            answer = events.get_final_response()
        assert isinstance(answer.output_parsed, City), (model, answer)


def embeddings() -> None:
    for model in ("e5", "embedder"):
        answer = CLIENT.embeddings.create(model=model, input=["one", "two", "three"])
        assert [item.index for item in answer.data] == [0, 1, 2], (model, answer)
        assert answer.usage.prompt_tokens > 0, (model, answer)
        # The client asks for base64 unless it is told otherwise.
        plain = CLIENT.embeddings.create(model=model, input="two", encoding_format="float", dimensions=8)
        expected = plain.data[0].embedding
        assert [round(number, 5) for number in answer.data[1].embedding] == [round(number, 5) for number in expected]
        tokens = CLIENT.embeddings.create(model=model, input=[[1, 2, 3], [4]])
        assert len(tokens.data) == 2, (model, tokens)


def completions() -> None:
    answer = CLIENT.completions.create(model="phi", prompt="Once upon a time", max_tokens=20)
    assert answer.choices[0].text and answer.usage.completion_tokens > 0, answer
    chunks = list(CLIENT.completions.create(model="phi", prompt="Once upon a time", max_tokens=20, stream=True))
    assert "".join(choice.text for chunk in chunks for choice in chunk.choices), chunks


def expect(kind: type, call: object) -> openai.APIStatusError:
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__} was raised")


def errors_are_their_own_exceptions() -> None:
    hi = [{"role": "user", "content": "hi"}]
    stranger = CLIENT.with_options(api_key="sk-not-a-key")
    expect(openai.AuthenticationError, lambda: stranger.responses.create(model="phi", input="hi"))
    expect(openai.AuthenticationError, lambda: stranger.embeddings.create(model="e5", input="hi"))
    expect(openai.NotFoundError, lambda: CLIENT.responses.create(model="gpt-99", input="hi"))
    for model in MODELS:
        error = expect(openai.BadRequestError, lambda: CLIENT.embeddings.create(model=model, input="hi"))
        assert error.code == "unsupported_surface", error
    error = expect(openai.BadRequestError, lambda: CLIENT.chat.completions.create(model="e5", messages=hi))
    assert error.code == "unsupported_surface", error
    error = expect(openai.BadRequestError, lambda: CLIENT.responses.create(model="phi", input="word " * 40_000))
    assert error.code == "context_length_exceeded", error
    expect(openai.RateLimitError, lambda: CLIENT.responses.create(model="claude", input="word " * 99_000))


def response() -> None:
    for model in MODELS:
        answer = CLIENT.responses.create(
            model=model, input="What is 2+2?", instructions="Be brief.", metadata={"job": "7"}
        )
        assert answer.status == "completed" and "4" in answer.output_text, answer
        assert answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0, answer
        if model in TRANSLATED:
            assert answer.metadata == {"job": "7"} and answer.instructions == "Be brief.", answer


def cut_response() -> None:
    for model in MODELS:
        answer = CLIENT.responses.create(model=model, input="Tell a long story.", max_output_tokens=16)
        assert answer.status == "incomplete", answer
        assert answer.incomplete_details.reason == "max_output_tokens", answer


def streamed_response() -> None:
    for model in MODELS:
        with CLIENT.responses.stream(model=model, input="Count from one to ten.") as events:
            kinds = []
            text = ""
            for event in events:
                kinds.append(event.type)
                text += event.delta if event.type == "response.output_text.delta" else ""
            final = events.get_final_response()
        assert kinds[0] == "response.created" and kinds[-1] == "response.completed", kinds
        assert text and final.output_text == text, final
        assert final.usage.output_tokens > 1, final.usage


def response_with_tools() -> None:
    tool = {"type": "function", "name": "get_weather", "parameters": PARAMETERS, "strict": False}
    for model in MODELS:
        said = [{"role": "user", "content": "What is the weather in Oslo?"}]
        answer = CLIENT.responses.create(model=model, input=said, tools=[tool], tool_choice="required")
        call = answer.output[-1]
        assert call.type == "function_call" and "city" in json.loads(call.arguments), answer
        result = {"type": "function_call_output", "call_id": call.call_id, "output": "4 degrees"}
        answer = CLIENT.responses.create(model=model, input=[*said, call, result], tools=[tool])
        assert "4 degrees" in answer.output_text, answer


def what_cannot_be_said_is_a_bad_request() -> None:
    for model in TRANSLATED:
        try:
            CLIENT.responses.create(model=model, input="hi", previous_response_id="resp_1")
        except openai.BadRequestError as error:
            assert error.code == "unsupported_by_model" and "previous_response_id" in str(error), error
        else:
            raise AssertionError("a response that is kept elsewhere was made up")


for check in (
    chat,
    streamed_chat,
    chat_with_tools,
    streamed_tools,
    structured_output,
    streamed_structured_output,
    embeddings,
    completions,
    response,
    cut_response,
    streamed_response,
    response_with_tools,
    what_cannot_be_said_is_a_bad_request,
    errors_are_their_own_exceptions,
):
    check()
    print(f"ok: {check.__name__.replace('_', ' ')}")
