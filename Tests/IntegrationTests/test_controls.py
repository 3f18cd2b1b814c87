"""What a request may ask of the cache, and what the answer says about it."""

import pytest
from conftest import launch, retire

from support import model as scripted
from support import wire
from support.requests import PATH, STREAMING, body
from support.sidecar import until

CHAT = PATH["chat"]


def ask(refrain, prompt, *headers, dialect="chat", **members):
    return refrain.post(PATH[dialect], body(dialect, prompt, **members), list(headers))


def test_no_cache_refreshes(refrain, model, prompt):
    first = ask(refrain, prompt)
    fresh = ask(refrain, prompt, ("Cache-Control", "no-cache"))
    third = ask(refrain, prompt)
    assert [first.outcome, fresh.outcome, third.outcome] == ["miss", "miss", "hit"]
    assert wire.cache_status(fresh)["fwd"] == "request"
    assert fresh.body != first.body and third.body == fresh.body
    assert model.count(prompt) == 2


def test_no_store_neither_reads_nor_keeps(refrain, model, prompt):
    for _ in range(2):
        answer = ask(refrain, prompt, ("Cache-Control", "no-store"))
        assert (answer.outcome, answer.header("x-refrain-reason")) == ("bypass", "no-store")
        assert wire.cache_status(answer)["fwd"] == "bypass"
    assert ask(refrain, prompt).outcome == "miss"
    assert ask(refrain, prompt, ("Cache-Control", "no-store")).outcome == "bypass"
    assert model.count(prompt) == 4


def test_max_age(refrain, model, prompt):
    first = ask(refrain, prompt)
    assert ask(refrain, prompt, ("Cache-Control", "max-age=3600")).outcome == "hit"
    until(lambda: int(ask(refrain, prompt).header("age")) >= 1, "the answer to age")
    fresh = ask(refrain, prompt, ("Cache-Control", "max-age=0"))
    assert fresh.outcome == "miss" and fresh.body != first.body
    assert ask(refrain, prompt).body == fresh.body


@pytest.mark.parametrize("dialect", PATH)
def test_only_if_cached(refrain, model, prompt, dialect):
    line = ("Cache-Control", "only-if-cached")
    refused = ask(refrain, prompt, line, dialect=dialect)
    assert refused.status == 504
    assert_error(refused, dialect, "only-if-cached")
    assert model.count(prompt) == 0
    ask(refrain, prompt, dialect=dialect)
    assert ask(refrain, prompt, line, dialect=dialect).outcome == "hit"
    assert model.count(prompt) == 1


@pytest.mark.parametrize("content", [b"{", b'{"messages":[]}'])
def test_only_if_cached_holds_for_what_cannot_be_cached(refrain, content):
    calls = refrain.metrics().sum("refrain_upstream_duration_seconds_count")
    refused = refrain.post(CHAT, content, [("Cache-Control", "only-if-cached")])
    assert (refused.status, refused.outcome) == (504, "bypass")
    assert_error(refused, "chat", "only-if-cached")
    assert refrain.metrics().sum("refrain_upstream_duration_seconds_count") == calls


def assert_error(answer, dialect, code):
    """One clear JSON error in the shape of the dialect."""
    assert answer.header("content-type") == "application/json"
    document = answer.json()
    if dialect == "messages":
        assert document["type"] == "error"
        assert set(document["error"]) >= {"type", "message"}
    else:
        assert document["error"]["code"] == code
        assert set(document["error"]) >= {"type", "message", "param", "code"}
    assert document["error"]["message"]


def test_ttl_expires(refrain, model, prompt):
    first = ask(refrain, prompt, ("x-refrain-ttl", "1"))
    hit = ask(refrain, prompt)
    assert hit.outcome == "hit" and 0 <= wire.cache_status(hit)["ttl"] <= 1
    again = until(
        lambda: (answer := ask(refrain, prompt)).outcome == "miss" and answer, "the answer to expire")
    assert again.body != first.body


@pytest.mark.parametrize("value, seconds", [("90s", 90), ("10m", 600), ("2h", 7200), ("7d", 7 * 86400), ("45", 45)])
def test_ttl_units(refrain, prompt, value, seconds):
    ask(refrain, prompt, ("x-refrain-ttl", value))
    assert seconds - 30 <= wire.cache_status(ask(refrain, prompt))["ttl"] <= seconds


def test_ttl_zero_is_not_kept(refrain, model, prompt):
    assert ask(refrain, prompt, ("x-refrain-ttl", "0")).outcome == "miss"
    assert ask(refrain, prompt).outcome == "miss"


