"""A model server on bare sockets that does what a script says, byte by byte, and remembers every call."""

import dataclasses
import hashlib
import json
import select
import socket
import struct
import threading
import zlib

KEPT_BODY = 4 << 20


@dataclasses.dataclass
class Call:
    method: str
    target: str
    headers: list
    body: bytes
    # Of the whole body, of which `body` holds the start.
    length: int
    sha256: str

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def json(self):
        return json.loads(self.body)


class Peer:
    """The connection to whoever called, with the ways to answer well and badly."""

    def __init__(self, sock):
        self.socket = sock
        self.keeps = True

    def send(self, *parts):
        for part in parts:
            self.socket.sendall(part if isinstance(part, bytes) else part.encode())

    def head(self, status, headers=(), reason="Reason"):
        lines = [f"HTTP/1.1 {status} {reason}"] + [f"{name}: {value}" for name, value in headers]
        self.send("\r\n".join(lines) + "\r\n\r\n")

    def respond(self, status, body, headers=(), type="application/json"):
        content = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        lines = [("Content-Type", type)] if type else []
        self.head(status, [*lines, *headers, ("Content-Length", len(content))])
        self.send(content)

    def begin(self, status=200, headers=(), type="text/event-stream"):
        """A chunked answer: `chunk`s follow, then `finish`."""
        self.head(status, [("Content-Type", type), *headers, ("Transfer-Encoding", "chunked")])

    def chunk(self, data):
        data = data if isinstance(data, bytes) else data.encode()
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def finish(self):
        self.send(b"0\r\n\r\n")

    def close(self):
        self.keeps = False

    def reset(self):
        """Ends the connection with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.keeps = False

    def wait_for_close(self, limit=30.0):
        """Whether the caller closed the connection in that time."""
        poll = select.poll()
        poll.register(self.socket, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
        return bool(poll.poll(limit * 1000))


class Upstream:
    """`script(call, peer)` answers each call; it runs on the connection's own thread and may wait."""

    def __init__(self, script):
        self.script = script
        self.calls = []
        self.failures = []
        # Sent as soon as somebody connects, who is then left alone.
        self.answers_before_reading = None
        self._lock = threading.Lock()
        self._open = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def count(self, marker=""):
        """How many calls carried `marker` in body or target."""
        wanted = marker.encode()
        with self._lock:
            return sum(1 for call in self.calls if wanted in call.body or marker in call.target)

    def last(self, marker=""):
        wanted = marker.encode()
        with self._lock:
            return next(call for call in reversed(self.calls) if wanted in call.body or marker in call.target)

    def close(self):
        self._listener.close()
        with self._lock:
            for sock in self._open:
                sock.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        peer = Peer(sock)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = sock.makefile("rb")
        try:
            if self.answers_before_reading:
                peer.send(self.answers_before_reading)
                return
            while peer.keeps and (call := self._read(reader, peer)):
                with self._lock:
                    self.calls.append(call)
                self.script(call, peer)
        except (ConnectionError, TimeoutError):
            pass
        except OSError as error:
            # Closed by `close` under the thread's feet.
            if sock.fileno() >= 0:
                self.failures.append(error)
        except Exception as error:
            self.failures.append(error)
        finally:
            reader.close()
            sock.close()
            with self._lock:
                self._open.discard(sock)

    def _read(self, reader, peer):
        line = reader.readline().decode("latin-1").strip()
        if not line:
            return None
        method, target, _ = line.split(" ")
        headers = []
        while text := reader.readline().decode("latin-1").strip():
            name, _, value = text.partition(":")
            headers.append((name, value.strip()))
        fields = {name.lower(): value for name, value in headers}
        if "100-continue" in fields.get("expect", "").lower():
            peer.send("HTTP/1.1 100 Continue\r\n\r\n")
        kept, length, digest = bytearray(), 0, hashlib.sha256()
        for piece in self._body(reader, fields):
            length += len(piece)
            digest.update(piece)
            kept += piece[:max(0, KEPT_BODY - len(kept))]
        return Call(method, target, headers, bytes(kept), length, digest.hexdigest())

    def _body(self, reader, fields):
        if fields.get("transfer-encoding", "").lower() == "chunked":
            while size := int(reader.readline().split(b";")[0], 16):
                yield from self._exactly(reader, size)
                reader.readline()
            while reader.readline().strip():
                pass
        elif length := int(fields.get("content-length", "0")):
            yield from self._exactly(reader, length)

    @staticmethod
    def _exactly(reader, count):
        while count:
            piece = reader.read1(min(count, 1 << 18))
            if not piece:
                raise ConnectionError("the caller stopped inside a body")
            count -= len(piece)
            yield piece


def gzipped(data):
    packer = zlib.compressobj(wbits=31)
    return packer.compress(data) + packer.flush()


