"""Several upstreams, and what becomes of requests when they fail, refuse, or have no room."""

import concurrent.futures
import json
import socket
import threading
import time

import pytest

from support import model as scripted
from support.requests import PATH, body, headers
from support.sidecar import until

FORMS = pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])
CHAT = PATH["chat"]


def fleet(*servers, **common):
    """Settings of upstreams called one, two, three; each a server, or one with members of its own."""
    rows = []
    for name, server in zip(["one", "two", "three"], servers):
        server, members = server if isinstance(server, tuple) else (server, {})
        rows.append({"name": name, "url": f"http://127.0.0.1:{getattr(server, 'port', server)}"} | common | members)
    return rows


def ask(refrain, prompt, dialect="chat", key="test-key", extra=(), **members):
    return refrain.post(PATH[dialect], body(dialect, prompt, **members), [*headers(dialect, key), *extra])


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Gate:
    """A model that holds every call until it is opened."""

    def __init__(self):
        self.opened = threading.Event()

    def __call__(self, call, peer):
        self.opened.wait(30)
        scripted.script(call, peer)


@pytest.fixture
def gated(upstream):
    """A scripted upstream whose calls wait for `gate`, which is opened at the end."""
    gates = []

    def make():
        gate = Gate()
        gates.append(gate)
        server = upstream(gate)
        server.gate = gate
        return server

    yield make
    for gate in gates:
        gate.opened.set()


@pytest.fixture
def crowd():
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        yield pool


def garbage(call, peer):
    peer.send(b"HTTP/1.1 2x0 What\r\n\r\n")
    peer.close()


def silence(call, peer):
    peer.wait_for_close(10)
    peer.close()


TROUBLES = {
    "reset": lambda call, peer: peer.reset(),
    "close": lambda call, peer: peer.close(),
    "garbage": garbage,
    "silence": silence,
    "429": lambda call, peer: peer.respond(429, {"error": {"message": "slower"}}, [("Retry-After", "1")]),
    "500": lambda call, peer: peer.respond(500, {"error": {"message": "oops"}}),
    "503": lambda call, peer: peer.respond(503, {"error": {"message": "busy"}}),
    "529": lambda call, peer: peer.respond(529, {"error": {"message": "busy"}}),
}


# Failover


@FORMS
@pytest.mark.parametrize("trouble", [*TROUBLES, "refused"])
def test_the_next_upstream_answers(start, upstream, prompt, trouble, is_stream):
    bad = upstream(TROUBLES.get(trouble))
    good = upstream(scripted.script)
    first = closed_port() if trouble == "refused" else bad
    refrain = start({"upstreams": fleet((first, {"weight": 1000}), good, firstByteTimeout="400ms")})
    members = {"stream": True} if is_stream else {}
    answer = ask(refrain, prompt, **members)
    assert (answer.status, answer.outcome, answer.header("x-refrain-upstream")) == (200, "miss", "two")
    assert answer.complete
    assert (bad.count(), good.count()) == (0 if trouble == "refused" else 1, 1)
    again = ask(refrain, prompt, **members)
    assert (again.status, again.outcome, again.header("x-refrain-upstream")) == (200, "hit", None)
    metrics = refrain.metrics()
    assert metrics.sum("refrain_retries_total") == 1
    assert metrics.sum("refrain_upstream_requests_total", upstream="two", result="ok") == 1
    assert metrics.sum("refrain_upstream_requests_total", upstream="one") == 1


@FORMS
def test_never_after_the_first_byte(start, upstream, prompt, is_stream):
    def breaks(call, peer):
        answer = scripted.answer_to(call)
        if is_stream:
            peer.begin()
            peer.chunk(b"".join(answer.stream[:2]))
        else:
            content = scripted.dumps(answer.whole).encode()
            peer.head(200, [("Content-Type", "application/json"), ("Content-Length", len(content))])
            peer.send(content[:20])
        peer.reset()

    bad, good = upstream(breaks), upstream(scripted.script)
    refrain = start({"upstreams": fleet((bad, {"weight": 1000}), good)})
    answer = ask(refrain, prompt, **({"stream": True} if is_stream else {}))
    assert not answer.complete if is_stream else answer.status == 502
    assert (bad.count(), good.count()) == (1, 0)


