"""HTTP/1.1 by hand, so that tests see every byte and can send what no library would."""

import dataclasses
import json
import socket

LIMIT = 30.0


class Truncated(Exception):
    """The connection ended inside a message; `args[0]` is what had come."""


@dataclasses.dataclass
class Response:
    status: int
    headers: list
    body: bytes
    # False when the connection ended before the message did.
    complete: bool = True

    def header(self, name):
        """The value of a header that stands at most once; None without it."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} stands {len(values)} times"
        return values[0] if values else None

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def outcome(self):
        return self.header("x-refrain-cache")

    def json(self):
        return json.loads(self.body)


def request_bytes(method, target, headers, body, host="127.0.0.1"):
    names = {name.lower() for name, _ in headers}
    lines = [f"{method} {target} HTTP/1.1".encode()]
    if "host" not in names:
        lines.append(f"Host: {host}".encode())
    lines += [f"{name}: {value}".encode("latin-1") for name, value in headers]
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}".encode())
    return b"\r\n".join(lines) + b"\r\n\r\n" + (body or b"")


def request(port, method, target, headers=(), body=None, timeout=LIMIT):
    """One request on a connection of its own."""
    with Connection(port, timeout) as connection:
        return connection.ask(method, target, headers, body)


def exchange(port, data, timeout=LIMIT, method="POST"):
    """Sends raw bytes; the response to them, None when the server only closes."""
    with Connection(port, timeout) as connection:
        try:
            connection.send(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            return connection.response(method)
        except (Truncated, ConnectionResetError):
            return None


class Connection:
    """A client's connection; several requests may follow each other on it."""

    def __init__(self, port, timeout=LIMIT):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def ask(self, method, target, headers=(), body=None):
        self.send(request_bytes(method, target, headers, body))
        return self.response(method)

    # Reading

    def more(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise Truncated(self.buffer)
        self.buffer += data

    def line(self):
        while b"\r\n" not in self.buffer:
            self.more()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line

    def take(self, count):
        while len(self.buffer) < count:
            self.more()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def head(self):
        """Status and headers of the next response that is not an interim one."""
        while True:
            status = int(self.line().split(b" ", 2)[1])
            headers = []
            while line := self.line():
                name, _, value = line.partition(b":")
                headers.append((name.decode("latin-1"), value.strip().decode("latin-1")))
            if status >= 200:
                return Response(status, headers, b"")

    def pieces(self, response, method="POST"):
        """The body as it arrives."""
        if method == "HEAD" or response.status in (204, 304):
            return
        if (response.header("transfer-encoding") or "").lower() == "chunked":
            while size := int(self.line().split(b";")[0], 16):
                yield self.take(size)
                self.take(2)
            while self.line():
                pass
        elif (length := response.header("content-length")) is not None:
            left = int(length)
            while left:
                if not self.buffer:
                    self.more()
                piece = self.take(min(left, len(self.buffer)))
                left -= len(piece)
                yield piece
        else:
            while True:
                try:
                    self.more()
                except Truncated:
                    yield self.take(len(self.buffer))
                    return

    def response(self, method="POST"):
        response = self.head()
        parts = []
        try:
            for piece in self.pieces(response, method):
                parts.append(piece)
        except (Truncated, ConnectionResetError) as end:
            parts.append(end.args[0] if isinstance(end, Truncated) else b"")
            response.complete = False
        response.body = b"".join(parts)
        return response


def structured_list(text):
    """An RFC 8941 list of items with parameters, as RFC 9211's Cache-Status is one: [(item, {name: value})]."""
    members, position = [], 0

    def fail(what):
        raise AssertionError(f"Cache-Status {text!r}: {what} at {position}")

    def item():
        nonlocal position
        rest = text[position:]
        if rest.startswith('"'):
            end = text.index('"', position + 1)
            value, position = text[position + 1:end], end + 1
            return value
        length = 0
        while length < len(rest) and (rest[length].isalnum() or rest[length] in "-_.:/*!#$%&'+^`|~"):
            length += 1
        if not length:
            fail("no item")
        word, position = rest[:length], position + length
        if word.lstrip("-").isdigit():
            return int(word)
        if not (word[0].isalpha() or word[0] == "*"):
            fail("a token begins with a letter")
        return word

    while position < len(text):
        value, parameters = item(), {}
        while text[position:].startswith(";"):
            position += 1
            while text[position:].startswith(" "):
                position += 1
            name = item()
            if not isinstance(name, str) or name != name.lower():
                fail("a parameter's name is in lower case")
            parameters[name] = True
            if text[position:].startswith("="):
                position += 1
                parameters[name] = item()
        members.append((value, parameters))
        if position < len(text):
            if not text[position:].lstrip().startswith(","):
                fail("no comma")
            position = text.index(",", position) + 1
            while text[position:].startswith(" "):
                position += 1
    return members


def cache_status(response):
    """The parameters of Refrain's own member of Cache-Status, which is the last one."""
    name, parameters = structured_list(", ".join(response.all("cache-status")))[-1]
    assert name == "refrain"
    return parameters


def events(body):
    """The data of a stream's events, decoded where it is JSON."""
    found = []
    for block in body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n\n"):
        data = [line[5:].removeprefix(b" ") for line in block.split(b"\n") if line.startswith(b"data:")]
        if data:
            text = b"\n".join(data)
            found.append(text.decode() if text == b"[DONE]" else json.loads(text))
    return found
