"""A scripted model that speaks all five dialects.

Every answer carries the number of its call, so that an answer made anew is never mistaken for a kept one. What a
request asks for (`n`, `tools`, `logprobs`, `stream_options`, a model named `reasoner` …) is what it gets.
"""

import base64
import itertools
import json
import struct

TOKENS = ["Grüße", ", \"wörld\"", "\n\n", "\\ back", "\t", " 東京", " 👩‍🚀", " end", "."]
ARGUMENTS = ['{"ci', 'ty": "Zü', 'rich", "days"', ": 3}"]
THOUGHTS = ["Let me", " think", " about «it»", "."]
CREATED = 1_700_000_000

_serial = itertools.count(1)


def dumps(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def data(value, event=None):
    name = f"event: {event}\n" if event else ""
    return f"{name}data: {value if isinstance(value, str) else dumps(value)}\n\n".encode()


class Answer:
    """`whole` is a JSON document, `stream` a list of encoded events; None where the dialect has no such form."""

    def __init__(self, whole, stream=None):
        self.whole = whole
        self.stream = stream


def answer_to(call):
    path = call.target.split("?")[0].removeprefix("/v1")
    body = call.json()
    make = {
        "/chat/completions": chat, "/completions": completion, "/embeddings": embeddings,
        "/responses": response, "/messages": message,
    }[path]
    return make(body, next(_serial))


def script(call, peer):
    """The well-behaved model."""
    path = call.target.split("?")[0].removeprefix("/v1")
    if call.method != "POST" or path not in PATHS:
        peer.respond(404, {"error": {"message": f"no {path}", "type": "invalid_request_error"}})
        return
    try:
        body = call.json()
        answer = answer_to(call)
    except (ValueError, KeyError):
        peer.respond(400, {"error": {"message": "not a request", "type": "invalid_request_error"}})
        return
    if body.get("stream") is True:
        peer.begin(headers=[("x-request-id", f"req-{next(_serial)}")])
        for event in answer.stream:
            peer.chunk(event)
        peer.finish()
    else:
        peer.respond(200, dumps(answer.whole).encode(), [("x-request-id", f"req-{next(_serial)}")])


PATHS = ("/chat/completions", "/completions", "/embeddings", "/responses", "/messages")


def wants_usage(body):
    return bool((body.get("stream_options") or {}).get("include_usage"))


# Chat


def chat(body, serial):
    count = body.get("n", 1)
    reasons = body["model"] == "reasoner"
    calls_tool = bool(body.get("tools"))
    usage = {
        "prompt_tokens": 11, "completion_tokens": len(TOKENS) * count, "total_tokens": 11 + len(TOKENS) * count,
        "prompt_tokens_details": {"cached_tokens": 3},
    }
    head = {
        "id": f"chatcmpl-{serial}", "created": CREATED + serial, "model": body["model"],
        "system_fingerprint": f"fp_{serial}",
    }
    finish = body.get("x_finish") or ("tool_calls" if calls_tool else "stop")
    choices, events = [], []

    def event(index, delta, logprobs=None, finish=None):
        chunk = head | {
            "object": "chat.completion.chunk",
            "choices": [{"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}],
        }
        if wants_usage(body):
            chunk["usage"] = None
        events.append(data(chunk))

    def logprob(token, position):
        entry = {"token": token, "logprob": -0.125 * (position + 1), "bytes": list(token.encode())}
        return entry | {"top_logprobs": [entry, entry | {"token": "?", "logprob": -9.5}]}

    for index in range(count):
        tokens = [f"{serial}.{index} ", *TOKENS]
        message = {"role": "assistant", "content": "".join(tokens), "refusal": None}
        event(index, {"role": "assistant", "content": None if calls_tool else "", "refusal": None})
        if reasons:
            message["reasoning_content"] = "".join(THOUGHTS)
            for thought in THOUGHTS:
                event(index, {"reasoning_content": thought})
        logprobs = None
        if calls_tool:
            message["content"] = None
            message["tool_calls"] = []
            for number in range(2):
                call = {"id": f"call_{serial}_{index}_{number}", "type": "function"}
                name = body["tools"][0]["function"]["name"]
                message["tool_calls"].append(
                    call | {"function": {"name": name, "arguments": "".join(ARGUMENTS)}})
                event(index, {"tool_calls": [{"index": number} | call | {"function": {"name": name, "arguments": ""}}]})
                for piece in ARGUMENTS:
                    event(index, {"tool_calls": [{"index": number, "function": {"arguments": piece}}]})
        else:
            if body.get("logprobs"):
                logprobs = {"content": [logprob(t, i) for i, t in enumerate(tokens)], "refusal": None}
            for position, token in enumerate(tokens):
                one = {"content": [logprob(token, position)], "refusal": None} if logprobs else None
                event(index, {"content": token}, one)
        choices.append({"index": index, "message": message, "logprobs": logprobs, "finish_reason": finish})
        event(index, {}, finish=finish)
    if wants_usage(body):
        events.append(data(head | {"object": "chat.completion.chunk", "choices": [], "usage": usage}))
    events.append(data("[DONE]"))
    return Answer(head | {"object": "chat.completion", "choices": choices, "usage": usage}, events)


# Completions


def completion(body, serial):
    count = body.get("n", 1)
    head = {"id": f"cmpl-{serial}", "object": "text_completion", "created": CREATED + serial, "model": body["model"]}
    usage = {"prompt_tokens": 5, "completion_tokens": len(TOKENS) * count, "total_tokens": 5 + len(TOKENS) * count}
    choices, events = [], []
    for index in range(count):
        tokens = [f"{serial}.{index} ", *TOKENS]
        logprobs, offset = None, 0
        if body.get("logprobs"):
            logprobs = {"tokens": [], "token_logprobs": [], "top_logprobs": [], "text_offset": []}
        for position, token in enumerate(tokens):
            one = None
            if logprobs:
                one = {
                    "tokens": [token], "token_logprobs": [-0.25 * position], "top_logprobs": [{token: -0.25}],
                    "text_offset": [offset],
                }
                for name, values in one.items():
                    logprobs[name] += values
                offset += len(token)
            choice = {"index": index, "text": token, "logprobs": one, "finish_reason": None}
            events.append(data(head | {"choices": [choice]}))
        choice = {"index": index, "text": "", "logprobs": None, "finish_reason": "length"}
        events.append(data(head | {"choices": [choice]}))
        choices.append({"index": index, "text": "".join(tokens), "logprobs": logprobs, "finish_reason": "length"})
    if wants_usage(body):
        events.append(data(head | {"choices": [], "usage": usage}))
    events.append(data("[DONE]"))
    return Answer(head | {"choices": choices, "usage": usage}, events)


# Embeddings


def embeddings(body, serial):
    inputs = body["input"] if isinstance(body["input"], list) else [body["input"]]

    def vector(index):
        numbers = [serial + index / 8, -0.5, 3.0517578125e-05]
        if body.get("encoding_format") == "base64":
            return base64.b64encode(struct.pack("<3f", *numbers)).decode()
        return numbers

    return Answer({
        "object": "list", "model": body["model"],
        "data": [{"object": "embedding", "index": i, "embedding": vector(i)} for i in range(len(inputs))],
        "usage": {"prompt_tokens": 4, "total_tokens": 4},
    })


# Responses


def response(body, serial):
    text = [f"{serial} ", *TOKENS]
    head = {
        "id": f"resp_{serial}", "object": "response", "created_at": CREATED + serial, "model": body["model"],
        "instructions": body.get("instructions"), "metadata": {}, "parallel_tool_calls": True, "temperature": 1.0,
        "tool_choice": "auto", "tools": body.get("tools") or [], "top_p": 1.0, "store": body.get("store", True),
        "error": None, "incomplete_details": None,
    }
    usage = {
        "input_tokens": 7, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 16,
    }
    output, events = [], []

    def event(name, /, **members):
        events.append(data({"type": name, "sequence_number": len(events)} | members, name))

    event("response.created", response=head | {"status": "in_progress", "output": [], "usage": None})
    event("response.in_progress", response=head | {"status": "in_progress", "output": [], "usage": None})
    if body["model"] == "reasoner":
        item = {"id": f"rs_{serial}", "type": "reasoning", "summary": []}
        event("response.output_item.added", output_index=len(output), item=item)
        event("response.output_item.done", output_index=len(output), item=item)
        output.append(item)
    if body.get("tools"):
        item = {"id": f"fc_{serial}", "type": "function_call", "call_id": f"call_{serial}",
                "name": body["tools"][0]["name"]}
        where = {"output_index": len(output), "item_id": item["id"]}
        event("response.output_item.added", output_index=len(output),
              item=item | {"arguments": "", "status": "in_progress"})
        for piece in ARGUMENTS:
            event("response.function_call_arguments.delta", delta=piece, **where)
        item |= {"arguments": "".join(ARGUMENTS), "status": "completed"}
        event("response.function_call_arguments.done", arguments=item["arguments"], name=item["name"], **where)
        event("response.output_item.done", output_index=len(output), item=item)
        output.append(item)
    else:
        item = {"id": f"msg_{serial}", "type": "message", "role": "assistant"}
        where = {"output_index": len(output), "item_id": item["id"], "content_index": 0}
        event("response.output_item.added", output_index=len(output),
              item=item | {"content": [], "status": "in_progress"})
        event("response.content_part.added", part={"type": "output_text", "text": "", "annotations": []}, **where)
        for token in text:
            event("response.output_text.delta", delta=token, logprobs=[], **where)
        part = {"type": "output_text", "text": "".join(text), "annotations": []}
        event("response.output_text.done", text=part["text"], logprobs=[], **where)
        event("response.content_part.done", part=part, **where)
        item |= {"content": [part], "status": "completed"}
        event("response.output_item.done", output_index=len(output), item=item)
        output.append(item)
    whole = head | {"status": "completed", "output": output, "usage": usage}
    event("response.completed", response=whole)
    return Answer(whole, events)


# Messages


def message(body, serial):
    head = {"id": f"msg_{serial}", "type": "message", "role": "assistant", "model": body["model"]}
    text = [f"{serial} ", *TOKENS]
    blocks = []
    if body["model"] == "reasoner":
        blocks.append((
            {"type": "thinking", "thinking": "", "signature": ""},
            [{"type": "thinking_delta", "thinking": piece} for piece in THOUGHTS]
            + [{"type": "signature_delta", "signature": "c2ln"}],
            {"type": "thinking", "thinking": "".join(THOUGHTS), "signature": "c2ln"}))
    blocks.append((
        {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in text],
        {"type": "text", "text": "".join(text)}))
    if body.get("tools"):
        start = {"type": "tool_use", "id": f"toolu_{serial}", "name": body["tools"][0]["name"], "input": {}}
        blocks.append((
            start, [{"type": "input_json_delta", "partial_json": piece} for piece in ARGUMENTS],
            start | {"input": json.loads("".join(ARGUMENTS))}))
    reason = "tool_use" if body.get("tools") else "end_turn"
    usage = {"input_tokens": 12, "output_tokens": 9, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    events = []

    def event(name, /, **members):
        events.append(data({"type": name} | members, name))

    event("message_start", message=head | {
        "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage | {"output_tokens": 1}})
    for index, (start, deltas, _) in enumerate(blocks):
        event("content_block_start", index=index, content_block=start)
        event("ping")
        for delta in deltas:
            event("content_block_delta", index=index, delta=delta)
        event("content_block_stop", index=index)
    event("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage={"output_tokens": 9})
    event("message_stop")
    whole = head | {
        "content": [block for _, _, block in blocks], "stop_reason": reason, "stop_sequence": None, "usage": usage}
    return Answer(whole, events)