def test_an_upload_is_not_sent_twice(start, upstream, prompt):
    bad, good = upstream(lambda call, peer: peer.reset()), upstream(scripted.script)
    refrain = start({"upstreams": fleet((bad, {"weight": 1000}), good)})
    answer = refrain.post("/v1/files", b"x" * (2 << 20), [("Content-Type", "application/octet-stream")])
    assert answer.status == 502
    assert (bad.count(), good.count()) == (1, 0)


def test_passed_on_requests_find_the_next_one_too(start, upstream):
    good = upstream(lambda call, peer: peer.respond(200, {"data": []}))
    refrain = start({"upstreams": fleet((closed_port(), {"weight": 1000}), good)})
    answer = refrain.get("/v1/models")
    assert (answer.status, answer.outcome, answer.header("x-refrain-upstream")) == (200, "bypass", "two")


def test_no_upstream_is_left(start, upstream, prompt):
    """The client is told what the last one said."""
    bad = upstream(lambda call, peer: peer.respond(503, {"error": {"message": "its own words"}}))
    refrain = start({"upstreams": fleet((closed_port(), {"weight": 1000}), bad)})
    answer = ask(refrain, prompt)
    assert (answer.status, answer.json()) == (503, {"error": {"message": "its own words"}})
    assert answer.header("x-refrain-upstream") == "two"


def test_weights(start, upstream, prompt):
    one, two = upstream(scripted.script), upstream(scripted.script)
    refrain = start({"upstreams": fleet((one, {"weight": 3}), two)})
    for number in range(80):
        assert ask(refrain, f"{prompt}-{number}").status == 200
    assert (one.count(), two.count()) == (60, 20)


def test_overflow_is_used_while_the_others_are_busy(start, gated, upstream, prompt, crowd):
    own, public = gated(), upstream(scripted.script)
    refrain = start({"upstreams": fleet((own, {"concurrency": 2}), (public, {"overflow": True}))})
    held = [crowd.submit(ask, refrain, f"{prompt}-{number}") for number in range(2)]
    until(lambda: own.count() == 2, "both slots to be taken")
    answer = ask(refrain, f"{prompt}-over")
    assert (answer.status, answer.header("x-refrain-upstream")) == (200, "two")
    own.gate.opened.set()
    assert all(future.result().header("x-refrain-upstream") == "one" for future in held)
    assert ask(refrain, f"{prompt}-calm").header("x-refrain-upstream") == "one"


# What keeps a dead upstream from costing time


def test_a_dead_upstream_costs_little(start, upstream, prompt):
    dead, good = upstream(silence), upstream(scripted.script)
    refrain = start({"upstreams": fleet(dead, good, firstByteTimeout="150ms")})
    numbers = iter(range(10_000))

    def opened():
        assert ask(refrain, f"{prompt}-{next(numbers)}").status == 200
        return [line for line in refrain.log_lines() if line.get("event") == "breaker" and line["to"] == "open"]

    lines = until(opened, "the breaker to open")
    assert lines[0]["target"] == "one"
    assert refrain.metrics().sum("refrain_breaker_state", target="one") == 2
    before, end = dead.count(), time.monotonic() + 1.5
    asked = 0
    while time.monotonic() < end:
        assert ask(refrain, f"{prompt}-{next(numbers)}").header("x-refrain-upstream") == "two"
        asked += 1
    # Pauses of half a second, then one, then two: no more looks than windows.
    assert dead.count() - before <= 3 < asked
    dead.script = scripted.script
    until(lambda: ask(refrain, f"{prompt}-{next(numbers)}").header("x-refrain-upstream") == "one", "its return")
    assert refrain.metrics().sum("refrain_breaker_state", target="one") == 0