@pytest.mark.parametrize("status", [500, 502, 503, 529, 429])
def test_stale_if_error(refrain, model, prompt, status):
    first = ask(refrain, prompt, ("x-refrain-ttl", "1"))
    model.script = lambda call, peer: peer.respond(status, {"error": {"message": "down"}})
    stale = until(lambda: (a := ask(refrain, prompt)).outcome != "hit" and a, "the answer to expire")
    assert (stale.status, stale.outcome, stale.body) == (200, "stale", first.body)
    assert stale.header("x-refrain-tier") == "memory"
    status_line = wire.cache_status(stale)
    assert status_line["ttl"] <= 0 and "hit" in status_line and "fwd" not in status_line
    refused = ask(refrain, prompt, ("Cache-Control", "stale-if-error=0"))
    assert (refused.status, refused.outcome) == (status, "miss")
    assert ask(refrain, prompt, ("Cache-Control", "stale-if-error=600")).outcome == "stale"


@pytest.mark.parametrize("fault", ["reset", "close", "hang"])
def test_stale_if_the_upstream_breaks(start, model, prompt, fault):
    refrain = start({"cache.staleWhileRevalidate": "0s"}, {"firstByteTimeout": "500ms"})
    ask(refrain, prompt, ("x-refrain-ttl", "1"))
    model.script = lambda call, peer: {"reset": peer.reset, "close": peer.close, "hang": peer.wait_for_close}[fault]()
    stale = until(lambda: (a := ask(refrain, prompt)).outcome != "hit" and a, "the answer to expire")
    assert (stale.status, stale.outcome) == (200, "stale")


def test_an_error_of_the_client_is_not_replaced_by_a_stale_answer(refrain, model, prompt):
    ask(refrain, prompt, ("x-refrain-ttl", "1"))
    model.script = lambda call, peer: peer.respond(401, {"error": {"message": "no such key"}})
    answer = until(lambda: (a := ask(refrain, prompt)).outcome != "hit" and a, "the answer to expire")
    assert (answer.status, answer.outcome) == (401, "miss")


@pytest.mark.parametrize("line", [
    ("Cache-Control", "max-age=abc"), ("Cache-Control", "max-age"), ("Cache-Control", "max-age=-1"),
    ("Cache-Control", "max-age=1.5"), ("Cache-Control", "stale-if-error="), ("x-refrain-ttl", "soon"),
    ("x-refrain-ttl", "-5"), ("x-refrain-ttl", ""), ("x-refrain-semantic", "maybe"), ("x-refrain-priority", "3"),
    ("x-refrain-priority", "high"), ("x-refrain-namespace", "n" * 1025)], ids=lambda line: "-".join(line)[:40])
def test_bad_controls_bypass(refrain, model, prompt, line):
    answer = ask(refrain, prompt, line)
    assert (answer.status, answer.outcome, answer.header("x-refrain-reason")) == (200, "bypass", "bad-control")
    assert ask(refrain, prompt).outcome == "miss"


@pytest.mark.parametrize("line", ["max-stale=5", "private", "no-transform, public", "", "max-age=99999999999999", ", ,"])
def test_unknown_directives_are_ignored(refrain, prompt, line):
    ask(refrain, prompt)
    assert ask(refrain, prompt, ("Cache-Control", line)).outcome == "hit"


@pytest.mark.parametrize("is_stream", [False, True])
def test_headers_of_ours_never_reach_the_upstream(refrain, model, prompt, is_stream):
    lines = [
        ("x-refrain-ttl", "60"), ("X-Refrain-Namespace", "n"), ("x-refrain-tags", "a, b"), ("x-refrain-semantic", "off"),
        ("x-refrain-priority", "0"), ("x-refrain-whatever", "1"), ("X-Mine", "kept"), ("Cache-Control", "max-age=9")]
    ask(refrain, prompt, *lines, stream=is_stream)
    sent = {name.lower(): value for name, value in model.last(prompt).headers}
    assert not [name for name in sent if name.startswith("x-refrain")]
    assert "cache-control" not in sent
    assert (sent["x-mine"], sent["authorization"]) == ("kept", "Bearer test-key")
    assert sent["host"] == f"127.0.0.1:{model.port}"


def test_headers_of_ours_from_the_upstream_are_not_believed(refrain, model, prompt):
    model.script = lambda call, peer: peer.respond(
        200, model_answer(call), [("x-refrain-cache", "hit"), ("X-Refrain-Tier", "moon"), ("Cache-Status", "cdn; hit"),
                                  ("Age", "7")])
    answer = ask(refrain, prompt)
    assert answer.outcome == "miss" and answer.header("x-refrain-tier") is None
    # RFC 9211: the caches on the way, nearest to the origin first.
    assert [name for name, _ in wire.structured_list(", ".join(answer.all("cache-status")))] == ["cdn", "refrain"]


