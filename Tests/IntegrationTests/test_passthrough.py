"""Everything that is not cached goes through untouched, in both directions and unbuffered."""

import hashlib
import json
import threading

import pytest

from support import model as scripted
from support import wire
from support.requests import PATH, body
from support.sidecar import until

BIG = 100 << 20
PIECE = bytes(range(256)) * 4096


def test_get(refrain, model):
    model.script = lambda call, peer: peer.respond(200, b'{"object":"list","data":[]}', [("X-A", "1"), ("X-A", "2")])
    calls = len(model.calls)
    for _ in range(2):
        answer = refrain.get("/v1/models", [("Authorization", "Bearer k"), ("X-B", "ü".encode().decode("latin-1"))])
        assert (answer.status, answer.body) == (200, b'{"object":"list","data":[]}')
        assert answer.all("x-a") == ["1", "2"]
        assert (answer.outcome, answer.header("x-refrain-reason")) == ("bypass", "endpoint")
    assert len(model.calls) == calls + 2
    call = model.calls[-1]
    assert (call.method, call.target, call.body, call.header("authorization")) == ("GET", "/v1/models", b"", "Bearer k")
    assert call.header("x-b") == "ü".encode().decode("latin-1")
    assert call.header("content-length") is None and call.header("transfer-encoding") is None


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "OPTIONS", "POST"])
@pytest.mark.parametrize("content", [None, b"", b"some body"])
def test_methods(refrain, model, method, content):
    model.script = lambda call, peer: peer.respond(200, b"done", type="text/plain")
    answer = wire.request(refrain.port, method, "/v1/files/f-1", [("Content-Type", "x/y")], content)
    assert (answer.status, answer.body) == (200, b"done")
    call = model.calls[-1]
    assert (call.method, call.target, call.body) == (method, "/v1/files/f-1", content or b"")
    assert call.header("content-type") == "x/y"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_on_cached_paths(refrain, model, method):
    model.script = lambda call, peer: peer.respond(405, b"no")
    answer = refrain.get("/v1/chat/completions", method=method)
    assert (answer.status, answer.body, answer.outcome) == (405, b"no", "bypass")
    assert model.calls[-1].method == method


def test_head(refrain, model):
    model.script = lambda call, peer: peer.head(200, [("Content-Length", 12345), ("ETag", '"e"')])
    with wire.Connection(refrain.port) as connection:
        for _ in range(2):
            answer = connection.ask("HEAD", "/v1/files/1")
            assert (answer.status, answer.body, answer.header("etag")) == (200, b"", '"e"')
    assert model.calls[-1].method == "HEAD"


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_a_body(refrain, model, status):
    model.script = lambda call, peer: peer.head(status, [("ETag", '"e"')])
    with wire.Connection(refrain.port) as connection:
        for _ in range(2):
            answer = connection.ask("GET", "/v1/files/1", [("If-None-Match", '"e"')])
            assert (answer.status, answer.body, answer.header("etag")) == (status, b"", '"e"')
    assert model.calls[-1].header("if-none-match") == '"e"'


@pytest.mark.parametrize("target", [
    "/", "/v1/files?purpose=a%20b&x=%2F&y", "/v1//double", "/v1/a%2Fb", "/v1/a/../b", "/v1/./a", "/%7Euser;p=1",
    "/v1/chat/completions/", "/v1/Chat/Completions", "/v1/v1/models", "/a?b?c=d&&=", "/a?", "/*", "/v1/chat%2Fcompletions",
    "/v2/chat/completions", "/v1/chat/completions/chatcmpl-1", "/v1/threads/t/runs?order=asc&limit=2",
    "/v1beta/models/gemini:generateContent?key=a+b", "/healthz", "/metrics", "/api/purge"])
def test_odd_targets_arrive_as_they_were_written(refrain, model, target):
    model.script = lambda call, peer: peer.respond(200, call.target.encode(), type="text/plain")
    calls = len(model.calls)
    answer = refrain.get(target)
    assert (answer.status, answer.body.decode()) == (200, target)
    assert len(model.calls) == calls + 1


