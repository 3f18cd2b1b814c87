"""Requests that are broken, hostile or too large: none crashes, none is cached, each gets one clear answer."""

import gzip
import json
import socket
import time

import pytest

from support import wire
from support.requests import PATH, body
from support.sidecar import until

CHAT = PATH["chat"]


@pytest.fixture
def echo(model):
    """An upstream that accepts everything, so that what reaches it can be compared byte by byte."""
    model.script = lambda call, peer: peer.respond(400, b'{"error":{"message":"as the model sees it"}}')
    return model


@pytest.fixture(autouse=True)
def nothing_is_kept(refrain):
    entries = refrain.metrics().sum("refrain_entries")
    yield
    assert refrain.metrics().sum("refrain_entries") == entries


P = b"PROMPT"
AMBIGUOUS = {
    "truncated": (b'{"model":"m","messages":[{"role":"user","content":"PROMPT', "not-json"),
    "truncated-number": (b'{"model":"m","messages":["PROMPT"],"n":', "not-json"),
    "empty": (b"", "not-json"),
    "blank": (b" \n\t", "not-json"),
    "array": (b'["PROMPT"]', "not-json"),
    "string": (b'"PROMPT"', "not-json"),
    "two-documents": (b'{"model":"m","messages":["PROMPT"]}{}', "not-json"),
    "trailing-comma": (b'{"model":"m","messages":["PROMPT"],}', "not-json"),
    "comment": (b'{"model":"m","messages":["PROMPT"]/*x*/}', "not-json"),
    "single-quotes": (b"{'model':'m','messages':['PROMPT']}", "not-json"),
    "nan": (b'{"model":"m","messages":["PROMPT"],"n":NaN}', "not-json"),
    "infinity": (b'{"model":"m","messages":["PROMPT"],"n":Infinity}', "not-json"),
    "leading-zero": (b'{"model":"m","messages":["PROMPT"],"n":01}', "not-json"),
    "plus-sign": (b'{"model":"m","messages":["PROMPT"],"n":+1}', "not-json"),
    "bare-point": (b'{"model":"m","messages":["PROMPT"],"n":1.}', "not-json"),
    "control-character": (b'{"model":"m","messages":["PROMPT\x01"]}', "not-json"),
    "bad-escape": (b'{"model":"m","messages":["PROMPT\\x"]}', "not-json"),
    "nul": (b'{"model":"m","messages":["PROMPT"]}\x00', "not-json"),
    "byte-order-mark": (b'\xef\xbb\xbf{"model":"m","messages":["PROMPT"]}', "not-json"),
    "duplicate-member": (b'{"model":"m","messages":["PROMPT"],"model":"m"}', "duplicate-member"),
    "duplicate-member-deep": (b'{"model":"m","messages":[{"a":{"b":1,"b":1}},"PROMPT"]}', "duplicate-member"),
    "duplicate-member-escaped": (b'{"model":"m","messages":["PROMPT"],"\\u006dodel":"m"}', "duplicate-member"),
    "duplicate-left-out": (b'{"model":"m","messages":["PROMPT"],"user":"a","user":"b"}', "duplicate-member"),
    "invalid-utf8": (b'{"model":"m","messages":["PROMPT\xff"]}', "invalid-unicode"),
    "overlong-utf8": (b'{"model":"m","messages":["PROMPT\xc0\xaf"]}', "invalid-unicode"),
    "truncated-utf8": (b'{"model":"m","messages":["PROMPT\xe2\x82"]}', "invalid-unicode"),
    "surrogate-in-utf8": (b'{"model":"m","messages":["PROMPT\xed\xa0\x80"]}', "invalid-unicode"),
    "beyond-unicode": (b'{"model":"m","messages":["PROMPT\xf4\x90\x80\x80"]}', "invalid-unicode"),
    "lone-high-surrogate": (b'{"model":"m","messages":["PROMPT\\ud83d"]}', "invalid-unicode"),
    "lone-low-surrogate": (b'{"model":"m","messages":["PROMPT\\ude80"]}', "invalid-unicode"),
    "surrogates-reversed": (b'{"model":"m","messages":["PROMPT\\ude80\\ud83d"]}', "invalid-unicode"),
    "deep-arrays": (b'{"model":"m","messages":["PROMPT",' + b"[" * 65 + b"]" * 65 + b"]}", "too-deep"),
    "depth-bomb": (b'{"model":"m","PROMPT":' + b"[" * 1_000_000, "too-deep"),
    "depth-bomb-objects": (b'{"model":"m","PROMPT":' + b'{"a":' * 200_000, "too-deep"),
    "no-model": (b'{"messages":["PROMPT"]}', "unusable-field"),
    "model-not-text": (b'{"model":7,"messages":["PROMPT"]}', "unusable-field"),
    "model-null": (b'{"model":null,"messages":["PROMPT"]}', "unusable-field"),
    "stream-not-boolean": (b'{"model":"m","messages":["PROMPT"],"stream":"yes"}', "unusable-field"),
    "options-not-object": (b'{"model":"m","messages":["PROMPT"],"stream_options":[1]}', "unusable-field"),
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_ambiguous_bodies_go_on_unchanged(refrain, echo, prompt, name):
    content, reason = AMBIGUOUS[name]
    content = content.replace(P, prompt.encode())
    for _ in range(2):
        calls = len(echo.calls)
        answer = refrain.post(CHAT, content)
        assert (answer.status, answer.body) == (400, b'{"error":{"message":"as the model sees it"}}')
        assert (answer.outcome, answer.header("x-refrain-reason")) == ("bypass", reason)
        assert len(echo.calls) == calls + 1
        assert (echo.calls[-1].length, echo.calls[-1].body) == (len(content), content)


def test_gzip_request_body_goes_on_unchanged(refrain, echo, prompt):
    content = gzip.compress(json.dumps(body("chat", prompt)).encode())
    answer = refrain.post(CHAT, content, [("Content-Encoding", "gzip")])
    assert answer.header("x-refrain-reason") == "content-encoding"
    assert (echo.calls[-1].body, echo.calls[-1].header("content-encoding")) == (content, "gzip")


@pytest.mark.parametrize("type", ["text/plain", "multipart/form-data; boundary=x", "application/jsonp", ""])
def test_other_content_types_go_on_unchanged(refrain, echo, prompt, type):
    answer = refrain.post(CHAT, body("chat", prompt), [("Content-Type", type)])
    assert answer.header("x-refrain-reason") == "content-type"


HUGE = 100 << 20


@pytest.mark.parametrize("dialect", PATH)
def test_100_megabyte_body_is_refused(refrain, model, dialect):
    """By its declared length: before the body was sent."""
    calls, resident = len(model.calls), refrain.resident()
    head = wire.request_bytes("POST", PATH[dialect], [
        ("Content-Type", "application/json"), ("Content-Length", str(HUGE))], None)
    with wire.Connection(refrain.port) as connection:
        connection.send(head)
        answer = connection.response()
    assert_refusal(answer, 413, "body-too-large", dialect)
    assert len(model.calls) == calls
    assert refrain.resident() - resident < 16 << 20


def assert_refusal(answer, status, code, dialect="chat"):
    assert answer is not None and answer.complete and answer.status == status
    assert answer.header("content-type") == "application/json"
    error = answer.json()["error"]
    assert error["message"]
    if dialect == "messages":
        assert answer.json()["type"] == "error" and error["type"]
    else:
        assert error["code"] == code


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_100_megabyte_body_sent_regardless(refrain, model, chunked):
    """A client that does not wait for the refusal: memory stays bounded, and the client gets to see it or is cut."""
    calls = len(model.calls)
    refrain.post(CHAT, b"x")
    resident = refrain.resident()
    framing = ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(HUGE))
    piece = b"x" * (1 << 20)
    most = 0
    with wire.Connection(refrain.port) as connection:
        connection.send(wire.request_bytes("POST", CHAT, [("Content-Type", "application/json"), framing], None))
        try:
            for _ in range(HUGE // len(piece)):
                connection.send(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
                most = max(most, refrain.resident() - resident)
            if chunked:
                connection.send(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            answer = connection.response()
        except (wire.Truncated, ConnectionResetError):
            answer = None
    if answer is not None:
        assert_refusal(answer, 413, "body-too-large")
    # Nothing is held but what is under the limit of 64 MiB, and what doubling a buffer takes while it grows.
    assert most < 200 << 20
    assert len([call for call in model.calls[calls:] if call.length > 1]) == 0


def test_body_just_above_the_limit(start, model, prompt):
    refrain = start({"limits.requestBody": "64KiB"})
    content = json.dumps(body("chat", prompt)).encode()
    fits, grows = (content + b" " * (size - len(content)) for size in (64 << 10, (64 << 10) + 1))
    assert refrain.post(CHAT, fits, [("Cache-Control", "no-store")]).status == 200
    assert_refusal(refrain.post(CHAT, grows), 413, "body-too-large")
    assert_refusal(refrain.post(PATH["messages"], grows), 413, None, "messages")
    # The limit is of what must be held, not of what streams through.
    assert refrain.post("/v1/files", grows).status == 404


LINE = b"POST /v1/chat/completions HTTP/1.1\r\n"
HOST = b"Host: h\r\n"
JSON = b"Content-Type: application/json\r\n"
BODY = b'{"model":"m","messages":["smuggled"]}'
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)

# Shapes that two servers may read differently; each is refused, and nothing of it reaches the upstream.
SMUGGLING = {
    "two-lengths": (LINE + HOST + JSON + LENGTH + b"Content-Length: 5\r\n\r\n" + BODY, 400),
    "two-equal-lengths": (LINE + HOST + JSON + LENGTH + LENGTH + b"\r\n" + BODY, 400),
    "length-list": (LINE + HOST + JSON + b"Content-Length: 37, 37\r\n\r\n" + BODY, 400),
    "length-and-chunked": (LINE + HOST + JSON + LENGTH + CHUNKED + b"\r\n" + CHUNKS, 400),
    "chunked-and-length": (LINE + HOST + JSON + CHUNKED + LENGTH + b"\r\n" + CHUNKS, 400),
    "negative-length": (LINE + HOST + JSON + b"Content-Length: -1\r\n\r\n", 400),
    "signed-length": (LINE + HOST + JSON + b"Content-Length: +37\r\n\r\n" + BODY, 400),
    "hexadecimal-length": (LINE + HOST + JSON + b"Content-Length: 0x25\r\n\r\n" + BODY, 400),
    "overflowing-length": (LINE + HOST + JSON + b"Content-Length: 99999999999999999999999\r\n\r\n", 413),
    "unknown-encoding": (LINE + HOST + JSON + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + CHUNKS, 501),
    "odd-encoding": (LINE + HOST + JSON + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKS, 501),
    "two-encodings": (LINE + HOST + JSON + CHUNKED + b"Transfer-Encoding: identity\r\n\r\n" + CHUNKS, None),
    "blank-before-colon": (LINE + HOST + JSON + b"Content-Length : 37\r\n\r\n" + BODY, 400),
    "folded-line": (LINE + HOST + JSON + b"X-A: b\r\n c\r\n" + LENGTH + b"\r\n" + BODY, None),
    "no-host": (LINE + JSON + LENGTH + b"\r\n" + BODY, 400),
    "two-hosts": (LINE + HOST + HOST + JSON + LENGTH + b"\r\n" + BODY, 400),
    "garbage": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64 + b"\r\n\r\n", None),
    "words": (b"hello there\r\n\r\n", None),
    "http2-preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", None),
    "http09": (b"GET /v1/models\r\n\r\n", None),
    "connect": (b"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", 405),
    "trace": (b"TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", 405),
    "target-without-slash": (b"GET models HTTP/1.1\r\nHost: h\r\n\r\n", 400),
}


