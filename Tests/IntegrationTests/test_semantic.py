"""Answers of questions that mean the same, with the real encoder; `test_semantic_clients.py` has the real clients."""

import json
import os
import pathlib
import re
import subprocess

import pytest

from support import model as scripted
from support import wire
from support.requests import MODEL, body, headers
from support.sidecar import binary, until

# The encoder may share its core with everything else that runs.
PATIENT = {"semantic.budget": "5s"}
SERVE = PATIENT | {"semantic.mode": "serve"}
CHAT = "/v1/chat/completions"

SAME = [
    ("How do I reset my password?", "How can I reset my password?"),
    ("What is the capital of France?", "What's the capital of France?"),
]
OPPOSITE = ("How do I turn on the lights in the kitchen?", "How do I turn off the lights in the kitchen?")


def ask(sidecar, text, *lines, dialect="chat", path=CHAT, key="test-key", **members):
    return sidecar.post(path, body(dialect, text, **members), headers(dialect, key) + list(lines))


def learnt(sidecar, count):
    until(lambda: sidecar.metrics().sum("refrain_semantic_questions") >= count, f"{count} questions to be learnt")


def settled(sidecar, text, *lines, **more):
    """The answer to a question that can be found by meaning afterwards."""
    before = sidecar.metrics().sum("refrain_semantic_questions")
    answer = ask(sidecar, text, *lines, **more)
    assert (answer.status, answer.outcome) == (200, "miss")
    learnt(sidecar, before + 1)
    return answer


@pytest.fixture(scope="module")
def semantic(session_model):
    from conftest import launch, retire
    sidecar = launch(session_model.port, SERVE)
    yield sidecar
    retire(sidecar)


def namespace(request):
    return ("x-refrain-namespace", re.sub(r"\W", "-", request.node.name))


def test_the_numeric_library_is_loaded_only_to_compute(semantic, refrain):
    def libraries(of):
        return pathlib.Path(f"/proc/{of.process.pid}/maps").read_text()

    numeric = re.compile(r"/lib(dnnl|gomp|tbb)[^/]*\.so")
    assert numeric.search(libraries(semantic))
    assert not numeric.search(libraries(refrain))


def test_off_by_default(refrain, model):
    before = model.count()
    for text in SAME[0]:
        assert ask(refrain, text).outcome in ("miss", "hit")
    assert refrain.admin("/api/stats").json().get("semantic") is None
    assert model.count() - before == 2


ISOLATED = {
    "tenant": {"key": "another-key"},
    "system": {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": SAME[0][1]}]},
    "history": {"messages": [
        {"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"},
        {"role": "user", "content": SAME[0][1]}]},
    "temperature": {"temperature": 0.5},
    "model": {"model": "another"},
    "tools": {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]},
    "unknown": {"brand_new_parameter": 1},
    "choices": {"n": 2},
}


@pytest.mark.parametrize("what", ISOLATED)
def test_everything_else_must_be_the_same(semantic, model, request, what):
    line = namespace(request)
    settled(semantic, SAME[0][0], line)
    assert ask(semantic, SAME[0][1], line, **ISOLATED[what]).outcome == "miss"


def test_other_namespaces_and_query_strings_are_others(semantic, request):
    line = namespace(request)
    settled(semantic, SAME[0][0], line)
    assert ask(semantic, SAME[0][1], ("x-refrain-namespace", line[1] + "-b")).outcome == "miss"
    assert ask(semantic, SAME[0][1], line, path=CHAT + "?api-version=1").outcome == "miss"


def test_the_same_wording_is_compared_once(semantic, request):
    line = namespace(request)
    settled(semantic, SAME[0][0], line)
    before = semantic.metrics()
    outcomes = [ask(semantic, SAME[0][1], line).outcome for _ in range(3)]
    after = semantic.metrics()
    assert outcomes == ["hit-semantic"] * 3

    def rise(name, **labels):
        return after.sum(name, **labels) - before.sum(name, **labels)

    assert rise("refrain_semantic_encode_duration_seconds_count") == 1
    assert rise("refrain_semantic_lookups_total", result="served") == 1
    assert rise("refrain_semantic_lookups_total", result="alias") == 2


@pytest.mark.parametrize("line", [
    ("x-refrain-semantic", "off"), ("x-refrain-semantic", "threshold=0.9999"), ("Cache-Control", "no-cache")])
def test_a_request_may_decline(semantic, request, line):
    settled(semantic, SAME[0][0], namespace(request))
    assert ask(semantic, SAME[0][1], namespace(request), line).outcome == "miss"


