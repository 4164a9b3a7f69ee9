"""Drives a running `waypost run tests/clients/dialects.route --demo` with LangChain's client for OpenAI.

Usage: langchain_client.py BASE_URL. Exits 0 if every check holds, and prints one line for each. Every model is asked
through /v1/chat/completions and through /v1/responses.
"""

import asyncio
import sys

import openai
import pydantic
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

BASE_URL = sys.argv[1]
MODELS = ("phi", "mistral", "gpt", "azure-gpt", "claude", "claude-amazon", "gemini", "nova")
EVERY = [(model, responses) for model in MODELS for responses in (False, True)]


def model(name: str, responses: bool = False, key: str = "demo", **more: object) -> ChatOpenAI:
    return ChatOpenAI(
        model=name,
        base_url=f"{BASE_URL}/v1",
        api_key=key,
        max_retries=0,
        timeout=30,
        use_responses_api=responses,
        **more,
    )


@tool
def get_weather(city: str) -> str:
    """Current weather of a city."""
    return f"4 degrees in {city}"


class City(pydantic.BaseModel):
    """A city."""

    name: str
    population: int


def text(message: AIMessage) -> str:
    return message.text


def chat() -> None:
    for name, responses in EVERY:
        answer = model(name, responses).invoke([SystemMessage("Be brief."), HumanMessage("What is 2+2?")])
        assert "4" in text(answer), (name, responses, answer)
        usage = answer.usage_metadata
        assert usage["input_tokens"] > 0 and usage["output_tokens"] > 0, (name, responses, answer)


def stream_with_usage() -> None:
    for name, responses in EVERY:
        whole = None
        for chunk in model(name, responses, stream_usage=True).stream("Count from one to ten."):
            whole = chunk if whole is None else whole + chunk
        assert text(whole), (name, responses, whole)
        assert whole.usage_metadata["output_tokens"] > 1, (name, responses, whole)


def many_at_once() -> None:
    async def ask() -> list:
        return await model("gemini").abatch([f"What is {number}+1?" for number in range(8)])

    answers = asyncio.run(ask())
    assert [str(number + 1) in text(answer) for number, answer in enumerate(answers)] == [True] * 8, answers


def tools() -> None:
    for name, responses in EVERY:
        asked = [HumanMessage("What is the weather in Oslo?")]
        answer = model(name, responses).bind_tools([get_weather], tool_choice="any").invoke(asked)
        call = answer.tool_calls[0]
        assert call["name"] == "get_weather" and "city" in call["args"], (name, responses, answer)
        result = get_weather.invoke(call)
        assert isinstance(result, ToolMessage), result
        answer = model(name, responses).bind_tools([get_weather]).invoke([*asked, answer, result])
        assert "4 degrees" in text(answer), (name, responses, answer)


def streamed_tools() -> None:
    for name, responses in EVERY:
        whole = None
        bound = model(name, responses).bind_tools([get_weather], tool_choice="any")
        for chunk in bound.stream("What is the weather in Oslo?"):
            whole = chunk if whole is None else whole + chunk
        assert [call["name"] for call in whole.tool_calls] == ["get_weather"], (name, responses, whole)
        assert "city" in whole.tool_calls[0]["args"], (name, responses, whole)


def structured_output() -> None:
    for name, responses in EVERY:
        for method in ("json_schema", "function_calling"):
            asked = model(name, responses).with_structured_output(City, method=method)
            answer = asked.invoke("Name a city.")
            assert isinstance(answer, City), (name, responses, method, answer)


def embeddings() -> None:
    for name in ("e5", "embedder"):
        # Without it the client counts tokens by a table that it would fetch.
        client = OpenAIEmbeddings(
            model=name, base_url=f"{BASE_URL}/v1", api_key="demo", max_retries=0, check_embedding_ctx_length=False
        )
        one, two = client.embed_documents(["one", "two"])
        assert one != two and one == client.embed_query("one"), (name, one, two)


def expect(kind: type, call: object) -> Exception:
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__} was raised")


def errors_are_their_own_exceptions() -> None:
    for responses in (False, True):
        expect(openai.AuthenticationError, lambda: model("phi", responses, key="sk-not-a-key").invoke("hi"))
        expect(openai.NotFoundError, lambda: model("gpt-99", responses).invoke("hi"))
        expect(openai.RateLimitError, lambda: model("claude", responses, max_tokens=8_000).invoke("word " * 99_000))
        expect(ContextOverflowError, lambda: model("phi", responses, max_tokens=16).invoke("word " * 40_000))
    expect(openai.BadRequestError, lambda: model("e5").invoke("hi"))


for check in (
    chat,
    stream_with_usage,
    many_at_once,
    tools,
    streamed_tools,
    structured_output,
    embeddings,
    errors_are_their_own_exceptions,
):
    check()
    print(f"ok: {check.__name__.replace('_', ' ')}")
