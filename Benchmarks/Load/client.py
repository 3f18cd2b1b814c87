"""A small HTTP client on a raw socket: sends exact bytes and gives exact bytes back."""

import socket
from dataclasses import dataclass

TIMEOUT = 30.0
LARGEST = 4 << 20


@dataclass(frozen=True)
class Answer:
    status: int
    head: str
    body: bytes
    wire_bytes: int

    def field(self, name: str) -> str:
        """The value of a header line, empty if it is not there."""
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return ""


class Client:
    """One keep-alive connection to a server on this machine."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._held = b""

    def call(self, request: bytes) -> Answer:
        self._socket.sendall(request)
        head = self._take_until(b"\r\n\r\n").decode("latin-1")
        answer = Answer(int(head.split(" ", 2)[1]), head, b"", 0)
        if "chunked" in answer.field("Transfer-Encoding").lower():
            body, wire = self._chunks()
        else:
            body = self._take(int(answer.field("Content-Length") or 0))
            wire = len(body)
        return Answer(answer.status, head, body, len(head) + wire)

    def get(self, path: str) -> Answer:
        return self.call(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    def close(self) -> None:
        self._socket.close()

    def _chunks(self) -> tuple[bytes, int]:
        body, wire = b"", 0
        while len(body) < LARGEST:
            line = self._take_until(b"\r\n")
            length = int(line.split(b";")[0], 16)
            chunk = self._take(length + 2)
            wire += len(line) + len(chunk)
            if length == 0:
                return body, wire
            body += chunk[:-2]
        raise ConnectionError("the answer does not end")

    def _take_until(self, end: bytes) -> bytes:
        while end not in self._held:
            self._fill()
        length = self._held.index(end) + len(end)
        return self._take(length)

    def _take(self, length: int) -> bytes:
        while len(self._held) < length:
            self._fill()
        taken, self._held = self._held[:length], self._held[length:]
        return taken

    def _fill(self) -> None:
        bytes_read = self._socket.recv(65536)
        if not bytes_read or len(self._held) > LARGEST:
            raise ConnectionError(f"the server closed the connection after {self._held[:200]!r}")
        self._held += bytes_read