@pytest.mark.parametrize("value", ["threshold=0", "threshold=1.5", "threshold=", "threshold=x", "on"])
def test_a_control_that_cannot_be_read_bypasses(semantic, value):
    answer = ask(semantic, "hello", ("x-refrain-semantic", value))
    assert (answer.outcome, answer.header("x-refrain-reason")) == ("bypass", "bad-control")


def test_only_if_cached(semantic, request):
    settled(semantic, SAME[0][0], namespace(request))
    answer = ask(semantic, SAME[0][1], namespace(request), ("Cache-Control", "only-if-cached"))
    assert (answer.status, answer.outcome) == (200, "hit-semantic")


@pytest.mark.parametrize("dialect, path", [
    ("completions", "/v1/completions"), ("responses", "/v1/responses"), ("messages", "/v1/messages")])
def test_other_dialects(semantic, model, request, dialect, path):
    line = namespace(request)
    settled(semantic, SAME[0][0], line, dialect=dialect, path=path)
    whole = ask(semantic, SAME[0][1], line, dialect=dialect, path=path)
    stream = ask(semantic, SAME[0][1], line, dialect=dialect, path=path, stream=True)
    assert (whole.outcome, stream.outcome) == ("hit-semantic", "hit-semantic")
    assert wire.events(stream.body)


def test_embeddings_are_never_matched(semantic, request):
    line = namespace(request)
    assert ask(semantic, SAME[0][0], line, dialect="embeddings", path="/v1/embeddings").outcome == "miss"
    assert ask(semantic, SAME[0][1], line, dialect="embeddings", path="/v1/embeddings").outcome == "miss"


def test_endpoints_can_be_left_out(start):
    sidecar = start(SERVE | {"semantic.endpoints": ["messages"]})
    assert ask(sidecar, SAME[0][0]).outcome == "miss"
    assert ask(sidecar, SAME[0][1]).outcome == "miss"
    assert sidecar.metrics().sum("refrain_semantic_questions") == 0


def test_what_is_purged_is_forgotten(semantic, model, request):
    line = namespace(request)
    first = settled(semantic, SAME[0][0], line)
    assert ask(semantic, SAME[0][1], line).outcome == "hit-semantic"
    key = wire.cache_status(first)["key"].strip('"')
    assert semantic.admin("/api/purge", "POST", {"key": key}).json()["purged"] == 1
    assert ask(semantic, SAME[0][1], line).outcome == "miss"
    assert semantic.admin("/api/purge", "POST", {"namespace": line[1]}).status == 200
    assert ask(semantic, SAME[0][0], line).outcome == "miss"


def test_shadow_serves_nothing_and_counts(start, model):
    sidecar = start(SERVE | {"semantic.mode": "shadow"})
    model.script = lambda call, peer: peer.respond(200, scripted.chat(call.json(), 1).whole)
    settled(sidecar, SAME[0][0])
    assert ask(sidecar, SAME[0][1]).outcome == "miss"
    observed = until(lambda: sidecar.admin("/api/stats").json()["semantic"]["observed"], "the comparison")
    assert [(row["witness"], row["right"], row["wrong"]) for row in observed] == [("comparison", 1, 0)]
    assert observed[0]["errorLow"] == 0 < observed[0]["errorHigh"] < 1
    errors = sidecar.admin("/api/stats").json()["semantic"]["errors"]
    assert errors["perHit"]["errorHigh"] == observed[0]["errorHigh"] == 2 * errors["perRequest"]["errorHigh"]
    ratio = sidecar.metrics().sum("refrain_semantic_error_ratio", of="requests", bound="high")
    assert abs(ratio - errors["perRequest"]["errorHigh"]) < 1e-6
    assert sidecar.metrics().sum("refrain_semantic_lookups_total", result="compared") == 1
    assert sidecar.metrics().sum("refrain_requests_total", outcome="hit-semantic") == 0


@pytest.mark.parametrize("said, rows", [
    ("Yes", [("judge", 1, 0)]), ("no", [("judge", 0, 1)]), ("I cannot say", [("comparison", 0, 1)])])