def test_probes_take_the_unwell_out(start, upstream, prompt):
    well = threading.Event()

    def script(call, peer):
        if call.target == "/health":
            peer.respond(200 if well.is_set() else 503, {})
        else:
            scripted.script(call, peer)

    one, two = upstream(script), upstream(scripted.script)
    refrain = start({"upstreams": fleet((one, {"healthPath": "/health", "healthInterval": "50ms"}), two)})
    until(lambda: refrain.metrics().sum("refrain_upstream_healthy", upstream="one") == 0, "it to be seen unwell")
    answers = [ask(refrain, f"{prompt}-{number}") for number in range(6)]
    assert [answer.header("x-refrain-upstream") for answer in answers] == ["two"] * 6
    assert refrain.metrics().sum("refrain_upstream_requests_total", upstream="one") == 0
    well.set()
    until(lambda: refrain.metrics().sum("refrain_upstream_healthy", upstream="one") == 1, "it to be seen well")
    names = {ask(refrain, f"{prompt}-well-{number}").header("x-refrain-upstream") for number in range(6)}
    assert names == {"one", "two"}


def test_what_an_upstream_asks_for_is_kept_to(start, upstream, prompt):
    """Retry-After: it is left alone for so long, and clients are told."""
    busy = upstream(lambda call, peer: peer.respond(429, {"error": {"message": "x"}}, [("Retry-After", "30")]))
    refrain = start({"upstreams": fleet((busy, {"apiKey": "own-key"}))})
    assert ask(refrain, f"{prompt}-0").status == 429
    began = time.monotonic()
    answer = ask(refrain, f"{prompt}-1", key="another")
    assert time.monotonic() - began < 5
    assert answer.status == 503
    assert 25 <= int(answer.header("retry-after")) <= 40
    assert busy.count() == 1


def test_a_refusal_of_one_client_is_no_refusal_of_others(start, upstream, prompt):
    def script(call, peer):
        if call.header("authorization") == "Bearer greedy":
            peer.respond(429, {"error": {"message": "x"}}, [("Retry-After", "30")])
        else:
            scripted.script(call, peer)

    server = upstream(script)
    refrain = start({"upstreams": fleet(server)})
    assert ask(refrain, f"{prompt}-0", key="greedy").status == 429
    assert ask(refrain, f"{prompt}-1", key="modest").status == 200


def test_hedges(start, upstream, prompt):
    """A call that takes longer than most is made of a second one too; the first to answer is taken."""
    slow = threading.Event()
    closed = threading.Event()

    def script(call, peer):
        if slow.is_set():
            if peer.wait_for_close(20):
                closed.set()
            peer.close()
        else:
            scripted.script(call, peer)

    one, two = upstream(script), upstream(scripted.script)
    settings = {"limits.hedge": True, "limits.retryRatio": 1}
    refrain = start(settings | {"upstreams": fleet((one, {"weight": 1000}), two)})
    for number in range(30):
        assert ask(refrain, f"{prompt}-{number}").header("x-refrain-upstream") == "one"
    slow.set()
    answer = ask(refrain, f"{prompt}-slow")
    assert (answer.status, answer.header("x-refrain-upstream")) == (200, "two")
    assert refrain.metrics().sum("refrain_hedges_total") >= 1
    assert closed.wait(10), "the slower call must be cancelled"


# When there is no room


def busy(refrain, server, prompt, crowd, count=1):
    """Takes every slot of an upstream with a gate."""
    before = server.count()
    held = [crowd.submit(ask, refrain, f"{prompt}-held-{number}") for number in range(count)]
    until(lambda: server.count() == before + count, "the slots to be taken")
    return held


