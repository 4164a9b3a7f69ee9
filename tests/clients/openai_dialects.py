"""Drives a running `waypost run tests/clients/dialects.route --demo` with the official OpenAI client.

Usage: openai_dialects.py BASE_URL. Exits 0 if every check holds, and prints one line for each. `phi` speaks OpenAI's
API, `claude` Anthropic's, `gemini` Google's and `nova` Amazon's: the same checks hold for all, in chats and in Responses.
"""

import json
import sys

import openai

BASE_URL = sys.argv[1]
MODELS = ("phi", "claude", "gemini", "nova")
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CLIENT = openai.OpenAI(base_url=f"{BASE_URL}/v1", api_key="demo", max_retries=0, timeout=30)


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


def response() -> None:
    for model in MODELS:
        answer = CLIENT.responses.create(
            model=model, input="What is 2+2?", instructions="Be brief.", metadata={"job": "7"}
        )
        assert answer.status == "completed" and "4" in answer.output_text, answer
        assert answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0, answer
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
    for model in MODELS:
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
    response,
    cut_response,
    streamed_response,
    response_with_tools,
    what_cannot_be_said_is_a_bad_request,
):
    check()
    print(f"ok: {check.__name__.replace('_', ' ')}")