def test_a_judge_is_asked_where_answers_differ(start, model, said, rows):
    judged = []

    def script(call, peer):
        request = call.json()
        if request["model"] == "judge":
            judged.append((dict(call.headers).get("Authorization"), request))
            return peer.respond(200, scripted.chat(request, 1).whole | {"choices": [
                {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}]})
        text = "Press the button." if request["messages"][-1]["content"] == SAME[0][0] else "Ask the lady at the desk, who knows."
        peer.respond(200, scripted.chat(request, 1).whole | {"choices": [
            {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]})

    model.script = script
    sidecar = start(SERVE | {
        "semantic.mode": "shadow", "semantic.judge.model": "judge", "semantic.judge.key": "its-own", "log.bodies": True})
    settled(sidecar, SAME[0][0])
    assert ask(sidecar, SAME[0][1]).outcome == "miss"
    observed = until(lambda: sidecar.admin("/api/stats").json()["semantic"]["observed"], "a verdict")
    assert [(row["witness"], row["right"], row["wrong"]) for row in observed] == rows
    (credential, request), = judged
    assert (credential, request["temperature"], request["messages"][0]["role"]) == ("Bearer its-own", 0, "system")
    assert json.loads(request["messages"][1]["content"]) == {
        "question": SAME[0][1], "first": "Ask the lady at the desk, who knows.", "second": "Press the button."}
    assert sidecar.admin("/api/neighbours").json()["pairs"][0]["witness"] == rows[0][0]
    # Its calls are no requests of clients, and nothing of them is kept.
    assert sidecar.metrics().sum("refrain_requests_total") == 2
    assert sidecar.metrics().sum("refrain_entries", tier="memory") == 2


def test_a_thumb_down_ends_a_pair(semantic, request):
    line = namespace(request)
    settled(semantic, SAME[0][0], line)
    answer = ask(semantic, SAME[0][1], line)
    number = answer.header("x-refrain-request-id")
    for verdict, counted in [("up", True), ("up", False), ("down", True), ("down", False), ("up", False)]:
        reply = semantic.admin("/api/feedback", "POST", {"id": number, "verdict": verdict})
        assert (reply.status, len(reply.json()["matchedKey"]), reply.json()["counted"]) == (200, 64, counted)
    people = [row for row in semantic.admin("/api/stats").json()["semantic"]["observed"] if row["witness"] == "person"]
    assert [(row["right"], row["wrong"]) for row in people] == [(0, 1)]
    assert ask(semantic, SAME[0][1], line).outcome == "miss"
    assert ask(semantic, SAME[0][1], line).outcome == "hit"


@pytest.mark.parametrize("request_body, status, code", [
    (b"no", 400, "not-json"), ({"id": "0" * 16, "verdict": "maybe"}, 400, "bad-value"),
    ({"id": 5, "verdict": "up"}, 400, "bad-value"), ({"id": "0" * 16, "verdict": "up", "x": 1}, 400, "bad-value"),
    ({"id": "f" * 16, "verdict": "up"}, 404, "unknown-answer")])
def test_feedback_that_cannot_be_taken(semantic, request_body, status, code):
    answer = semantic.admin("/api/feedback", "POST", request_body)
    assert (answer.status, answer.json()["error"]["code"]) == (status, code)


def test_explain_shows_neighbours_and_objections(semantic, request):
    line = namespace(request)
    settled(semantic, OPPOSITE[0], line)
    lines = [("x-explain-authorization", "Bearer test-key"), ("x-explain-x-refrain-namespace", line[1])]
    answer = semantic.admin(f"/api/explain?path={CHAT}", "POST", body("chat", OPPOSITE[1]), lines).json()
    assert answer["semantic"]["result"] == "rejected"
    neighbour = answer["semantic"]["neighbours"][0]
    assert not neighbour["accepted"] and neighbour["similarity"] > 0.5
    assert [objection["guard"] for objection in neighbour["objections"]][0] == "antonym"
    # What others asked is shown where bodies may be logged.
    assert "text" not in neighbour and "detail" not in neighbour["objections"][0]


def test_near_questions_are_shown_where_bodies_may_be(start):
    sidecar = start(SERVE | {"log.bodies": True})
    settled(sidecar, SAME[0][0])
    settled(sidecar, OPPOSITE[0])
    first = ask(sidecar, SAME[0][1])
    assert first.outcome == "hit-semantic"
    assert ask(sidecar, OPPOSITE[1]).outcome == "miss"
    miss, hit = sidecar.admin("/api/neighbours").json()["pairs"][:2]
    assert (hit["result"], hit["text"], hit["matchedText"], hit["objections"]) == ("served", SAME[0][1], SAME[0][0], [])
    assert 0.9 < hit["similarity"] <= 1 and 0.9 < hit["confidence"] <= 1 and "right" not in hit
    assert (miss["result"], miss["text"], miss["matchedText"]) == ("rejected", OPPOSITE[1], OPPOSITE[0])
    assert miss["objections"][0]["guard"] == "antonym" and "off" in miss["objections"][0]["detail"]
    number = first.header("x-refrain-request-id")
    assert sidecar.admin("/api/feedback", "POST", {"id": number, "verdict": "down"}).status == 200
    rows = sidecar.admin("/api/neighbours").json()["pairs"]
    assert [(row["witness"], row["right"]) for row in rows if "right" in row] == [("person", False)]
    assert sidecar.admin("/api/purge", "POST", {"all": True}).status == 200
    assert sidecar.admin("/api/neighbours").json() == {"pairs": []}
    assert "THE ADMIN PORT SHOWS WHAT PEOPLE ASK" in sidecar.log_text()


def test_near_questions_are_kept_from_others(semantic, refrain, request):
    settled(semantic, SAME[0][0], namespace(request))
    ask(semantic, SAME[0][1], namespace(request))
    for sidecar, status, code, word in [(semantic, 403, "bodies-off", "log.bodies"), (refrain, 404, "semantic-off", "semantic.mode")]:
        answer = sidecar.admin("/api/neighbours")
        assert (answer.status, answer.json()["error"]["code"]) == (status, code)
        assert word in answer.json()["error"]["message"] and SAME[0][0] not in answer.body.decode()


def test_the_access_log_names_the_match(start, tmp_path):
    path = tmp_path / "access.log"
    sidecar = start(SERVE | {"log.access.path": str(path)})
    first = settled(sidecar, SAME[0][0])
    ask(sidecar, SAME[0][1])
    line = until(
        lambda: [row for row in map(json.loads, path.read_text().splitlines()) if row["outcome"] == "hit-semantic"],
        "the line")[0]
    assert line["matchedKey"] == wire.cache_status(first)["key"].strip('"')
    assert 0.9 < line["similarity"] <= 1


def test_questions_outlive_a_restart(start, folder, tmp_path):
    settings = SERVE | {
        "objects.url": folder.url, "cache.secret": "s", "semantic.snapshot": str(tmp_path / "questions")}
    one = start(settings)
    settled(one, SAME[0][0])
    assert ask(one, SAME[0][1]).outcome == "hit-semantic"
    one.terminate()
    one.wait()
    two = start(settings)
    assert ask(two, SAME[0][1]).outcome == "hit-semantic"


def test_another_sidecar_hears_of_questions(start, redis):
    settings = SERVE | {"redis.url": redis.url, "cache.secret": "s"}
    one, two = start(settings), start(settings)
    settled(one, SAME[0][0])
    learnt(two, 1)
    answer = ask(two, SAME[0][1])
    assert (answer.outcome, answer.header("x-refrain-tier")) == ("hit-semantic", "redis")


def test_questions_of_another_encoder_are_left_alone(start, redis, tmp_path):
    settings = SERVE | {"redis.url": redis.url, "cache.secret": "s", "semantic.snapshot": str(tmp_path / "questions")}
    one, other = start(settings), start(settings | {"semantic.model": "", "semantic.snapshot": ""})
    for text in SAME[0][0], SAME[1][0]:
        settled(one, text)
    until(lambda: other.metrics().sum("refrain_semantic_announcements_total", result="other-matcher") == 2, "both")
    assert other.metrics().sum("refrain_semantic_questions") == 0
    assert other.log_text().count("semantic-strangers") == 1
    # The exact answer is shared, and makes a question of its own kind here.
    assert ask(other, SAME[0][0]).outcome == "hit"
    learnt(other, 1)
    one.terminate()
    one.wait()
    last = start(settings | {"semantic.model": ""})
    assert "semantic-unrestored" in last.log_text()
    assert last.metrics().sum("refrain_semantic_questions") <= 1


def test_what_another_sidecar_kept_before_is_found_by_meaning_after_an_exact_hit(start, folder):
    settings = SERVE | {"objects.url": folder.url, "cache.secret": "s"}
    one = start(settings)
    settled(one, SAME[0][0])
    one.terminate()
    one.wait()
    two = start(settings)
    assert ask(two, SAME[0][0]).header("x-refrain-tier") == "objects"
    learnt(two, 1)
    assert ask(two, SAME[0][1]).outcome == "hit-semantic"


def test_an_exhausted_budget_is_a_miss(start):
    sidecar = start({"semantic.mode": "serve", "semantic.budget": "1ms"})
    # Long enough for the encoder to need more than that on any machine.
    story = " ".join(f"On day {day} of our journey we walked along the river." for day in range(15))
    assert ask(sidecar, f"{story} {SAME[0][0]}").outcome == "miss"
    learnt(sidecar, 1)
    assert ask(sidecar, f"{story} {SAME[0][1]}").outcome == "miss"
    assert sidecar.metrics().sum("refrain_semantic_lookups_total", result="late") == 2


# Folders that hold no encoder: what is done to a copy of the real one, and what the message says.
BROKEN = {
    "absent": (lambda folder: None, "config.json"),
    "no-json": (lambda folder: (folder / "config.json").write_text("{"), "config.json"),
    "truncated": (lambda folder: truncate(folder / "model.safetensors"), "model.safetensors"),
    "no-weights": (lambda folder: (folder / "model.safetensors").unlink(), "model.safetensors"),
    "not-a-number": (lambda folder: poison(folder / "model.safetensors"), "model.safetensors"),
}


def truncate(path):
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:len(content) // 2])


def poison(path):
    content = bytearray(path.read_bytes())
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8:8 + size])
    start = next(value for name, value in header.items() if name.endswith("layer.0.output.dense.weight"))[
        "data_offsets"][0]
    content[8 + size + start:8 + size + start + 4] = b"\xff\xff\xff\x7f"
    path.unlink()
    path.write_bytes(content)


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_model_stops_the_start(tmp_path, fault):
    damage, word = BROKEN[fault]
    folder = tmp_path / "model"
    folder.mkdir()
    if fault != "absent":
        real = pathlib.Path("~/.cache/refrain/models/all-MiniLM-L6-v2").expanduser()
        for file in real.rglob("*"):
            target = folder / file.relative_to(real)
            if file.is_dir():
                target.mkdir(parents=True, exist_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read_bytes())
        damage(folder)
    arguments = [binary(), "serve"]
    for value in ["upstreams=[{url: http://127.0.0.1:1}]", "listen=127.0.0.1:0", "admin.listen=127.0.0.1:0",
                  "semantic.mode=serve", f"semantic.model={folder}"]:
        arguments += ["--set", value]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("REFRAIN_")}
    ended = subprocess.run(arguments, capture_output=True, text=True, timeout=60, env=clean)
    assert ended.returncode == 1
    line = ended.stderr.strip().splitlines()[-1]
    assert line.startswith("refrain: semantic.model: ") and word in line