def waiting(refrain, count, **labels):
    until(lambda: refrain.metrics().sum("refrain_queue_depth", **labels) == count, f"{count} to wait")


@pytest.mark.parametrize("dialect", PATH)
def test_who_does_not_fit_is_told_at_once(start, gated, prompt, crowd, dialect):
    server = gated()
    refrain = start({"upstreams": fleet((server, {"concurrency": 1})), "limits.queue": 1, "limits.queueTimeout": "30s"})
    held = busy(refrain, server, prompt, crowd)
    second = crowd.submit(ask, refrain, f"{prompt}-second")
    waiting(refrain, 1, priority="standard")
    began = time.monotonic()
    answer = ask(refrain, f"{prompt}-third", dialect)
    assert time.monotonic() - began < 5
    assert answer.status == 503 and answer.complete
    assert int(answer.header("retry-after")) >= 1
    error = answer.json()["error"]
    if dialect == "messages":
        assert (answer.json()["type"], error["type"]) == ("error", "overloaded_error")
    else:
        assert (error["type"], error["code"]) == ("server_error", "overloaded")
    stats = refrain.admin("/api/stats").json()
    assert {row["name"]: row["count"] for row in stats["queue"]} == {"interactive": 0, "standard": 1, "batch": 0}
    assert stats["shed"] == [{"name": "queue-full", "count": 1}]
    assert [(row["name"], row["inflight"], row["limit"]) for row in stats["upstreams"]] == [("one", 1, 1)]
    server.gate.opened.set()
    assert [future.result().status for future in [*held, second]] == [200, 200]
    assert refrain.metrics().sum("refrain_shed_total", reason="queue-full", priority="standard") == 1
    assert server.count(f"{prompt}-third") == 0


def test_who_waits_too_long_is_told(start, gated, prompt, crowd):
    server = gated()
    refrain = start({"upstreams": fleet((server, {"concurrency": 1})), "limits.queueTimeout": "300ms"})
    busy(refrain, server, prompt, crowd)
    answer = ask(refrain, f"{prompt}-second")
    assert (answer.status, answer.json()["error"]["code"]) == (503, "overloaded")
    assert refrain.metrics().sum("refrain_shed_total", reason="deadline") == 1
    assert server.count(f"{prompt}-second") == 0


def test_who_leaves_the_queue_is_forgotten(start, gated, prompt, crowd):
    server = gated()
    refrain = start({
        "upstreams": fleet((server, {"concurrency": 1})), "cache.onAbort": "cancel", "limits.queueTimeout": "30s"})
    held = busy(refrain, server, prompt, crowd)
    with socket.create_connection(("127.0.0.1", refrain.port)) as client:
        content = json.dumps(body("chat", f"{prompt}-leaves")).encode()
        client.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(content), content))
        waiting(refrain, 1)
    waiting(refrain, 0)
    server.gate.opened.set()
    assert held[0].result().status == 200
    assert server.count(f"{prompt}-leaves") == 0


def test_the_urgent_go_first(start, gated, prompt, crowd):
    server = gated()
    refrain = start({"upstreams": fleet((server, {"concurrency": 1})), "limits.queueTimeout": "30s"})
    busy(refrain, server, prompt, crowd)
    futures = []
    for count, (name, level) in enumerate([("batch", "2"), ("plain", "1"), ("urgent", "0")], 1):
        futures.append(crowd.submit(ask, refrain, f"{prompt}-{name}", extra=[("x-refrain-priority", level)]))
        waiting(refrain, count)
    # What is only passed on waits in the same queue.
    futures.append(crowd.submit(refrain.get, "/v1/passed-on", [("x-refrain-priority", "0")]))
    waiting(refrain, 4)
    server.gate.opened.set()
    for future in futures:
        future.result()
    order = [call.target if call.method == "GET" else call.json()["messages"][0]["content"].rpartition("-")[2]
             for call in server.calls[1:]]
    assert order.index("urgent") < order.index("batch")
    assert order.index("/v1/passed-on") < order.index("batch")
    assert order[-1] == "batch"