def model_answer(call):
    return scripted.answer_to(call).whole


def test_upstream_no_store_is_honoured(refrain, model, prompt, start):
    model.script = lambda call, peer: peer.respond(200, model_answer(call), [("Cache-Control", "private, no-store")])
    assert [ask(refrain, prompt).outcome for _ in range(2)] == ["miss", "miss"]
    careless = start({"cache.honorNoStore": False})
    assert [ask(careless, prompt).outcome for _ in range(2)] == ["miss", "hit"]


DEEP = b'{"model":"m","messages":' + b"[" * 100 + b"]" * 100 + b"}"

# Each reason for passing a request on, and a request that gives it.
BYPASSES = {
    "no-store": lambda p: ([("Cache-Control", "no-store")], body("chat", p)),
    "content-type": lambda p: ([("Content-Type", "text/plain")], body("chat", p)),
    "content-encoding": lambda p: ([("Content-Encoding", "gzip")], body("chat", p)),
    "not-json": lambda p: ([], p.encode()),
    "duplicate-member": lambda p: ([], b'{"model":"a","model":"b","messages":["%s"]}' % p.encode()),
    "invalid-unicode": lambda p: ([], b'{"model":"a","messages":["\xff%s"]}' % p.encode()),
    "too-deep": lambda p: ([], DEEP),
    "request-too-large": lambda p: ([], body("chat", p + "x" * 70_000)),
    "unusable-field": lambda p: ([], {"messages": [p]}),
    "bad-control": lambda p: ([("x-refrain-ttl", "x")], body("chat", p)),
    "duplicate-header": lambda p: ([("x-api-key", "a"), ("x-api-key", "b")], body("chat", p)),
    "connection-option": lambda p: ([("Connection", "keep-alive, anthropic-beta")], body("chat", p)),
}


@pytest.fixture(scope="module")
def small(session_model):
    sidecar = launch(session_model.port, {"cache.maxRequest": "64KiB"})
    yield sidecar
    retire(sidecar)


def assert_bypass(refrain, answer, reason, endpoint, before, mark):
    assert (answer.outcome, answer.header("x-refrain-reason")) == ("bypass", reason)
    status = wire.cache_status(answer)
    assert (status["fwd"], status["detail"]) == ("bypass", reason)
    assert "stored" not in status
    line = until(lambda: refrain.request_lines(mark), "the log line")[-1]
    assert (line["endpoint"], line["outcome"], line["reason"]) == (endpoint, "bypass", reason)
    after = refrain.metrics()
    assert after.sum("refrain_bypass_total", reason=reason) - before.sum("refrain_bypass_total", reason=reason) == 1
    assert after.sum("refrain_requests_total", outcome="bypass") - before.sum(
        "refrain_requests_total", outcome="bypass") == 1
    assert after.sum("refrain_entries") == before.sum("refrain_entries")


@pytest.mark.parametrize("reason", BYPASSES)
def test_bypass_reason_is_shown_everywhere(small, model, prompt, reason):
    headers, request = BYPASSES[reason](prompt)
    before, mark = small.metrics(), small.log_size()
    assert_bypass(small, small.post(CHAT, request, headers), reason, "chat", before, mark)


@pytest.mark.parametrize("members", [{"background": True}, {"conversation": "conv_1"}])
def test_stateful_responses_bypass(refrain, model, prompt, members):
    before, mark = refrain.metrics(), refrain.log_size()
    answer = ask(refrain, prompt, dialect="responses", **members)
    assert_bypass(refrain, answer, "stateful", "responses", before, mark)


def test_other_endpoints_bypass(refrain, model, prompt):
    before, mark = refrain.metrics(), refrain.log_size()
    assert_bypass(refrain, refrain.get("/v1/models"), "endpoint", "other", before, mark)


def test_disabled_cache_bypasses(start, model, prompt):
    refrain = start({"cache.enabled": False})
    before, mark = refrain.metrics(), refrain.log_size()
    assert_bypass(refrain, ask(refrain, prompt), "disabled", "chat", before, mark)


@pytest.mark.parametrize("dialect", STREAMING)
def test_streams_bypass_live_too(refrain, model, prompt, dialect):
    answers = [ask(refrain, prompt, ("Cache-Control", "no-store"), dialect=dialect, stream=True) for _ in range(2)]
    assert [answer.outcome for answer in answers] == ["bypass", "bypass"]
    assert all(answer.complete and wire.events(answer.body) for answer in answers)
