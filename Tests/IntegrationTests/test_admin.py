"""The admin port, the commands that talk to it, and metrics that add up."""

import asyncio
import json
import os
import random
import subprocess

import pytest

from support import model as scripted
from support import wire
from support.requests import PATH, body
from support.sidecar import binary, until

CHAT = PATH["chat"]
PAGES = [("GET", "/"), ("GET", "/metrics"), ("GET", "/api/stats"), ("POST", "/api/explain"), ("POST", "/api/purge")]


@pytest.fixture
def guarded(start):
    return start({"admin.token": "the-token"})


@pytest.mark.parametrize("header", [
    None, "", "the-token", "Bearer", "Bearer ", "Bearer the-toke", "Bearer the-token2", "Basic the-token",
    "Bearer THE-TOKEN"])
def test_token_is_required(guarded, header):
    headers = [] if header is None else [("Authorization", header)]
    for method, path in PAGES:
        answer = guarded.admin(path, method, b'{"all":true}' if method == "POST" else None, headers, authorised=False)
        assert answer.status == 401
        assert answer.header("www-authenticate").startswith("Bearer")
        assert answer.json()["error"]["type"] == "authentication_error" and answer.json()["error"]["message"]


def test_token_opens(guarded):
    for method, path in PAGES:
        assert guarded.admin(path, method, b'{"all":true}' if method == "POST" else None).status == 200
    answer = guarded.admin("/api/stats", headers=[("authorization", "bearer the-token")], authorised=False)
    assert answer.status == 200


def test_health_needs_no_token(guarded):
    for path in ("/healthz", "/readyz"):
        assert guarded.admin(path, authorised=False).status == 200
        assert guarded.admin(path, "HEAD", authorised=False).status == 200


def test_unknown_pages_and_methods(refrain):
    assert refrain.admin("/nothing").status == 404
    answer = refrain.admin("/api/purge")
    assert (answer.status, answer.header("allow")) == (405, "POST")
    assert refrain.admin("/metrics", "POST", b"").status == 405
    assert all(path in refrain.admin("/api").body.decode() for _, path in PAGES)


def test_data_port_has_no_admin(refrain, model):
    calls = len(model.calls)
    assert refrain.get("/healthz").status == 404
    assert len(model.calls) == calls + 1


def explain(refrain, request, path=CHAT, headers=()):
    content = request if isinstance(request, bytes) else json.dumps(request).encode()
    lines = [("x-explain-" + name, value) for name, value in headers]
    return refrain.admin(f"/api/explain?path={path}", "POST", content, lines).json()


def test_explain_a_kept_answer(refrain, model, prompt):
    headers = [("Authorization", "Bearer test-key"), ("x-refrain-namespace", "ns")]
    request = body("chat", prompt, user="me", temperature=1.0)
    before = explain(refrain, request, headers=headers)
    assert (before["cacheable"], before["dialect"], before["held"]) == (True, "chat", [])
    answer = refrain.post(CHAT, request, [*headers, ("x-refrain-tags", "one, two"), ("x-refrain-ttl", "1h")])
    assert wire.cache_status(answer)["key"] == before["key"]
    after = explain(refrain, request, headers=headers)
    assert after["key"] == before["key"] and after["leftOut"] == ["user"] and after["namespace"] == "ns"
    assert json.loads(after["canonical"]) == {name: value for name, value in request.items() if name != "user"}
    held, = after["held"]
    assert (held["tier"], held["forms"], held["tags"]) == ("memory", ["whole"], ["one", "two"])
    assert 3500 <= held["ttlSeconds"] <= 3600 and held["bytes"] > 0
    # Explaining asks nobody and is no look-up.
    assert model.count(prompt) == 1
    other = explain(refrain, request, headers=[("Authorization", "Bearer other")])
    assert other["key"] != after["key"] and other["tenant"] != after["tenant"] and other["held"] == []


@pytest.mark.parametrize("request_body, headers, path, reason", [
    (b"{", [], CHAT, "not-json"), (b'{"model":"m","model":"m"}', [], CHAT, "duplicate-member"),
    (b'{"model":"m"}', [("Cache-Control", "no-store")], CHAT, "no-store"), (b"{}", [], "/v1/models", "endpoint"),
    (b'{"model":"m"}', [("x-refrain-ttl", "x")], CHAT, "bad-control"),
    (b'{"model":"m","background":true}', [], "/v1/responses", "stateful"), (b"", [], CHAT, "not-json")])
