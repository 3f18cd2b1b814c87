"""Many clients at once, and a model that stops inside its answer until they are all there."""

import asyncio
import json
import threading

from . import model as scripted
from . import wire
from .requests import PATH
from .sidecar import until

LIMIT = 60


class Gated:
    """The model, stopping inside its answer until it is told to go on. Only the first call is stopped."""

    def __init__(self, held_back=False):
        self.begun = threading.Event()
        self.gate = threading.Event()
        # Whether even the head waits at the gate.
        self.held_back = held_back
        self.ending = None
        self.calls = 0

    def __call__(self, call, peer):
        self.calls += 1
        if self.calls > 1:
            scripted.script(call, peer)
            return
        answer = scripted.answer_to(call)
        if self.held_back:
            self._wait()
        if call.json().get("stream"):
            self._stream(answer.stream, peer)
        else:
            content = scripted.dumps(answer.whole).encode()
            peer.head(200, [("Content-Type", "application/json"), ("Content-Length", len(content))])
            self._halves([content[:len(content) // 2], content[len(content) // 2:]], peer.send, peer)

    def _wait(self):
        self.begun.set()
        assert self.gate.wait(LIMIT)

    def _stream(self, events, peer):
        peer.begin()
        half = len(events) // 2
        self._halves([b"".join(events[:half]), b"".join(events[half:])], peer.chunk, peer)
        if peer.keeps:
            peer.finish()

    def _halves(self, halves, send, peer):
        send(halves[0])
        if not self.held_back:
            self._wait()
        if self.ending:
            self.ending(peer)
        else:
            send(halves[1])


class Client:
    """One raw connection of a crowd."""

    def __init__(self, refrain, request, path=PATH["chat"]):
        self.refrain, self.request, self.path = refrain, request, path
        self.reader = self.writer = None
        self.status, self.headers = None, {}

    async def send(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.refrain.port)
        content = json.dumps(self.request).encode()
        self.writer.write(wire.request_bytes("POST", self.path, [
            ("Content-Type", "application/json"), ("Authorization", "Bearer test-key")], content))
        await self.writer.drain()
        return self

    async def head(self):
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        self.status = int(head[0].split(" ")[1])
        self.headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        return self

    async def chunk(self):
        size = int(await self.reader.readuntil(b"\r\n"), 16)
        data = await self.reader.readexactly(size)
        await self.reader.readexactly(2)
        return data

    async def body(self):
        """The rest of the body; raises IncompleteReadError when the connection ends inside it."""
        if self.headers.get("transfer-encoding") == "chunked":
            parts = []
            while data := await self.chunk():
                parts.append(data)
            return b"".join(parts)
        return await self.reader.readexactly(int(self.headers["content-length"]))

    async def all(self):
        try:
            await self.head()
            return await self.body()
        finally:
            self.writer.close()

    @property
    def outcome(self):
        return self.headers.get("x-refrain-cache")

    def kill(self):
        self.writer.transport.abort()


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, LIMIT))


async def in_flight(refrain, count):
    """Until that many requests are being answered."""
    await asyncio.to_thread(
        until, lambda: refrain.metrics().sum("refrain_inflight_requests") == count, f"{count} requests in flight")


async def begun(gated):
    assert await asyncio.to_thread(gated.begun.wait, LIMIT)
