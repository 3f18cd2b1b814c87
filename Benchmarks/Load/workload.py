"""What is asked and answered: the same bytes to every server, shaped as the `openai` Python client sends them.

Bodies and the order in which they are asked follow from fixed seeds, so every run asks the same.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path

DISTINCT = 1000
REQUEST_BODY = 1100
ANSWER_BODY = 1500
ZIPF_EXPONENT = 1.0
PICKS = 50_000

# The origin answers this model's streams with one event a token, and the other's with a few larger ones.
MODEL = "bench-model"
TOKENS_MODEL = "bench-tokens"

# Sixteen zeros become the hash of the request, sixteen `@` a number that no request had before.
HASH_MARK = "0000000000000000"
NUMBER_MARK = "@@@@@@@@@@@@@@@@"

SYSTEM = 'You are a careful assistant. Answer in plain words.\nSay "I do not know" where you do not.'
WORDS = (
    "the cache keeps an answer until its time is over and then asks the model again because a price or "
    "a date may have changed while nobody looked at it so please explain in two sentences how that works"
).split()

HEAD = (
    "POST /v1/chat/completions HTTP/1.1\r\n"
    "Host: 127.0.0.1:{port}\r\n"
    "Accept-Encoding: gzip, deflate\r\n"
    "Connection: keep-alive\r\n"
    "Accept: application/json\r\n"
    "Content-Type: application/json\r\n"
    "User-Agent: OpenAI/Python 2.8.1\r\n"
    "X-Stainless-Lang: python\r\n"
    "X-Stainless-Package-Version: 2.8.1\r\n"
    "X-Stainless-OS: Linux\r\n"
    "X-Stainless-Arch: x64\r\n"
    "X-Stainless-Runtime: CPython\r\n"
    "X-Stainless-Runtime-Version: 3.11.2\r\n"
    "Authorization: Bearer sk-bench\r\n"
    "X-Stainless-Async: false\r\n"
    "x-stainless-retry-count: 0\r\n"
    "x-stainless-read-timeout: 600\r\n"
    "Content-Length: {length}\r\n"
    "\r\n"
)


@dataclass(frozen=True)
class Workload:
    """A set of request bodies; `streamed` says in which form their answers are asked for."""

    name: str
    bodies: list[bytes]

    def requests(self, port: int) -> list[bytes]:
        return [request(body, port) for body in self.bodies]


def request(body: bytes, port: int) -> bytes:
    return HEAD.format(port=port, length=len(body)).encode() + body


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _text(length: int, seed: str) -> str:
    """Exactly `length` characters of prose; a line break now and then, as prompts have."""
    dice = random.Random(seed)
    text = ""
    while len(text) < length:
        text += dice.choice(WORDS) + (".\n" if dice.random() < 0.05 else " ")
    return text[:length]


def body(seed: str, streamed: bool, model: str = MODEL, start: str = "") -> bytes:
    """A request body of exactly REQUEST_BODY bytes; both forms of one request have the same length."""

    def encode(prompt: str) -> str:
        messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": prompt}]
        text = _compact({"messages": messages, "model": model, "stream": streamed, "temperature": 0.2})
        # A space makes `true` as long as `false`, so that only the value differs.
        return text.replace('"stream":true', '"stream":true ')

    low, high = 0, REQUEST_BODY
    prose = start + _text(REQUEST_BODY, seed)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if len(encode(prose[:middle])) <= REQUEST_BODY else (low, middle - 1)
    # A line break takes two bytes in JSON, so the cut may miss by one.
    prompt = prose[:low].rstrip() + " "
    prompt += "." * (REQUEST_BODY - len(encode(prompt)))
    return encode(prompt).encode()


def workload(name: str, streamed: bool, model: str = MODEL, salt: str = "") -> Workload:
    """DISTINCT bodies; workloads with one salt and model hold the same requests, in the form asked for."""
    return Workload(name, [body(f"{salt}{index}", streamed, model, f"{salt}{index}: ") for index in range(DISTINCT)])


def picks() -> list[int]:
    """Which body is asked for next, counted from 1: ranks drawn by Zipf's law, dealt to the bodies at random."""
    dice = random.Random(1)
    order = list(range(1, DISTINCT + 1))
    dice.shuffle(order)
    weights = [1 / rank**ZIPF_EXPONENT for rank in range(1, DISTINCT + 1)]
    return dice.choices(order, weights, k=PICKS)


def _event(delta: dict[str, str], finish: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    chunk = {
        "id": "chatcmpl-" + HASH_MARK,
        "object": "chat.completion.chunk",
        "created": 1767225600,
        "model": MODEL,
        "system_fingerprint": "fp_44709d6fcb",
        "choices": [choice],
    }
    return f"data: {_compact(chunk)}\n\n"


def _stream(parts: list[str]) -> str:
    deltas = "".join(_event({"content": part}) for part in parts)
    return _event({"role": "assistant", "content": ""}) + deltas + _event({}, "stop") + "data: [DONE]\n\n"


def _whole(content: str) -> str:
    message = {"role": "assistant", "content": content, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    usage = {"prompt_tokens": 231, "completion_tokens": 280, "total_tokens": 511}
    answer = {
        "id": "chatcmpl-" + HASH_MARK,
        "object": "chat.completion",
        "created": 1767225600,
        "model": MODEL,
        "choices": [choice],
        "usage": usage,
        "system_fingerprint": "fp_44709d6fcb",
    }
    return _compact(answer)


def answers() -> dict[str, bytes]:
    """The origin's templates: a whole answer, a stream of the same size, and the whole answer's text by tokens."""
    content = _text(ANSWER_BODY - len(_whole("")), "answer").replace("\n", " ")
    room = ANSWER_BODY - len(_stream(["", ""]))
    halves = [content[: room // 2], content[room // 2 : room]]
    pieces = [content[at : at + 4] for at in range(0, len(content), 4)]
    made = {"whole": _whole(content), "events": _stream(halves), "tokens": _stream(pieces)}
    return {name: text.encode() for name, text in made.items()}


def write_requests(path: Path, requests: list[bytes]) -> None:
    """Each request after a line with its length, as the load script reads them."""
    path.write_bytes(b"".join(b"%d\n%s" % (len(one), one) for one in requests))


def write_picks(path: Path) -> None:
    path.write_text("".join(f"{pick}\n" for pick in picks()))
