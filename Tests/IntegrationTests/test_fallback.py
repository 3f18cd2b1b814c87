"""Another model answers where the one that was asked for cannot."""

import json

import pytest

from support import model as scripted
from support import wire
from support.requests import PATH, body
from support.sidecar import until

CHAT = PATH["chat"]
RULES = [{"model": "big*", "to": "small"}]
ALLOW = ("x-refrain-fallback", "allow")
FAULTS = {
    "reset": lambda peer: peer.reset(),
    "hang": lambda peer: peer.wait_for_close(),
    "429": lambda peer: peer.respond(429, {"error": {"message": "busy"}}),
    "503": lambda peer: peer.respond(503, {"error": {"message": "down"}}),
}


@pytest.fixture
def ill(model):
    """The big model does as the test says; the small one is well."""
    def script(call, peer):
        if call.json()["model"].startswith("big"):
            FAULTS[script.fault](peer)
        else:
            scripted.script(call, peer)

    script.fault = "503"
    model.script = script
    return script


@pytest.fixture
def refrain(start):
    return start({"limits.fallbacks": RULES}, {"firstByteTimeout": "500ms"})


def models(model, prompt):
    return [call.json()["model"] for call in model.calls if prompt.encode() in call.body]


@pytest.mark.parametrize("dialect, stream", [
    ("chat", False), ("chat", True), ("messages", False), ("messages", True), ("embeddings", False)])
@pytest.mark.parametrize("fault", FAULTS)
def test_the_other_model_answers_and_is_named(refrain, model, ill, prompt, fault, dialect, stream):
    ill.fault = fault
    members = {"model": "big-1"} | ({"stream": True} if stream else {})
    request = body(dialect, prompt, **members)
    first = refrain.post(PATH[dialect], request, [ALLOW])
    assert (first.status, first.outcome, first.header("x-refrain-fallback")) == (200, "miss", "small")
    assert models(model, prompt)[-1] == "small" and "big-1" in models(model, prompt)
    assert b'"small"' in first.body or dialect == "messages" or stream
    # Kept as the small model's: for who asks for that, and not for who asks for the big one.
    small = refrain.post(PATH[dialect], request | {"model": "small"})
    assert small.outcome == "hit" and small.header("x-refrain-fallback") is None
    calls = model.count(prompt)
    again = refrain.post(PATH[dialect], request, [ALLOW])
    assert (again.outcome, again.header("x-refrain-fallback")) == ("hit", "small")
    assert again.body == small.body
    assert set(models(model, prompt)[calls:]) == {"big-1"}, "the big one is asked first all the same"
    ill.fault = None
    model.script = scripted.script
    well = refrain.post(PATH[dialect], request, [ALLOW])
    assert (well.outcome, well.header("x-refrain-fallback")) == ("miss", None)


@pytest.mark.parametrize("headers, setting, is_served", [
    ([], "asked", False), ([ALLOW], "asked", True), ([("x-refrain-fallback", "off")], "asked", False),
    ([], "always", True), ([("x-refrain-fallback", "off")], "always", False)])
def test_only_where_it_is_allowed(start, model, ill, prompt, headers, setting, is_served):
    sidecar = start({"limits.fallbacks": RULES, "limits.fallback": setting})
    response = sidecar.post(CHAT, body("chat", prompt, model="big-1"), headers)
    assert response.status == (200 if is_served else 503)
    assert response.header("x-refrain-fallback") == ("small" if is_served else None)


def test_an_old_answer_of_the_right_model_is_better(start, model, prompt):
    sidecar = start({"limits.fallbacks": RULES, "cache.staleWhileRevalidate": "0s"})
    request = body("chat", prompt, model="big-1")
    first = sidecar.post(CHAT, request, [("x-refrain-ttl", "1"), ALLOW])
    model.script = lambda call, peer: peer.respond(503, {"error": {"message": "down"}})
    stale = until(
        lambda: (a := sidecar.post(CHAT, request, [ALLOW])).outcome != "hit" and a, "the answer to expire")
    assert (stale.outcome, stale.body, stale.header("x-refrain-fallback")) == ("stale", first.body, None)


@pytest.mark.parametrize("status", [400, 401, 404])
def test_an_answer_that_is_the_requests_own_fault_stays(refrain, model, prompt, status):
    model.script = lambda call, peer: peer.respond(status, {"error": {"message": "no"}})
    assert refrain.post(CHAT, body("chat", prompt, model="big-1"), [ALLOW]).status == status
    assert models(model, prompt) == ["big-1"]


def test_where_neither_can_the_first_failure_is_told(refrain, model, prompt):
    def script(call, peer):
        peer.respond(503 if call.json()["model"] == "big-1" else 500, {"error": {"message": call.json()["model"]}})

    model.script = script
    response = refrain.post(CHAT, body("chat", prompt, model="big-1"), [ALLOW])
    assert response.status == 503 and response.json()["error"]["message"] == "big-1"
    assert response.header("x-refrain-fallback") is None
    assert models(model, prompt)[-1] == "small"
    assert refrain.metrics().sum("refrain_fallbacks_total", result="failed") == 1


def test_nothing_is_asked_again_for_what_is_not_cached(refrain, model, ill, prompt):
    request = body("chat", prompt, model="big-1")
    assert refrain.post(CHAT, request, [ALLOW, ("Cache-Control", "no-store")]).status == 503
    assert refrain.post(CHAT, request, [("x-refrain-fallback", "perhaps")]).outcome == "bypass"
    assert set(models(model, prompt)) == {"big-1"}


def test_a_stream_that_has_begun_is_not_asked_for_again(refrain, model, prompt):
    def script(call, peer):
        peer.begin()
        peer.chunk(scripted.answer_to(call).stream[0])
        peer.reset()

    model.script = script
    response = None
    try:
        response = refrain.post(CHAT, body("chat", prompt, model="big-1", stream=True), [ALLOW])
    except wire.Truncated:
        pass
    assert response is None or not response.complete
    assert set(models(model, prompt)) == {"big-1"}


def test_logs_and_metrics_have_a_word_for_it(start, model, ill, prompt, tmp_path):
    log = tmp_path / "access.jsonl"
    sidecar = start({"limits.fallbacks": RULES, "log.access.path": log})
    sidecar.post(CHAT, body("chat", prompt, model="big-1"), [ALLOW])
    until(lambda: log.exists() and log.read_text().endswith("\n"), "the access log")
    line = json.loads(log.read_text())
    assert (line["model"], line["fallback"], line["outcome"], line["status"]) == ("big-1", "small", "miss", 200)
    small = wire.cache_status(sidecar.post(CHAT, body("chat", prompt, model="small")))["key"]
    assert line["key"] == small
    assert sidecar.metrics().sum("refrain_fallbacks_total", result="answered") == 1


def test_rules_change_with_a_reload(start, tmp_path, model, ill, prompt):
    file = tmp_path / "refrain.yaml"
    upstreams = [{"name": "m", "url": f"http://127.0.0.1:{model.port}"}]
    file.write_text(json.dumps({"upstreams": upstreams}))
    sidecar = start(config=file)
    request = body("chat", prompt, model="big-1")
    assert sidecar.post(CHAT, request, [ALLOW]).status == 503
    file.write_text(json.dumps({"upstreams": upstreams, "limits": {"fallbacks": RULES}}))
    assert sidecar.admin("/api/reload", "POST").json()["changed"] == ["limits.fallbacks"]
    assert sidecar.post(CHAT, request, [ALLOW]).status == 200