def test_explain_says_why_not(refrain, request_body, headers, path, reason):
    answer = explain(refrain, request_body, path, headers)
    assert (answer["cacheable"], answer["reason"]) == (False, reason)
    assert answer["meaning"].endswith(".")


def test_purge_one(start, model, prompt):
    refrain = start()
    key = wire.cache_status(refrain.post(CHAT, body("chat", prompt)))["key"]
    refrain.post(CHAT, body("chat", prompt + " other"))
    assert refrain.admin("/api/purge", "POST", {"key": key}).json()["purged"] == 1
    assert refrain.admin("/api/purge", "POST", {"key": key}).json()["purged"] == 0
    assert refrain.post(CHAT, body("chat", prompt)).outcome == "miss"
    assert refrain.post(CHAT, body("chat", prompt + " other")).outcome == "hit"


def test_purge_all(start, model, prompt):
    refrain = start()
    for number in range(10):
        refrain.post(CHAT, body("chat", f"{prompt} {number}"))
    assert refrain.metrics().sum("refrain_entries", tier="memory") == 10
    assert refrain.admin("/api/purge", "POST", {"all": True}).json()["purged"] == 10
    assert refrain.metrics().sum("refrain_entries", tier="memory") == 0
    assert refrain.post(CHAT, body("chat", f"{prompt} 0")).outcome == "miss"


@pytest.mark.parametrize("request_body", [b"", b"{", b"[]", b"{}", b'{"key":"abc"}', b'{"all":false}', b'{"key":7}',
                                          b'{"key":"' + b"g" * 64 + b'"}', b'{"all":"true"}'])
def test_bad_purge_purges_nothing(refrain, prompt, request_body):
    refrain.post(CHAT, body("chat", prompt))
    answer = refrain.admin("/api/purge", "POST", request_body)
    assert answer.status == 400 and answer.json()["error"]["message"]
    assert refrain.post(CHAT, body("chat", prompt)).outcome == "hit"


def run(refrain, *arguments, text=None, token=None):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REFRAIN_")}
    environment |= {"REFRAIN_ADMIN": f"127.0.0.1:{refrain.admin_port}", "OPENAI_API_KEY": "test-key"}
    if token:
        environment["REFRAIN_ADMIN_TOKEN"] = token
    return subprocess.run([str(binary()), *arguments], input=text or "", capture_output=True, text=True, timeout=30,
                          env=environment)


def test_commands_of_a_running_sidecar(guarded, model, prompt):
    request = json.dumps(body("chat", prompt))
    guarded.post(CHAT, request.encode())
    guarded.post(CHAT, request.encode())
    stats = json.loads(run(guarded, "stats", "--json", token="the-token").stdout)
    assert {row["outcome"]: row["count"] for row in stats["requests"] if row["endpoint"] == "chat"}["hit"] == 1
    assert "hit" in run(guarded, "stats", token="the-token").stdout
    explained = json.loads(run(guarded, "explain", "-", "--json", text=request, token="the-token").stdout)
    assert explained["held"][0]["tier"] == "memory"
    shown = run(guarded, "explain", "-", text=request, token="the-token")
    assert explained["key"] in shown.stdout
    purged = run(guarded, "purge", "--key", explained["key"], "--json", token="the-token")
    assert json.loads(purged.stdout)["purged"] == 1
    assert guarded.post(CHAT, request.encode()).outcome == "miss"
    refused = run(guarded, "stats")
    assert refused.returncode == 1 and "REFRAIN_ADMIN_TOKEN" in refused.stderr


def test_commands_without_a_sidecar(start, model):
    refrain = start()
    refrain.terminate()
    refrain.wait()
    result = run(refrain, "stats")
    assert result.returncode == 1 and len(result.stderr.splitlines()) == 1 and "--admin" in result.stderr


# Metrics


def workload(seed, prompt):
    """Requests of all kinds, many of them alike."""
    dice = random.Random(seed)
    for _ in range(600):
        dialect = dice.choice(list(PATH))
        members = {"stream": True} if dialect != "embeddings" and dice.random() < 0.4 else {}
        headers = []
        kind = dice.random()
        if kind < 0.05:
            headers.append(("Cache-Control", "no-store"))
        elif kind < 0.1:
            headers.append(("Cache-Control", "no-cache"))
        elif kind < 0.12:
            headers.append(("Cache-Control", "only-if-cached"))
        elif kind < 0.15:
            headers.append(("x-refrain-ttl", "bad"))
        if kind > 0.95:
            yield "other", "GET", "/v1/models", [], None
        else:
            request = body(dialect, f"{prompt} {dice.randrange(12)}", **members)
            yield dialect, "POST", PATH[dialect], headers, json.dumps(request).encode()


