"""Upstreams that break, lie or hang: the client gets their own answer or one clear error, and nothing of it is kept."""

import json
import threading

import pytest

from support import model as scripted
from support import wire
from support.requests import PATH, STREAMING, body
from support.upstream import gzipped

CHAT = PATH["chat"]
FORMS = pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])


def ask(refrain, prompt, dialect="chat", **members):
    return refrain.post(PATH[dialect], body(dialect, prompt, **members))


def assert_not_kept(refrain, model, prompt, **members):
    """The next identical request is asked of the upstream, which is well again."""
    model.script = scripted.script
    answer = ask(refrain, prompt, **members)
    assert (answer.status, answer.outcome) == (200, "miss")
    assert answer.complete


def assert_error(answer, status, code, dialect="chat"):
    assert answer.status == status and answer.complete
    assert answer.header("content-type") == "application/json"
    error = answer.json()["error"]
    assert error["message"]
    if dialect == "messages":
        assert answer.json()["type"] == "error"
        assert error["type"] == {502: "api_error", 504: "timeout_error"}[status]
    else:
        assert (error["type"], error["code"]) == ("server_error", code)


def before_head(peer, how):
    {"reset": peer.reset, "close": peer.close, "half-head": lambda: half_head(peer)}[how]()


def half_head(peer):
    peer.send("HTTP/1.1 200 OK\r\nContent-Ty")
    peer.close()


@FORMS
@pytest.mark.parametrize("dialect", PATH)
@pytest.mark.parametrize("how", ["reset", "close", "half-head"])
def test_breaks_before_its_answer(refrain, model, prompt, dialect, how, is_stream):
    if is_stream and dialect == "embeddings":
        is_stream = False
    members = {"stream": True} if is_stream else {}
    model.script = lambda call, peer: before_head(peer, how)
    answer = ask(refrain, prompt, dialect, **members)
    assert answer.status == 502
    if dialect == "messages":
        assert_error(answer, 502, None, dialect)
    else:
        assert answer.json()["error"]["code"] in ("upstream-reset", "upstream-malformed")
    assert_not_kept(refrain, model, prompt, dialect=dialect, **members)


WHOLE = b'{"id":"x","object":"chat.completion","model":"m","created":1,"choices":[{"index":0,"finish_reason":"stop",' \
    b'"message":{"role":"assistant","content":"whole"}}]}'


def cut_whole(call, peer, reset):
    peer.head(200, [("Content-Type", "application/json"), ("Content-Length", len(WHOLE))])
    peer.send(WHOLE[:-20])
    peer.reset() if reset else peer.close()


@pytest.mark.parametrize("reset", [False, True])
def test_breaks_inside_a_whole_answer(refrain, model, prompt, reset):
    """A whole answer is held back until it is there, so that the client gets a clear error instead of half of it."""
    model.script = lambda call, peer: cut_whole(call, peer, reset)
    assert_error(ask(refrain, prompt), 502, "upstream-reset")
    assert_not_kept(refrain, model, prompt)


def test_content_length_too_long(refrain, model, prompt):
    def script(call, peer):
        peer.head(200, [("Content-Type", "application/json"), ("Content-Length", len(WHOLE) + 10)])
        peer.send(WHOLE)
        peer.close()

    model.script = script
    assert_error(ask(refrain, prompt), 502, "upstream-reset")
    assert_not_kept(refrain, model, prompt)