@pytest.mark.parametrize("base, target, arrives", [
    ("", "/v1/models", "/v1/models"), ("/v1", "/v1/models", "/v1/models"), ("/v1/", "/v1/models", "/v1/models"),
    ("/v1", "/models", "/v1/models")])
def test_upstream_url_with_and_without_version(start, model, base, target, arrives):
    model.script = lambda call, peer: peer.respond(200, b"{}")
    refrain = start(upstream={"url": f"http://127.0.0.1:{model.port}{base}"})
    assert refrain.get(target).status == 200
    assert model.calls[-1].target == arrives


def test_hop_by_hop_headers_of_the_request(refrain, model):
    model.script = lambda call, peer: peer.respond(200, b"{}")
    refrain.get("/v1/models", [
        ("Connection", "keep-alive, X-Mine"), ("X-Mine", "1"), ("Keep-Alive", "timeout=5"), ("TE", "trailers"),
        ("Proxy-Authorization", "Basic x"), ("Upgrade", "h2c"), ("X-Other", "2"), ("Accept-Encoding", "br")])
    sent = {name.lower(): value for name, value in model.calls[-1].headers}
    assert not sent.keys() & {"x-mine", "keep-alive", "te", "proxy-authorization", "upgrade"}
    assert (sent["x-other"], sent["accept-encoding"]) == ("2", "br")
    assert "expect" not in sent