# A remote encoder


def vectors(seen):
    """An embeddings server that knows a few texts."""
    known = {SAME[0][0]: [1, 0, 0], SAME[0][1]: [0.99, 0.14, 0]}

    def script(call, peer):
        request = call.json()
        seen.append((call.target, dict(call.headers).get("Authorization"), request))
        peer.respond(200, {"object": "list", "model": request["model"], "data": [
            {"object": "embedding", "index": 0, "embedding": known.get(request["input"], [0, 0, 1])}]})

    return script


def remote(encoder):
    return SERVE | {
        "semantic.remote.url": f"http://127.0.0.1:{encoder.port}", "semantic.remote.model": "e",
        "semantic.remote.key": "secret", "semantic.remote.deadline": "5s", "semantic.threshold": 0.9}


def test_a_remote_encoder(start, upstream):
    seen = []
    sidecar = start(remote(upstream(vectors(seen))))
    settled(sidecar, SAME[0][0])
    assert ask(sidecar, SAME[0][1]).outcome == "hit-semantic"
    assert ask(sidecar, "Where is the moon?").outcome == "miss"
    assert seen[0] == ("/v1/embeddings", "Bearer secret", {
        "model": "e", "input": SAME[0][0], "encoding_format": "float"})


def test_a_remote_encoder_that_fails_is_left_alone(start, upstream):
    calls = []

    def script(call, peer):
        calls.append(call)
        peer.respond(500, {"error": {"message": "down"}})

    sidecar = start(remote(upstream(script)))
    for number in range(20):
        assert ask(sidecar, f"question {number}").outcome == "miss"
    assert 5 <= len(calls) < 15
    assert sidecar.metrics().sum("refrain_breaker_state", target="encoder") > 0
    assert sidecar.metrics().sum("refrain_semantic_lookups_total", result="failed") == 20


@pytest.mark.parametrize("content", [
    b"", b"{}", b'{"data":[]}', b'{"data":[{"embedding":[]}]}', b'{"data":[{"embedding":["x"]}]}',
    b'{"data":[{"embedding":[0,0]}]}', b'{"data":[{"embedding":[1e999]}]}'])
def test_a_remote_encoder_that_talks_nonsense(start, upstream, content):
    sidecar = start(remote(upstream(lambda call, peer: peer.respond(200, content))))
    assert ask(sidecar, SAME[0][0]).outcome == "miss"
    assert sidecar.metrics().sum("refrain_semantic_lookups_total", result="failed") == 1