def test_a_stale_answer_is_better_than_none(start, gated, prompt, crowd):
    server = gated()
    server.gate.opened.set()
    refrain = start({
        "upstreams": fleet((server, {"concurrency": 1})), "limits.queue": 0, "cache.ttl": "1s",
        "cache.staleWhileRevalidate": "0"})
    assert ask(refrain, prompt).outcome == "miss"
    server.gate.opened.clear()
    time.sleep(1.2)
    busy(refrain, server, prompt, crowd)
    answer = ask(refrain, prompt)
    assert (answer.status, answer.outcome) == (200, "stale")
    assert ask(refrain, f"{prompt}-new").status == 503


# Tenants


@pytest.mark.parametrize("dialect", ["chat", "messages"])
def test_one_tenant_does_not_take_all(start, model, prompt, dialect):
    refrain = start({"limits.tenantRequestsPerSecond": 2})
    answers = [ask(refrain, f"{prompt}-{number}", dialect, key="greedy") for number in range(12)]
    refused = [answer for answer in answers if answer.status == 429]
    assert answers[0].status == 200 and refused
    assert int(refused[0].header("retry-after")) >= 1
    error = refused[0].json()["error"]
    assert error["type"] == "rate_limit_error"
    if dialect == "chat":
        assert error["code"] == "tenant-limit"
    # Neither others nor hits are limited by it.
    assert ask(refrain, f"{prompt}-other", dialect, key="modest").status == 200
    assert [ask(refrain, f"{prompt}-0", dialect, key="greedy").outcome for _ in range(20)] == ["hit"] * 20
    assert refrain.metrics().sum("refrain_shed_total", reason="tenant-limit") == len(refused)


def test_tokens_of_a_tenant(start, model, prompt):
    """What a request may take is estimated before it goes out."""
    refrain = start({"limits.tenantTokensPerMinute": 6000})
    answers = [ask(refrain, f"{prompt}-{number}", max_tokens=100_000) for number in range(3)]
    assert 429 in [answer.status for answer in answers]


def test_who_asks_not_to_be_cached_has_the_same_limit(start, model, prompt):
    refrain = start({"limits.tenantTokensPerMinute": 6000})
    answers = [ask(refrain, f"{prompt}-{number}" + "x" * 8000, extra=[("Cache-Control", "no-store")]) for number in range(3)]
    assert [answer.status for answer in answers] == [200, 429, 429]


def test_an_absurd_claim_takes_nobodys_share(start, upstream, prompt):
    """What was answered with an error took no tokens."""
    def script(call, peer):
        if call.json().get("max_tokens"):
            peer.respond(400, {"error": {"message": "too many"}})
        else:
            scripted.script(call, peer)

    refrain = start({"upstreams": fleet((upstream(script), {"tokensPerMinute": 60_000})), "limits.queueTimeout": "4s"})
    assert ask(refrain, prompt, max_tokens=999_999_999).status == 400
    assert ask(refrain, f"{prompt}-other", key="other-key").status == 200


def test_one_who_is_paused_holds_nobody_up(start, upstream, prompt, crowd):
    def script(call, peer):
        if call.header("authorization") == "Bearer greedy":
            peer.respond(429, {"error": {"message": "slower"}}, [("Retry-After", "5")])
        else:
            scripted.script(call, peer)

    refrain = start({"upstreams": fleet(upstream(script))})
    assert ask(refrain, prompt, key="greedy").status == 429
    greedy = [crowd.submit(ask, refrain, f"{prompt}-{number}", key="greedy") for number in range(24)]
    # Most of them are told at once; a few wait, and nobody else does.
    until(lambda: sum(job.done() for job in greedy) == 16, "sixteen refusals")
    assert {job.result().status for job in greedy if job.done()} == {503}
    assert ask(refrain, f"{prompt}-modest", key="modest").status == 200
    assert sum(job.done() for job in greedy) == 16