def test_hop_by_hop_headers_of_the_answer(refrain, model):
    model.script = lambda call, peer: peer.respond(200, b"{}", [
        ("Connection", "keep-alive, X-Mine"), ("X-Mine", "1"), ("Keep-Alive", "timeout=5"), ("Upgrade", "h2c"),
        ("Proxy-Authenticate", "Basic"), ("Trailer", "X-T"), ("X-Other", "2"), ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2")])
    answer = refrain.get("/v1/models")
    names = {name.lower() for name, _ in answer.headers}
    assert not names & {"x-mine", "keep-alive", "upgrade", "proxy-authenticate", "trailer"}
    assert answer.header("x-other") == "2" and answer.all("set-cookie") == ["a=1", "b=2"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_passed_on(refrain, model, status):
    model.script = lambda call, peer: peer.respond(status, b"", [("Location", "http://elsewhere.invalid/x?y")])
    calls = len(model.calls)
    answer = refrain.get("/v1/files/1/content")
    assert (answer.status, answer.header("location")) == (status, "http://elsewhere.invalid/x?y")
    assert len(model.calls) == calls + 1


def test_redirect_of_a_cacheable_request_is_neither_followed_nor_kept(refrain, model, prompt):
    model.script = lambda call, peer: peer.respond(307, b"", [("Location", "/v1/elsewhere")])
    for _ in range(2):
        answer = refrain.post(PATH["chat"], body("chat", prompt))
        assert (answer.status, answer.header("location"), answer.outcome) == (307, "/v1/elsewhere", "miss")
    assert model.count(prompt) == 2


@pytest.mark.parametrize("coding", ["gzip", "br", "x-own"])
def test_coded_answers_pass_raw(refrain, model, coding):
    raw = b"\x1f\x8b\x00 these are not the bytes you think"
    model.script = lambda call, peer: peer.respond(200, raw, [("Content-Encoding", coding)])
    answer = refrain.get("/v1/files/1/content", [("Accept-Encoding", coding)])
    assert (answer.body, answer.header("content-encoding")) == (raw, coding)
    assert answer.header("content-length") == str(len(raw))


def settled_resident(refrain):
    assert refrain.get("/v1/models").status in (200, 404)
    return refrain.resident()


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_big_upload_is_streamed(refrain, model, chunked):
    """100 MB of multipart go up in pieces, and memory does not grow with them."""
    model.script = lambda call, peer: peer.respond(200, {"length": call.length, "sha256": call.sha256})
    resident, most = settled_resident(refrain), 0
    digest = hashlib.sha256()
    framing = ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(BIG))
    with wire.Connection(refrain.port) as connection:
        connection.send(wire.request_bytes(
            "POST", "/v1/files", [("Content-Type", "multipart/form-data; boundary=b"), framing], None))
        for _ in range(BIG // len(PIECE)):
            connection.send(b"%x\r\n%s\r\n" % (len(PIECE), PIECE) if chunked else PIECE)
            digest.update(PIECE)
            most = max(most, refrain.resident())
        if chunked:
            connection.send(b"0\r\n\r\n")
        answer = connection.response()
    assert answer.json() == {"length": BIG, "sha256": digest.hexdigest()}
    assert most - resident < 16 << 20


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_big_download_is_streamed(refrain, model, chunked):
    def script(call, peer):
        if chunked:
            peer.begin(type="application/octet-stream")
        else:
            peer.head(200, [("Content-Type", "application/octet-stream"), ("Content-Length", BIG)])
        for _ in range(BIG // len(PIECE)):
            (peer.chunk if chunked else peer.send)(PIECE)
        if chunked:
            peer.finish()

    model.script = lambda call, peer: peer.respond(200, b"{}")
    resident, most = settled_resident(refrain), 0
    model.script = script
    digest, count = hashlib.sha256(), 0
    with wire.Connection(refrain.port) as connection:
        connection.send(wire.request_bytes("GET", "/v1/files/1/content", [], None))
        response = connection.head()
        assert response.header("content-length") == (None if chunked else str(BIG))
        for piece in connection.pieces(response):
            digest.update(piece)
            count += len(piece)
            if count % (4 << 20) < 1 << 16:
                most = max(most, refrain.resident())
    expected = hashlib.sha256()
    for _ in range(BIG // len(PIECE)):
        expected.update(PIECE)
    assert (count, digest.hexdigest()) == (BIG, expected.hexdigest())
    assert most - resident < 16 << 20


def test_slow_reader_does_not_fill_memory(refrain, model):
    """The upstream is ahead of a reader that reads nothing by no more than a window."""
    sent = []

    def script(call, peer):
        peer.head(200, [("Content-Type", "application/octet-stream"), ("Content-Length", BIG)])
        for _ in range(BIG // len(PIECE)):
            peer.send(PIECE)
            sent.append(len(PIECE))

    model.script = lambda call, peer: peer.respond(200, b"{}")
    resident = settled_resident(refrain)
    model.script = script
    with wire.Connection(refrain.port) as connection:
        connection.send(wire.request_bytes("GET", "/v1/files/1/content", [], None))
        response = connection.head()
        still = [0, 0]

        def stands_still():
            still.append(sum(sent))
            return len(still) > 40 and len(set(still[-30:])) == 1

        until(stands_still, "the upstream to be held up")
        assert sum(sent) < BIG
        assert refrain.resident() - resident < 16 << 20
        assert sum(len(piece) for piece in connection.pieces(response)) == BIG


def test_upload_and_answer_at_once(refrain, model):
    """The upstream may answer before it has read the body."""
    calls = len(model.calls)
    model.script = lambda call, peer: peer.respond(200, {"length": call.length})
    with wire.Connection(refrain.port) as connection:
        connection.send(wire.request_bytes("POST", "/v1/audio", [("Content-Length", "10")], None))
        connection.send(b"01234")
        connection.send(b"56789")
        assert connection.response().json() == {"length": 10}
    assert len(model.calls) == calls + 1


def test_expect_100_continue(refrain, model):
    model.script = lambda call, peer: peer.respond(200, {"length": call.length})
    with wire.Connection(refrain.port) as connection:
        connection.send(wire.request_bytes(
            "POST", "/v1/files", [("Content-Length", "3"), ("Expect", "100-continue")], None))
        assert connection.line().startswith(b"HTTP/1.1 100") and connection.line() == b""
        connection.send(b"abc")
        assert connection.response().json() == {"length": 3}


@pytest.mark.parametrize("type", ["text/event-stream", "application/x-ndjson", "audio/mpeg"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_streams_on_other_paths_are_not_buffered(refrain, model, type, method):
    gate = threading.Event()

    def script(call, peer):
        peer.begin(type=type)
        peer.chunk("data: first\n\n")
        assert gate.wait(20)
        peer.chunk("data: second\n\n")
        peer.finish()

    model.script = script
    with wire.Connection(refrain.port) as connection:
        connection.send(wire.request_bytes(method, "/v1/threads/t/runs", [], b"{}" if method == "POST" else None))
        response = connection.head()
        pieces = connection.pieces(response)
        assert response.header("content-type") == type
        # The end is not there yet.
        assert next(pieces) == b"data: first\n\n"
        gate.set()
        assert b"".join(pieces) == b"data: second\n\n"


@pytest.mark.parametrize("dialect", ["chat", "responses", "messages", "completions"])
def test_cacheable_streams_are_not_buffered_either(refrain, model, prompt, dialect):
    gate = threading.Event()

    def script(call, peer):
        events = scripted.answer_to(call).stream
        peer.begin()
        peer.chunk(events[0])
        assert gate.wait(20)
        peer.chunk(b"".join(events[1:]))
        peer.finish()

    model.script = script
    content = json.dumps(body(dialect, prompt, stream=True)).encode()
    with wire.Connection(refrain.port) as connection:
        connection.send(wire.request_bytes("POST", PATH[dialect], [("Content-Type", "application/json")], content))
        pieces = connection.pieces(connection.head())
        assert next(pieces)
        gate.set()
        assert b"".join(pieces)


def test_client_leaves_a_passed_through_stream(refrain, model):
    left = threading.Event()

    def script(call, peer):
        peer.begin()
        peer.chunk("data: first\n\n")
        if peer.wait_for_close(20):
            left.set()
        peer.close()

    model.script = script
    with wire.Connection(refrain.port) as connection:
        connection.send(wire.request_bytes("GET", "/v1/events", [], None))
        next(connection.pieces(connection.head()))
    assert left.wait(20)


def test_http_1_0_client(refrain, model):
    """It knows neither chunks nor a connection that stays."""

    def script(call, peer):
        peer.begin()
        peer.chunk("data: a\n\n")
        peer.finish()

    model.script = script
    answer = wire.exchange(refrain.port, b"GET /v1/events HTTP/1.0\r\nHost: h\r\n\r\n")
    assert answer.header("transfer-encoding") is None
    assert answer.body == b"data: a\n\n"


def test_pipelined_requests_are_answered_in_order(refrain, model, prompt):
    content = json.dumps(body("chat", prompt)).encode()
    hit = refrain.post(PATH["chat"], body("chat", prompt))
    cached = wire.request_bytes("POST", PATH["chat"], [
        ("Content-Type", "application/json"), ("Authorization", "Bearer test-key")], content)
    model.script = lambda call, peer: peer.respond(200, call.target.encode(), type="text/plain")
    with wire.Connection(refrain.port) as connection:
        connection.send(b"".join([
            wire.request_bytes("GET", "/one", [], None), cached, wire.request_bytes("GET", "/two", [], None), cached]))
        answers = [connection.response() for _ in range(4)]
    assert [answer.body for answer in answers] == [b"/one", hit.body, b"/two", hit.body]


def test_kept_upstream_connection_that_died(refrain, model):
    """An idle connection that the upstream has closed meanwhile costs no request."""
    def script(call, peer):
        peer.respond(200, b"{}")
        peer.close()

    model.script = script
    for _ in range(20):
        assert refrain.get("/v1/models").status == 200


@pytest.mark.parametrize("how", ["reset", "close"])
def test_upstream_that_breaks_on_another_path(refrain, model, how):
    model.script = lambda call, peer: peer.reset() if how == "reset" else peer.close()
    answer = refrain.get("/v1/models")
    assert answer.status == 502 and answer.json()["error"]["code"] == "upstream-reset"
    assert (answer.outcome, answer.header("x-refrain-reason")) == ("bypass", "endpoint")


def test_upstream_that_breaks_inside_another_answer(refrain, model):
    def script(call, peer):
        peer.head(200, [("Content-Type", "text/plain"), ("Content-Length", 100)])
        peer.send(b"half")
        peer.close()

    model.script = script
    answer = refrain.get("/v1/files/1/content")
    assert answer.status == 200 and not answer.complete
