"""An answer kept in one form is served in the other, and nothing is lost on the way."""

import anthropic
import openai
import pytest

from support import wire
from support.forms import CASES, CHAT_TOOLS, accumulated, comparable, label
from support.requests import MODEL, PATH, STREAMING, body


def ask(refrain, dialect, prompt, more, is_stream):
    answer = refrain.post(PATH[dialect], body(dialect, prompt, **more, **({"stream": True} if is_stream else {})))
    assert answer.status == 200
    return answer


@pytest.mark.parametrize("dialect, more", CASES, ids=label)
def test_whole_then_stream(refrain, model, prompt, dialect, more):
    usage = {"stream_options": {"include_usage": True}} if dialect in ("chat", "completions") else {}
    whole = ask(refrain, dialect, prompt, more, False)
    stream = ask(refrain, dialect, prompt, more | usage, True)
    assert (whole.outcome, stream.outcome) == ("miss", "hit")
    assert stream.header("content-type").startswith("text/event-stream")
    assert model.count(prompt) == 1
    assert comparable(dialect, accumulated(dialect, wire.events(stream.body))) == comparable(dialect, whole.json())


@pytest.mark.parametrize("dialect, more", CASES, ids=label)
def test_stream_then_whole(refrain, model, prompt, dialect, more):
    usage = {"stream_options": {"include_usage": True}} if dialect in ("chat", "completions") else {}
    stream = ask(refrain, dialect, prompt, more | usage, True)
    whole = ask(refrain, dialect, prompt, more, False)
    assert (stream.outcome, whole.outcome) == ("miss", "hit")
    assert whole.header("content-type").startswith("application/json")
    assert model.count(prompt) == 1
    assert comparable(dialect, whole.json()) == comparable(dialect, accumulated(dialect, wire.events(stream.body)))
    objects = {"chat": "chat.completion", "completions": "text_completion", "responses": "response"}
    assert whole.json().get("object") == objects.get(dialect)


@pytest.mark.parametrize("dialect, more", CASES, ids=label)
def test_there_and_back(refrain, prompt, dialect, more):
    """Whole, then stream, then whole: the kept document itself comes back, byte for byte; likewise a stream, but for
    Anthropic's pings, which belong to the wire."""
    ping = b'event: ping\ndata: {"type":"ping"}\n\n'
    first = ask(refrain, dialect, prompt, more, False)
    ask(refrain, dialect, prompt, more, True)
    assert ask(refrain, dialect, prompt, more, False).body == first.body
    first = ask(refrain, dialect, prompt + "-2", more, True)
    ask(refrain, dialect, prompt + "-2", more, False)
    assert ask(refrain, dialect, prompt + "-2", more, True).body == first.body.replace(ping, b"")


@pytest.mark.parametrize("dialect", ["chat", "completions"])
def test_usage_is_shown_only_to_those_who_ask(refrain, model, prompt, dialect):
    asked = {"stream_options": {"include_usage": True}}
    silent = wire.events(ask(refrain, dialect, prompt, {}, True).body)
    loud = wire.events(ask(refrain, dialect, prompt, asked, True).body)
    again = wire.events(ask(refrain, dialect, prompt, {"stream_options": {"include_usage": False}}, True).body)
    assert model.count(prompt) == 1
    # Usage is asked for behind the client's back, so that a later client can have it.
    assert model.last(prompt).json()["stream_options"] == {"include_usage": True}
    for stream in (silent, again):
        assert all(not event.get("usage") for event in stream[:-1])
        assert all(event["choices"] for event in stream[:-1])
    assert loud[-2]["choices"] == [] and loud[-2]["usage"]["prompt_tokens"] > 0
    assert [event["choices"] for event in loud[:-2]] == [event["choices"] for event in silent[:-1]]


@pytest.mark.parametrize("dialect", ["chat", "completions"])
@pytest.mark.parametrize("asks", [False, True])
def test_usage_of_a_kept_whole_answer_in_a_stream(refrain, prompt, dialect, asks):
    ask(refrain, dialect, prompt, {}, False)
    options = {"stream_options": {"include_usage": True}} if asks else {}
    stream = wire.events(ask(refrain, dialect, prompt, options, True).body)
    assert any(event.get("usage") for event in stream[:-1]) == asks


def test_openai_package_accumulates_a_kept_whole_answer(refrain, model, prompt):
    with openai.OpenAI(base_url=refrain.base + "/v1", api_key="k", max_retries=0) as client:
        arguments = {"model": MODEL, "messages": [{"role": "user", "content": prompt}], "tools": CHAT_TOOLS}
        whole = client.chat.completions.create(**arguments)
        with client.chat.completions.stream(**arguments) as stream:
            final = stream.get_final_completion()
        assert final.choices[0].finish_reason == whole.choices[0].finish_reason
        assert [call.function.arguments for call in final.choices[0].message.tool_calls] == [
            call.function.arguments for call in whole.choices[0].message.tool_calls]
        assert [call.id for call in final.choices[0].message.tool_calls] == [
            call.id for call in whole.choices[0].message.tool_calls]
        with client.responses.stream(model=MODEL, input=prompt) as stream:
            streamed = stream.get_final_response()
        assert client.responses.create(model=MODEL, input=prompt).output_text == streamed.output_text
    assert model.count(prompt) == 2


def test_anthropic_package_accumulates_a_kept_whole_answer(refrain, model, prompt):
    with anthropic.Anthropic(base_url=refrain.base, api_key="k", max_retries=0) as client:
        arguments = {
            "model": "reasoner", "max_tokens": 99, "messages": [{"role": "user", "content": prompt}],
            "tools": [{"name": "weather", "input_schema": {"type": "object"}}]}
        whole = client.messages.create(**arguments)
        with client.messages.stream(**arguments) as stream:
            final = stream.get_final_message()
    assert [block.to_dict() for block in final.content] == [block.to_dict() for block in whole.content]
    assert final.usage.to_dict() == whole.usage.to_dict()
    assert final.stop_reason == whole.stop_reason == "tool_use"
    assert model.count(prompt) == 1


@pytest.mark.parametrize("dialect", STREAMING)
def test_path_without_version(refrain, model, prompt, dialect):
    first = refrain.post(PATH[dialect].removeprefix("/v1"), body(dialect, prompt))
    second = refrain.post(PATH[dialect], body(dialect, prompt))
    assert (first.outcome, second.outcome) == ("miss", "hit")
    assert first.body == second.body