def test_a_date_far_away_is_no_trouble(start, upstream, prompt):
    far = [("Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT"), ("x-ratelimit-remaining-tokens", "0"),
           ("x-ratelimit-reset-tokens", "9999-12-31T23:59:59Z")]
    refrain = start({"upstreams": fleet(upstream(lambda call, peer: peer.respond(503, {"error": {}}, far)))})
    assert ask(refrain, prompt).status == 503


# What each upstream gets


def test_credentials_headers_and_models_of_their_own(start, upstream, prompt):
    first = upstream(lambda call, peer: peer.respond(503, {"error": {"message": "busy"}}))
    second = upstream(scripted.script)
    refrain = start({"upstreams": fleet(
        (first, {"weight": 1000}),
        (second, {"apiKey": "second-key", "headers": {"x-region": "eu", "x-team": ""}, "models": {"scripted": "theirs"}}))})
    lines = [("x-team", "blue"), ("x-goog-api-key", "client-goog"), ("Cookie", "session=client")]
    answer = ask(refrain, prompt, key="client-key", extra=lines)
    assert (answer.status, answer.header("x-refrain-upstream")) == (200, "two")
    asked, answered = first.last(), second.last()
    assert asked.header("authorization") == "Bearer client-key" and asked.header("x-team") == "blue"
    assert asked.json()["model"] == "scripted"
    assert answered.header("authorization") == "Bearer second-key"
    assert (answered.header("x-region"), answered.header("x-team")) == ("eu", None)
    assert not [value for _, value in answered.headers if "client" in value]
    assert answered.json() == asked.json() | {"model": "theirs"}
    assert answered.body == asked.body.replace(b'"scripted"', b'"theirs"')
    # The same question, whoever answered.
    assert ask(refrain, prompt, key="client-key", extra=lines).outcome == "hit"
    assert "second-key" not in refrain.log_text() + refrain.admin("/api/stats").body.decode()


def test_anthropics_credential(start, upstream, prompt):
    server = upstream(scripted.script)
    refrain = start({"upstreams": fleet((server, {"apiKey": "own-key"}))})
    assert ask(refrain, prompt, "messages", key="client-key").status == 200
    call = server.last()
    assert (call.header("x-api-key"), call.header("authorization")) == ("own-key", None)


def test_passed_on_requests_get_the_credential_too(start, upstream):
    server = upstream(lambda call, peer: peer.respond(200, {"data": []}))
    refrain = start({"upstreams": fleet((server, {"apiKey": "own-key"}))})
    assert refrain.get("/v1/models", [("Authorization", "Bearer client-key")]).status == 200
    assert server.last().header("authorization") == "Bearer own-key"


# What operators see


def test_what_operators_see(start, upstream, prompt, tmp_path):
    path = tmp_path / "access.log"
    one, two = upstream(scripted.script), upstream(scripted.script)
    refrain = start({"upstreams": fleet(one, two), "log.access.path": str(path)})
    for number in range(4):
        ask(refrain, f"{prompt}-{number}")
    ask(refrain, f"{prompt}-0")
    lines = until(lambda: [json.loads(line) for line in path.read_text().splitlines()][4:], "the access log") and [
        json.loads(line) for line in path.read_text().splitlines()]
    assert sorted(line["upstream"] for line in lines[:4]) == ["one", "one", "two", "two"]
    assert lines[4]["outcome"] == "hit" and "upstream" not in lines[4]
    stats = refrain.admin("/api/stats").json()
    assert [(row["name"], row["calls"], row["failed"], row["breaker"], row["healthy"]) for row in stats["upstreams"]] == [
        ("one", 2, 0, "closed", True), ("two", 2, 0, "closed", True)]
    assert stats["upstream"] == [{"name": "ok", "count": 4}]