@pytest.mark.parametrize("seed", [1, 2])
def test_metrics_add_up(start, model, prompt, seed):
    """`seed` replays the same requests; what is simultaneous is left to chance."""
    refrain = start({"limits.workers": 2})
    model.script = lambda call, peer: peer.respond(500, b"{}") if "7\"" in call.body.decode() else scripted.script(call, peer)
    seen, answers = {}, []
    calls = len(model.calls)
    queue = list(workload(seed, prompt))

    def client():
        while queue:
            endpoint, method, path, headers, content = queue.pop()
            lines = [("Content-Type", "application/json"), ("Authorization", "Bearer k"), *headers]
            answer = wire.request(refrain.port, method, path, lines, content)
            assert answer.complete
            seen[endpoint, answer.outcome] = seen.get((endpoint, answer.outcome), 0) + 1
            answers.append((headers, answer))

    async def crowd():
        await asyncio.gather(*(asyncio.to_thread(client) for _ in range(8)))

    asyncio.run(crowd())
    assert len(answers) == 600
    metrics = until(
        lambda: (m := refrain.metrics()).sum("refrain_requests_total") == 600 and m, "all requests to be counted")
    for (endpoint, outcome), count in seen.items():
        assert metrics.sum("refrain_requests_total", endpoint=endpoint, outcome=outcome) == count
    counted = metrics.by("refrain_requests_total", "outcome")
    assert metrics.by("refrain_request_duration_seconds_count", "outcome") == counted
    assert sum(metrics.by("refrain_bypass_total", "reason").values()) == counted["bypass"]
    lookups = metrics.by("refrain_tier_lookups_total", "result")
    no_cache = sum(1 for headers, _ in answers if ("Cache-Control", "no-cache") in headers)
    assert sum(lookups.values()) == 600 - counted["bypass"] - no_cache
    # A look inside the flight can turn a miss into a hit.
    assert lookups["hit"] <= counted["hit"] and counted["stale"] == 0
    asked = len(model.calls) - calls
    assert metrics.sum("refrain_upstream_requests_total") == asked
    assert metrics.sum("refrain_upstream_duration_seconds_count") == asked
    assert metrics.sum("refrain_entries", tier="memory") > 0
    assert 0 < metrics.sum("refrain_tier_bytes", tier="memory") <= metrics.sum("refrain_tier_capacity_bytes", tier="memory")
    assert metrics.sum("refrain_saved_tokens_total") > 0
    for name in ("refrain_flights", "refrain_inflight_requests"):
        until(lambda: refrain.metrics().sum(name) == 0, name)
    stats = refrain.admin("/api/stats").json()
    assert sum(row["count"] for row in stats["requests"]) == 600
    assert {row["name"]: row["count"] for row in stats["upstream"] if row["count"]} == {
        result: count for result, count in metrics.by("refrain_upstream_requests_total", "result").items() if count}


def test_metrics_have_help_and_type(refrain):
    text = refrain.admin("/metrics").body.decode()
    names = {name for name, _, _ in refrain.metrics().series}
    bases = {name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count") for name in names}
    for base in bases:
        assert f"# HELP {base} " in text and f"# TYPE {base} " in text
    for name in ("refrain_requests_total", "refrain_tier_bytes", "refrain_evictions_total", "refrain_build_info"):
        assert name in names


def test_memory_stays_under_its_capacity(start, model, prompt):
    refrain = start({"memory.capacity": "1MiB"})
    model.script = lambda call, peer: peer.respond(200, json.dumps(
        scripted.answer_to(call).whole | {"padding": "x" * 20_000}).encode())
    for number in range(150):
        refrain.post(CHAT, body("chat", f"{prompt} {number}"))
    metrics = refrain.metrics()
    assert metrics.sum("refrain_tier_bytes", tier="memory") <= 1 << 20
    assert metrics.sum("refrain_evictions_total") > 50
    assert refrain.post(CHAT, body("chat", f"{prompt} 149")).outcome == "hit"