# The HTTP library ends these by itself, with a bare status.
LENGTHS_THE_LIBRARY_REFUSES = (
    "length-list", "negative-length", "signed-length", "hexadecimal-length", "overflowing-length")


@pytest.mark.parametrize("name", SMUGGLING)
def test_ambiguous_framing_is_refused(refrain, model, name):
    data, status = SMUGGLING[name]
    calls = len(model.calls)
    answer = wire.exchange(refrain.port, data)
    if status is None:
        assert answer is None or 400 <= answer.status < 600
    elif name in LENGTHS_THE_LIBRARY_REFUSES:
        assert answer.status == status
    else:
        assert_refusal(answer, status, answer.json()["error"]["code"])
    if answer is not None:
        assert (answer.header("connection") or "").lower() == "close"
    assert len(model.calls) == calls


def test_what_follows_a_refused_request_is_not_a_request(refrain, model):
    """The classic attack: a second request hidden in the body that one of two servers sees."""
    calls = len(model.calls)
    hidden = b"GET /v1/hidden HTTP/1.1\r\nHost: h\r\n\r\n"
    data = LINE + HOST + JSON + b"Content-Length: %d\r\n" % (len(hidden) + 5) + CHUNKED + b"\r\n0\r\n\r\n" + hidden
    with wire.Connection(refrain.port) as connection:
        connection.send(data)
        assert connection.response().status == 400
        with pytest.raises((wire.Truncated, ConnectionResetError)):
            connection.response()
    assert len(model.calls) == calls


