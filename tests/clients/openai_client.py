"""Drives a running `waypost run examples/agents/agents.route --demo` with the official OpenAI client.

Usage: openai_client.py BASE_URL. Exits 0 if every check holds, and prints one line for each.
"""

import sys

import openai

BASE_URL = sys.argv[1]
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["c", "f"]}},
            "required": ["city"],
        },
    },
}


def client(key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{BASE_URL}/v1", api_key=key, max_retries=0, timeout=30)


def chat() -> None:
    answer = client("demo").chat.completions.with_raw_response.create(
        model="auto", messages=[{"role": "user", "content": "What is 2+2?"}]
    )
    assert answer.headers["x-waypost-tier"] == "weak", answer.headers
    completion = answer.parse()
    assert completion.choices[0].message.content
    assert completion.choices[0].finish_reason in ("stop", "length")
    assert completion.usage.prompt_tokens > 0 and completion.usage.completion_tokens > 0


def stream_with_usage() -> None:
    chunks = list(
        client("demo").chat.completions.create(
            model="auto",
            messages=[{"role": "user", "content": "Count from one to ten."}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    usages = [chunk.usage for chunk in chunks if chunk.usage]
    assert text, "no text came"
    assert len(usages) == 1 and usages[0].completion_tokens > 0, usages


def stream_without_usage() -> None:
    chunks = client("demo").chat.completions.create(
        model="auto", messages=[{"role": "user", "content": "Count to three."}], stream=True
    )
    assert all(chunk.usage is None for chunk in chunks), "usage came although it was not asked for"


def tool_call() -> None:
    completion = client("demo").chat.completions.create(
        model="auto",
        messages=[{"role": "user", "content": "What is the weather in Oslo?"}],
        tools=[TOOL],
        tool_choice="required",
    )
    call = completion.choices[0].message.tool_calls[0]
    assert call.function.name == "get_weather", call
    assert "city" in call.function.arguments, call
    assert completion.choices[0].finish_reason == "tool_calls"


def models() -> None:
    assert "auto" in [model.id for model in client("demo").models.list()]


def unknown_key_is_an_authentication_error() -> None:
    try:
        client("sk-not-a-key").chat.completions.create(model="auto", messages=[{"role": "user", "content": "hi"}])
    except openai.AuthenticationError as error:
        assert error.status_code == 401 and error.code == "invalid_api_key", error
    else:
        raise AssertionError("an unknown key was let in")


def exhausted_limit_is_a_rate_limit_error() -> None:
    # The long answer that this call allows is more than 60k tokens a minute ever hold.
    try:
        client("demo").chat.completions.create(
            model="auto",
            messages=[{"role": "user", "content": "Prove by induction, step by step, that the EM algorithm converges."}],
            tools=[{**TOOL, "function": {**TOOL["function"], "name": "write_file"}}],
            max_tokens=100_000,
        )
    except openai.RateLimitError as error:
        assert error.status_code == 429, error
        assert "60k tokens / 1m" in str(error.body), error.body
        assert error.body["line"] > 0, error.body
    else:
        raise AssertionError("a call above the limit was let in")


def unknown_model_is_a_not_found_error() -> None:
    try:
        client("demo").chat.completions.create(model="gpt-99", messages=[{"role": "user", "content": "hi"}])
    except openai.NotFoundError as error:
        assert error.code == "model_not_found", error
    else:
        raise AssertionError("an unknown model was served")


for check in (
    chat,
    stream_with_usage,
    stream_without_usage,
    tool_call,
    models,
    unknown_key_is_an_authentication_error,
    exhausted_limit_is_a_rate_limit_error,
    unknown_model_is_a_not_found_error,
):
    check()
    print(f"ok: {check.__name__.replace('_', ' ')}")