def test_content_length_too_short(refrain, model, prompt):
    """What follows the declared length is no part of the answer, nor of anybody else's."""

    def script(call, peer):
        peer.head(200, [("Content-Type", "application/json"), ("Content-Length", len(WHOLE) - 10)])
        peer.send(WHOLE + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        peer.close()

    model.script = script
    answer = ask(refrain, prompt)
    assert (answer.status, answer.body, answer.outcome) == (200, WHOLE[:-10], "miss")
    assert wire.cache_status(answer)["detail"] == "not-stored-malformed"
    assert_not_kept(refrain, model, prompt)


@pytest.mark.parametrize("dialect", STREAMING)
@pytest.mark.parametrize("how", ["half-event", "between-events", "no-end-of-chunks"])
def test_stream_breaks_off(refrain, model, prompt, dialect, how):
    def script(call, peer):
        events = scripted.answer_to(call).stream
        peer.begin()
        peer.chunk(b"".join(events[:3]))
        if how == "half-event":
            peer.chunk(events[3][:len(events[3]) // 2])
        if how == "no-end-of-chunks":
            peer.send(b"1000\r\ndata:")
        peer.close()

    model.script = script
    answer = ask(refrain, prompt, dialect, stream=True)
    assert answer.status == 200 and answer.outcome == "miss"
    # The client must see that the stream was cut, and not take it for a short one.
    assert not answer.complete
    assert_not_kept(refrain, model, prompt, dialect=dialect, stream=True)


@pytest.mark.parametrize("dialect", STREAMING)
def test_stream_ends_early_but_cleanly(refrain, model, prompt, dialect):
    """Well framed, without the last events: passed on, not kept."""

    def script(call, peer):
        peer.begin()
        for event in scripted.answer_to(call).stream[:4]:
            peer.chunk(event)
        peer.finish()

    model.script = script
    answer = ask(refrain, prompt, dialect, stream=True)
    assert answer.complete and len(wire.events(answer.body)) == 4
    assert_not_kept(refrain, model, prompt, dialect=dialect, stream=True)


@pytest.mark.parametrize("dialect", ["chat", "completions"])
def test_stream_without_done_is_complete(refrain, model, prompt, dialect):
    """Some servers send no `[DONE]`; every choice has its finish reason, so the answer is whole."""

    def script(call, peer):
        peer.begin()
        for event in scripted.answer_to(call).stream[:-1]:
            peer.chunk(event)
        peer.finish()

    model.script = script
    first = ask(refrain, prompt, dialect, stream=True)
    second = ask(refrain, prompt, dialect, stream=True)
    assert (first.outcome, second.outcome) == ("miss", "hit")
    assert [one for one in wire.events(first.body) if one != "[DONE]"] == [
        one for one in wire.events(second.body) if one != "[DONE]"]


ERROR_EVENTS = {
    "chat": b'data: {"error":{"message":"overloaded","type":"server_error","code":null}}\n\n',
    "completions": b'data: {"error":{"message":"overloaded","type":"server_error","code":null}}\n\n',
    "responses": b'event: error\ndata: {"type":"error","code":"server_error","message":"overloaded","param":null}\n\n',
    "messages": b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"x"}}\n\n',
}


@pytest.mark.parametrize("dialect", STREAMING)
@pytest.mark.parametrize("then_done", [False, True])
def test_stream_with_an_error_event(refrain, model, prompt, dialect, then_done):
    def script(call, peer):
        events = scripted.answer_to(call).stream
        peer.begin()
        peer.chunk(b"".join(events[:3]))
        peer.chunk(ERROR_EVENTS[dialect])
        if then_done:
            peer.chunk(events[-1])
        peer.finish()

    model.script = script
    answer = ask(refrain, prompt, dialect, stream=True)
    assert answer.status == 200 and ERROR_EVENTS[dialect] in answer.body
    assert_not_kept(refrain, model, prompt, dialect=dialect, stream=True)


@pytest.mark.parametrize("dialect", STREAMING)
def test_error_event_with_http_200_and_nothing_else(refrain, model, prompt, dialect):
    def script(call, peer):
        peer.begin()
        peer.chunk(ERROR_EVENTS[dialect])
        peer.finish()

    model.script = script
    assert ERROR_EVENTS[dialect] in ask(refrain, prompt, dialect, stream=True).body
    assert_not_kept(refrain, model, prompt, dialect=dialect, stream=True)


@pytest.mark.parametrize("document", [
    b'{"error":{"message":"quota","type":"x"}}', b"{}", b"[]", b"null", b"", b"<html>busy</html>", WHOLE[:-1],
    WHOLE + b"x", WHOLE.replace(b'"stop"', b"null"), WHOLE.replace(b"[{", b"[").replace(b"}]", b"]"),
    b'{"choices":[]}', WHOLE.replace(b"whole", b"\xff")],
    ids=["error", "empty-object", "array", "null", "nothing", "html", "truncated", "trailing", "unfinished", "damaged",
         "no-choices", "invalid-utf8"])
def test_http_200_that_is_no_answer(refrain, model, prompt, document):
    model.script = lambda call, peer: peer.respond(200, document)
    answer = ask(refrain, prompt)
    assert (answer.status, answer.body, answer.outcome) == (200, document, "miss")
    assert "stored" not in wire.cache_status(answer)
    assert_not_kept(refrain, model, prompt)


@FORMS
@pytest.mark.parametrize("finish", ["content_filter", "insufficient_system_resource", "error"])
def test_finish_reasons_that_are_no_complete_answer(refrain, model, prompt, finish, is_stream):
    members = {"x_finish": finish} | ({"stream": True} if is_stream else {})
    first = ask(refrain, prompt, **members)
    assert first.status == 200 and finish.encode() in first.body
    assert ask(refrain, prompt, **members).outcome == "miss"
    assert model.count(prompt) == 2


@FORMS
@pytest.mark.parametrize("finish", ["stop", "length", "tool_calls", "function_call"])
def test_finish_reasons_that_are(refrain, model, prompt, finish, is_stream):
    members = {"x_finish": finish} | ({"stream": True} if is_stream else {})
    assert [ask(refrain, prompt, **members).outcome for _ in range(2)] == ["miss", "hit"]


@FORMS
@pytest.mark.parametrize("dialect", PATH)
@pytest.mark.parametrize("status", [400, 401, 404, 422, 429, 500, 503, 529])
def test_errors_of_the_upstream_pass_untouched(refrain, model, prompt, dialect, status, is_stream):
    members = {"stream": True} if is_stream and dialect != "embeddings" else {}
    document = b'{ "error" : {"message":"the upstream\'s own words", "extra":[1]} }'
    # A wait that is asked for would be kept to.
    lines = [("Retry-After", "0"), ("x-ratelimit-remaining-tokens", "0"), ("X-Odd", "a, b")]
    model.script = lambda call, peer: peer.respond(status, document, lines, type="application/problem+json")
    for _ in range(2):
        answer = ask(refrain, prompt, dialect, **members)
        assert (answer.status, answer.body, answer.outcome) == (status, document, "miss")
        assert answer.header("content-type") == "application/problem+json"
        for name, value in lines:
            assert answer.header(name) == value
        assert wire.cache_status(answer)["fwd-status"] == status
    assert model.count(prompt) == 2
    assert_not_kept(refrain, model, prompt, dialect=dialect, **members)


def test_error_that_is_not_json(refrain, model, prompt):
    model.script = lambda call, peer: peer.respond(503, b"<h1>busy</h1>", type="text/html")
    answer = ask(refrain, prompt)
    assert (answer.status, answer.body, answer.header("content-type")) == (503, b"<h1>busy</h1>", "text/html")


@FORMS
def test_gzip_answers_are_decoded_and_kept(refrain, model, prompt, is_stream):
    """Unasked for: the client said nothing of gzip."""

    def script(call, peer):
        answer = scripted.answer_to(call)
        plain = b"".join(answer.stream) if is_stream else scripted.dumps(answer.whole).encode()
        script.plain = plain
        peer.respond(200, gzipped(plain), [("Content-Encoding", "gzip")],
                     type="text/event-stream" if is_stream else "application/json")

    model.script = script
    members = {"stream": True} if is_stream else {}
    first, second = ask(refrain, prompt, **members), ask(refrain, prompt, **members)
    assert (first.outcome, second.outcome) == ("miss", "hit")
    for answer in (first, second):
        assert answer.header("content-encoding") is None
        assert wire.events(answer.body) if is_stream else answer.json()
    assert first.body == second.body
    if not is_stream:
        assert first.body == script.plain


def test_a_client_that_takes_gzip_shares_with_one_that_does_not(refrain, model, prompt):
    def script(call, peer):
        document = scripted.dumps(scripted.answer_to(call).whole).encode()
        if "gzip" in (call.header("accept-encoding") or ""):
            peer.respond(200, gzipped(document), [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")])
        else:
            peer.respond(200, document)

    model.script = script
    first = refrain.post(CHAT, body("chat", prompt), [("Accept-Encoding", "gzip, br")])
    second = refrain.post(CHAT, body("chat", prompt), [("Accept-Encoding", "identity")])
    assert (first.outcome, second.outcome) == ("miss", "hit")
    assert first.json() == second.json() and second.header("content-encoding") is None


def test_broken_gzip(refrain, model, prompt):
    model.script = lambda call, peer: peer.respond(200, gzipped(WHOLE)[:-12] + b"x" * 12, [("Content-Encoding", "gzip")])
    answer = ask(refrain, prompt)
    assert answer.status == 502 or answer.body != WHOLE
    assert_not_kept(refrain, model, prompt)


def test_gzip_bomb(refrain, model, prompt):
    """A thousandfold: memory stays bounded by the limits, not by what the upstream packs."""
    bomb = gzipped(b" " * (256 << 20))
    resident = refrain.resident()
    model.script = lambda call, peer: peer.respond(200, bomb, [("Content-Encoding", "gzip")])
    with wire.Connection(refrain.port) as connection:
        connection.send(wire.request_bytes("POST", CHAT, [("Content-Type", "application/json")],
                                           json.dumps(body("chat", prompt)).encode()))
        response, count = connection.head(), 0
        try:
            for piece in connection.pieces(response):
                count += len(piece)
        except (wire.Truncated, ConnectionResetError):
            pass
    assert refrain.resident() - resident < 160 << 20
    assert_not_kept(refrain, model, prompt)


def test_unknown_coding_is_passed_on_and_not_kept(refrain, model, prompt):
    model.script = lambda call, peer: peer.respond(200, b"\x01\x02\x03", [("Content-Encoding", "x-own")])
    answer = ask(refrain, prompt)
    assert answer.status == 502 or (answer.body, answer.header("content-encoding")) == (b"\x01\x02\x03", "x-own")
    assert_not_kept(refrain, model, prompt)


@pytest.mark.parametrize("garbage", [
    b"\x00\x01\x02\x03" * 100 + b"\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 abc\r\n\r\n", b"<html>hello</html>",
    b"HTTP/1.1 200 OK\r\nno colon here\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", b"HTTP/1.1 99 Low\r\n\r\n"],
    ids=range(9))
@FORMS
def test_garbage(refrain, model, prompt, garbage, is_stream):
    def script(call, peer):
        peer.send(garbage)
        peer.close()

    model.script = script
    members = {"stream": True} if is_stream else {}
    answer = ask(refrain, prompt, **members)
    if answer.status == 200:
        # Read leniently, as a browser would: still the upstream's own words.
        assert answer.body in (b"{}", b"")
    else:
        assert answer.status == 502 and answer.json()["error"]["code"].startswith("upstream-")
    assert_not_kept(refrain, model, prompt, **members)


def test_response_headers_of_common_size(refrain, model, prompt):
    """Beside a request whose own head is as large as may be: both are held in one connection's memory."""
    lines = [(f"X-Line-{index}", "a" * 100) for index in range(40)] + [("Content-Security-Policy", "b" * 6000)]
    model.script = lambda call, peer: peer.respond(200, WHOLE, lines)
    answer = refrain.post(CHAT, body("chat", prompt), [("Cookie", "c" * 7_800)])
    assert (answer.status, answer.body) == (200, WHOLE)
    assert all(answer.header(name) == value for name, value in lines)


@pytest.mark.parametrize("lines", [
    [("X-Big", "a" * 20_000)], [("X-Big", "a" * 400_000)], [(f"X-{index}", "a") for index in range(100_000)]],
    ids=["large", "huge", "many"])
def test_response_header_flood(refrain, model, prompt, lines):
    model.script = lambda call, peer: peer.respond(200, WHOLE, lines)
    answer = ask(refrain, prompt)
    assert answer.status == 502 and answer.json()["error"]["code"].startswith("upstream-")
    assert_not_kept(refrain, model, prompt)


@pytest.mark.parametrize("dialect", PATH)
def test_hangs_before_its_answer(start, model, prompt, dialect):
    refrain = start(upstream={"firstByteTimeout": "200ms"})
    left = threading.Event()

    def script(call, peer):
        if peer.wait_for_close():
            left.set()
        peer.close()

    model.script = script
    assert_error(ask(refrain, prompt, dialect), 504, "upstream-timeout", dialect)
    assert left.wait(20)
    assert refrain.metrics().sum("refrain_upstream_requests_total", result="timeout") == 1
    assert_not_kept(refrain, model, prompt, dialect=dialect)


@FORMS
def test_hangs_inside_its_answer(start, model, prompt, is_stream):
    refrain = start(upstream={"idleTimeout": "300ms"})

    def script(call, peer):
        if is_stream:
            peer.begin()
            peer.chunk(scripted.answer_to(call).stream[0])
        else:
            peer.head(200, [("Content-Type", "application/json"), ("Content-Length", len(WHOLE))])
            peer.send(WHOLE[:10])
        peer.wait_for_close()
        peer.close()

    model.script = script
    members = {"stream": True} if is_stream else {}
    answer = ask(refrain, prompt, **members)
    if is_stream:
        assert answer.status == 200 and not answer.complete
    else:
        assert_error(answer, 504, "upstream-timeout")
    assert_not_kept(refrain, model, prompt, **members)


def test_takes_too_long_altogether(start, model, prompt):
    """Never silent for long, and never done."""
    refrain = start(upstream={"totalTimeout": "700ms"})

    def script(call, peer):
        peer.begin()
        while True:
            peer.chunk(": keep-alive\n\n")
            if peer.wait_for_close(0.02):
                return peer.close()

    model.script = script
    answer = ask(refrain, prompt, stream=True)
    assert not answer.complete and b"keep-alive" in answer.body
    assert_not_kept(refrain, model, prompt, stream=True)


@pytest.mark.parametrize("dialect", STREAMING)
def test_keep_alive_comments_pass_live_and_are_not_kept(refrain, model, prompt, dialect):
    gate = threading.Event()

    def script(call, peer):
        peer.begin()
        peer.chunk(": keep-alive\n\n")
        assert gate.wait(20)
        for event in scripted.answer_to(call).stream:
            peer.chunk(event)
            peer.chunk(": keep-alive\n\n")
        peer.finish()

    model.script = script
    request = json.dumps(body(dialect, prompt, stream=True)).encode()
    with wire.Connection(refrain.port) as connection:
        connection.send(wire.request_bytes(
            "POST", PATH[dialect], [("Content-Type", "application/json"), ("Authorization", "Bearer test-key")], request))
        response = connection.head()
        pieces = connection.pieces(response)
        # Before the model has said a word.
        first = next(pieces)
        assert first.startswith(b": keep-alive")
        gate.set()
        live = first + b"".join(pieces)
    hit = ask(refrain, prompt, dialect, stream=True)
    assert hit.outcome == "hit"
    assert live.count(b": keep-alive") > 3 and b"keep-alive" not in hit.body
    assert wire.events(hit.body) == [one for one in wire.events(live) if one == "[DONE]" or one.get("type") != "ping"]


def test_blank_lines_before_a_whole_answer_pass_live_and_are_not_kept(refrain, model, prompt):
    gate = threading.Event()

    def script(call, peer):
        document = scripted.dumps(scripted.answer_to(call).whole).encode()
        peer.begin(type="application/json")
        peer.chunk("\n\n")
        assert gate.wait(20)
        peer.chunk("\n")
        peer.chunk(document)
        peer.finish()

    model.script = script
    request = json.dumps(body("chat", prompt)).encode()
    with wire.Connection(refrain.port) as connection:
        connection.send(wire.request_bytes(
            "POST", CHAT, [("Content-Type", "application/json"), ("Authorization", "Bearer test-key")], request))
        response = connection.head()
        pieces = connection.pieces(response)
        assert next(pieces).strip() == b""
        gate.set()
        live = b"".join(pieces)
    hit = ask(refrain, prompt)
    assert hit.outcome == "hit"
    assert json.loads(live) == hit.json() and not hit.body[:1].isspace()


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_streams_in_any_pieces_and_line_ends(refrain, model, prompt, ending, size):
    def script(call, peer):
        wire_form = b"".join(scripted.answer_to(call).stream).replace(b"\n", ending.encode())
        peer.begin()
        for start in range(0, len(wire_form), size):
            peer.chunk(wire_form[start:start + size])
        peer.finish()

    model.script = script
    first = ask(refrain, prompt, stream=True)
    second = ask(refrain, prompt, stream=True)
    assert (first.outcome, second.outcome) == ("miss", "hit")
    assert wire.events(second.body)[-1] == "[DONE]" and len(wire.events(second.body)) > 5


def test_whole_answer_where_a_stream_was_asked(refrain, model, prompt):
    """Some servers ignore `stream`: their answer is passed on as it is."""
    model.script = lambda call, peer: peer.respond(200, WHOLE)
    answer = ask(refrain, prompt, stream=True)
    assert (answer.status, answer.body) == (200, WHOLE)
    assert answer.header("content-type").startswith("application/json")


def test_answer_beyond_the_limit_is_streamed_and_not_kept(start, model, prompt):
    refrain = start({"cache.maxAnswer": "64KiB"})
    big = WHOLE.replace(b"whole", b"w" * 300_000)
    model.script = lambda call, peer: peer.respond(200, big)
    for _ in range(2):
        answer = ask(refrain, prompt)
        assert (answer.status, answer.body, answer.outcome) == (200, big, "miss")
    assert refrain.metrics().sum("refrain_not_stored_total", reason="too-large") == 2


@pytest.mark.parametrize("url, code", [
    ("http://127.0.0.1:1", "upstream-connect"), ("http://no-such-host.invalid", "upstream-resolve")])
@pytest.mark.parametrize("dialect", ["chat", "messages"])
def test_upstream_that_is_not_there(start, prompt, url, code, dialect):
    refrain = start(upstream={"url": url, "connectTimeout": "5s"})
    answer = ask(refrain, prompt, dialect)
    assert_error(answer, 502, code, dialect)
    assert refrain.get("/v1/models").status == 502


def test_tls_upstream_that_does_not_speak_tls(start, upstream, prompt):
    deaf = upstream(lambda call, peer: peer.close())
    deaf.answers_before_reading = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    refrain = start(upstream={"url": f"https://127.0.0.1:{deaf.port}"})
    assert_error(ask(refrain, prompt), 502, "upstream-tls")


@pytest.mark.parametrize("line", ["Content-Length: 12345", "Transfer-Encoding: chunked"])
def test_head_tells_the_length_of_a_body_that_does_not_come(start, upstream, line):
    def script(call, peer):
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n%s\r\n\r\n" % line.encode())

    refrain = start(port=upstream(script).port)
    with wire.Connection(refrain.port) as connection:
        for _ in range(2):
            answer = connection.ask("HEAD", "/v1/files/one/content")
            assert (answer.status, answer.body) == (200, b"")
            if line.startswith("Content-Length"):
                assert answer.header("content-length") == "12345"
            assert answer.header("transfer-encoding") is None