BROKEN_CHUNKS = {
    "not-a-size": b"zz\r\nabc\r\n0\r\n\r\n",
    "negative-size": b"-5\r\nabcde\r\n0\r\n\r\n",
    "huge-size": b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
    "no-line-end": b"3\r\nabcdef\r\n0\r\n\r\n",
    "size-too-small": b"2\r\nabc\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("path", [CHAT, "/v1/files"])
@pytest.mark.parametrize("name", BROKEN_CHUNKS)
def test_broken_chunking(refrain, model, name, path):
    calls = len(model.calls)
    data = b"POST " + path.encode() + b" HTTP/1.1\r\n" + HOST + JSON + CHUNKED + b"\r\n" + BROKEN_CHUNKS[name]
    answer = wire.exchange(refrain.port, data)
    assert answer is None or 400 <= answer.status < 600
    assert len(model.calls) == calls


@pytest.mark.parametrize("path", [CHAT, "/v1/files"])
def test_client_stops_inside_its_body(refrain, model, path):
    calls = len(model.calls)
    with wire.Connection(refrain.port) as connection:
        connection.send(wire.request_bytes("POST", path, [
            ("Content-Type", "application/json"), ("Content-Length", "1000")], None) + b'{"model":"m"')
    until(lambda: refrain.metrics().sum("refrain_http_connections") == 0, "the connection to go")
    assert len(model.calls) == calls


def assert_cut(connection, limit):
    """The sidecar ends the connection by itself, having answered or not."""
    started = time.monotonic()
    connection.socket.settimeout(limit)
    data = b""
    try:
        while piece := connection.socket.recv(65536):
            data += piece
    except ConnectionResetError:
        pass
    assert time.monotonic() - started < limit
    assert not data or data.startswith(b"HTTP/1.1 4")


def test_slow_headers_are_cut(refrain, model):
    """A byte now and then does not keep a connection: the whole head has one deadline."""
    with wire.Connection(refrain.port) as connection:
        connection.send(LINE + HOST)

        def trickle():
            try:
                connection.send(b"X-A: b\r\n")
            except OSError:
                return True
            connection.socket.setblocking(False)
            try:
                return connection.socket.recv(1) == b""
            except BlockingIOError:
                return False
            except ConnectionResetError:
                return True
            finally:
                connection.socket.setblocking(True)

        until(trickle, "the slow client to be cut", 20)


def test_silent_connections_and_bodies_are_cut(refrain):
    with wire.Connection(refrain.port) as silent, wire.Connection(refrain.port) as stalled:
        stalled.send(LINE + HOST + JSON + LENGTH + b"\r\n" + BODY[:5])
        assert_cut(silent, 20)
        assert_cut(stalled, 20)


@pytest.mark.parametrize("flood", [
    b"X-A: " + b"a" * 40_000 + b"\r\n",
    b"".join(b"X-%d: a\r\n" % index for index in range(5_000)),
    b"".join(b"X-%d: %s\r\n" % (index, b"a" * 500) for index in range(100)),
    b"Cookie: " + b"a=b; " * 20_000 + b"\r\n"], ids=["long-line", "many-lines", "much", "cookies"])
def test_header_flood(refrain, model, flood):
    calls = len(model.calls)
    answer = wire.exchange(refrain.port, LINE + HOST + JSON + flood + LENGTH + b"\r\n" + BODY)
    assert answer.status == 431
    # What does not even fit into the connection's memory is refused by the HTTP library, in its own words.
    if answer.header("content-type"):
        assert_refusal(answer, 431, "head-too-large")
    assert len(model.calls) == calls


def test_long_target(refrain, model):
    calls = len(model.calls)
    answer = wire.exchange(refrain.port, b"GET /" + b"a" * 50_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n")
    assert answer is None or answer.status in (414, 431)
    assert len(model.calls) == calls


def test_bodies_share_a_bound(start, prompt):
    """Many clients that send large bodies and never end them: each is within its limit, all together are not."""
    refrain = start({"limits.requestMemory": "32MiB", "limits.requestBody": "16MiB", "limits.workers": 2})
    resident = refrain.resident()
    head = (b"POST " + CHAT.encode() + b" HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % (15 << 20))
    held, statuses = [wire.Connection(refrain.port) for _ in range(12)], []
    try:
        for connection in held:
            try:
                connection.send(head + b"[" * (14 << 20))
            except OSError:
                pass
        for connection in held:
            connection.socket.settimeout(0.2)
            try:
                statuses.append(connection.response().status)
            except (OSError, wire.Truncated):
                statuses.append(None)
        assert statuses.count(503) >= 12 - 3 and set(statuses) <= {503, None}, statuses
        assert refrain.resident() - resident < 96 << 20
        assert refrain.post(CHAT, body("chat", prompt)).outcome == "miss"
    finally:
        for connection in held:
            connection.close()

    def has_room():
        return refrain.post(CHAT, body("chat", prompt + "x" * (7 << 20))).status != 503

    until(has_room, "room for a large body again")


def test_connection_limit(start, model):
    refrain = start({"limits.connections": 8, "limits.workers": 1})
    held = [wire.Connection(refrain.port) for _ in range(8)]
    try:
        until(lambda: refrain.metrics().sum("refrain_http_connections") == 8, "the connections to be counted")
        try:
            refused = wire.exchange(refrain.port, b"GET /v1/models HTTP/1.1\r\nHost: h\r\n\r\n")
        except ConnectionResetError:
            refused = None
        assert refused is None or refused.status == 503
        assert held[0].ask("GET", "/v1/nothing").status == 404
    finally:
        for connection in held:
            connection.close()

    def has_room():
        try:
            answer = wire.exchange(refrain.port, b"GET /v1/nothing HTTP/1.1\r\nHost: h\r\n\r\n")
        except ConnectionResetError:
            return False
        return answer is not None and answer.status == 404

    until(has_room, "room again")


def test_thousand_clients_that_vanish(refrain, model, prompt):
    """Connections reset at every point of a request."""
    content = json.dumps(body("chat", prompt)).encode()
    data = wire.request_bytes("POST", CHAT, [("Content-Type", "application/json"), ("Cache-Control", "no-store")], content)
    for number in range(1000):
        connection = wire.Connection(refrain.port)
        connection.send(data[:1 + number * len(data) // 1000])
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()
    until(lambda: refrain.metrics().sum("refrain_http_connections") == 0, "the connections to go")
    until(lambda: refrain.metrics().sum("refrain_inflight_requests") == 0, "the requests to go")
