"""An answer as a stream and as a whole, made comparable; and requests whose answers have everything in them."""

import json

CHAT_TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
FEATURES = {
    "chat": [{}, {"tools": CHAT_TOOLS}, {"model": "reasoner"}, {"n": 3}, {"logprobs": True, "n": 2}],
    "completions": [{}, {"n": 2, "logprobs": 1}],
    "responses": [{}, {"tools": [{"type": "function", "name": "weather"}]}, {"model": "reasoner"}],
    "messages": [{}, {"tools": [{"name": "weather", "input_schema": {"type": "object"}}]}, {"model": "reasoner"}],
}
CASES = [(dialect, more) for dialect, all in FEATURES.items() for more in all]


def label(value):
    return value if isinstance(value, str) else "+".join(value) or "plain"


def merge(into, delta):
    """The rule by which OpenAI's packages accumulate deltas."""
    for name, value in delta.items():
        old = into.get(name)
        if old is None:
            into[name] = [] if isinstance(value, list) else {} if isinstance(value, dict) else None
            old = into[name]
        if value is None:
            continue
        if isinstance(value, str):
            into[name] = value if old is None or name in ("role", "id", "type", "finish_reason") else old + value
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, dict) and "index" in item:
                    while len(old) <= item["index"]:
                        old.append({})
                    merge(old[item["index"]], {k: v for k, v in item.items() if k != "index"})
                else:
                    old.append(item)
        elif isinstance(value, dict):
            merge(old, value)
        else:
            into[name] = value


def accumulated_choices(chunks, part):
    """The whole document that a stream of `chat.completion.chunk` or `text_completion` adds up to."""
    choices, usage = {}, None
    for chunk in chunks:
        usage = chunk.get("usage") or usage
        for choice in chunk["choices"]:
            merge(choices.setdefault(choice["index"], {}), {k: v for k, v in choice.items() if k != "index"})
    head = {k: v for k, v in chunks[0].items() if k not in ("choices", "usage", "object")}
    whole = head | {"choices": [{"index": index} | choices[index] for index in sorted(choices)], "usage": usage}
    if part == "delta":
        for choice in whole["choices"]:
            choice["message"] = choice.pop("delta")
    return whole


def plain(value):
    """Without members that say nothing, which forms differ in: nulls and absent members mean the same."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items() if item is not None}
    return [plain(item) for item in value] if isinstance(value, list) else value


def accumulated(dialect, stream):
    if dialect in ("chat", "completions"):
        assert stream[-1] == "[DONE]"
        return accumulated_choices(stream[:-1], "delta" if dialect == "chat" else "text")
    if dialect == "responses":
        assert stream[-1]["type"] == "response.completed"
        return stream[-1]["response"]
    return accumulated_message(stream)


def accumulated_message(stream):
    assert stream[0]["type"] == "message_start" and stream[-1]["type"] == "message_stop"
    whole, pieces = dict(stream[0]["message"]), {}
    for event in stream:
        kind = event["type"]
        if kind == "content_block_start":
            assert event["index"] == len(whole["content"])
            whole["content"].append(dict(event["content_block"]))
        elif kind == "content_block_delta":
            block, delta = whole["content"][event["index"]], event["delta"]
            if delta["type"] == "input_json_delta":
                pieces[event["index"]] = pieces.get(event["index"], "") + delta["partial_json"]
            else:
                name = delta["type"].removesuffix("_delta")
                block[name] = block.get(name, "") + delta[name]
        elif kind == "message_delta":
            whole |= event["delta"]
            whole["usage"] = whole["usage"] | event["usage"]
    for index, text in pieces.items():
        whole["content"][index]["input"] = json.loads(text or "{}")
    return whole


def comparable(dialect, whole):
    whole = plain(whole)
    whole.pop("object", None)
    return whole
