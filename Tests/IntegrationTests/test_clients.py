"""The real client packages see the same answer twice, and the model is asked once."""

import asyncio

import anthropic
import openai
import pytest

from support import wire
from support.requests import MODEL

TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}]
RESPONSE_TOOLS = [{"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": False}]
MESSAGE_TOOLS = [{"name": "weather", "input_schema": {"type": "object"}}]


def chat(client, prompt, **more):
    create = client.chat.completions.create
    return create(**{"model": MODEL, "messages": [{"role": "user", "content": prompt}]} | more)


def completions(client, prompt, **more):
    return client.completions.create(**{"model": MODEL, "prompt": prompt} | more)


def embeddings(client, prompt, **more):
    return client.embeddings.create(**{"model": MODEL, "input": [prompt, "second"]} | more)


def responses(client, prompt, **more):
    return client.responses.create(**{"model": MODEL, "input": prompt} | more)


def messages(client, prompt, **more):
    create = client.messages.create
    return create(**{"model": MODEL, "messages": [{"role": "user", "content": prompt}], "max_tokens": 99} | more)


USAGE = {"stream_options": {"include_usage": True}}
CASES = {
    "chat": (chat, {}),
    "chat-tools": (chat, {"tools": TOOLS}),
    "chat-reasoner": (chat, {"model": "reasoner"}),
    "chat-choices": (chat, {"n": 3}),
    "chat-logprobs": (chat, {"logprobs": True, "top_logprobs": 2}),
    "completions": (completions, {}),
    "completions-choices-logprobs": (completions, {"n": 2, "logprobs": 1}),
    "responses": (responses, {}),
    "responses-unstored": (responses, {"store": False}),
    "responses-tools": (responses, {"tools": RESPONSE_TOOLS}),
    "responses-reasoner": (responses, {"model": "reasoner"}),
    "messages": (messages, {}),
    "messages-tools": (messages, {"tools": MESSAGE_TOOLS}),
    "messages-thinking": (messages, {"model": "reasoner"}),
}
WHOLE = CASES | {"embeddings": (embeddings, {}), "embeddings-float": (embeddings, {"encoding_format": "float"})}
STREAMED = {name: (call, more | {"stream": True}) for name, (call, more) in CASES.items()} | {
    "chat-usage": (chat, USAGE | {"stream": True}),
    "completions-usage": (completions, USAGE | {"stream": True}),
}


def client_for(refrain, call, is_async=False, key="sk-client"):
    """Retries would hide failures."""
    if call is messages:
        kind = anthropic.AsyncAnthropic if is_async else anthropic.Anthropic
        return kind(base_url=refrain.base, api_key=key, max_retries=0, timeout=30)
    kind = openai.AsyncOpenAI if is_async else openai.OpenAI
    return kind(base_url=refrain.base + "/v1", api_key=key, max_retries=0, timeout=30)


def parts(answer, is_stream):
    """Everything a client can see of an answer, unknown members included."""
    return [part.model_dump() for part in answer] if is_stream else [answer.model_dump()]


async def parts_async(answer, is_stream):
    return [part.model_dump() async for part in answer] if is_stream else [answer.model_dump()]


EVERY = [(*case, False) for case in WHOLE.values()] + [(*case, True) for case in STREAMED.values()]
NAMES = [f"{name}-whole" for name in WHOLE] + [f"{name}-stream" for name in STREAMED]


@pytest.mark.parametrize("call, more, is_stream", EVERY, ids=NAMES)
def test_second_answer_equals_the_first(refrain, model, prompt, call, more, is_stream):
    with client_for(refrain, call) as client:
        first = parts(call(client, prompt, **more), is_stream)
        second = parts(call(client, prompt, **more), is_stream)
    assert first == second
    assert len(first) > 5 or not is_stream
    assert model.count(prompt) == 1


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("case", ["chat", "completions", "responses", "messages", "embeddings"])
def test_second_answer_equals_the_first_with_async_clients(refrain, model, prompt, case, is_stream):
    call, more = WHOLE[case]
    if case == "embeddings":
        is_stream = False
    more = more | ({"stream": True} if is_stream else {})

    async def run():
        async with client_for(refrain, call, is_async=True) as client:
            return [await parts_async(await call(client, prompt, **more), is_stream) for _ in range(2)]

    first, second = asyncio.run(run())
    assert first == second
    assert model.count(prompt) == 1


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("case", ["chat", "completions", "responses", "messages"])
def test_headers_tell_a_miss_from_a_hit(refrain, prompt, case, is_stream):
    call, more = WHOLE[case]
    more = more | ({"stream": True} if is_stream else {})
    seen = []
    with client_for(refrain, call) as client:
        for _ in range(2):
            resource = {
                chat: lambda: client.chat.completions, completions: lambda: client.completions,
                responses: lambda: client.responses, messages: lambda: client.messages,
            }[call]().with_raw_response
            arguments = {"model": MODEL} | (
                {"prompt": prompt} if call is completions else {"input": prompt} if call is responses
                else {"messages": [{"role": "user", "content": prompt}]})
            if call is messages:
                arguments["max_tokens"] = 9
            raw = resource.create(**arguments | more)
            parts(raw.parse(), is_stream)
            seen.append(raw.headers)
    miss, hit = seen
    (name, status), = wire.structured_list(miss["cache-status"])
    assert (name, status["fwd"], status["fwd-status"]) == ("refrain", "uri-miss", 200)
    assert miss["x-refrain-cache"] == "miss"
    assert "age" not in miss and "x-refrain-tier" not in miss
    (name, status), = wire.structured_list(hit["cache-status"])
    assert (name, status["hit"], status["detail"]) == ("refrain", True, "memory")
    assert 0 < status["ttl"] <= 24 * 3600 and len(status["key"]) == 64
    assert "fwd" not in status
    assert hit["x-refrain-cache"] == "hit" and hit["x-refrain-tier"] == "memory"
    assert 0 <= int(hit["age"]) <= 30
    assert hit["content-type"].split(";")[0] == ("text/event-stream" if is_stream else "application/json")
    # What an upstream says of an answer is kept with it.
    assert hit["x-request-id"] == miss["x-request-id"]


def test_other_paths_of_the_clients_pass_through(refrain, model):
    model.script = lambda call, peer: peer.respond(
        200, {"object": "list", "data": [{"id": "m", "object": "model", "created": 1, "owned_by": "o"}]})
    with client_for(refrain, chat) as client:
        assert [one.id for one in client.models.list()] == ["m"]


@pytest.mark.parametrize("call", [chat, messages])
def test_clients_understand_the_errors(start, call, prompt):
    """No upstream at all: the packages raise their own error types with our message."""
    refrain = start(port=1)
    package = anthropic if call is messages else openai
    with client_for(refrain, call) as client, pytest.raises(package.APIStatusError) as caught:
        call(client, prompt)
    assert caught.value.status_code == 502
    if call is messages:
        assert caught.value.body["error"]["type"] == "api_error"
    else:
        assert caught.value.code == "upstream-connect"
    assert "connect" in str(caught.value)
