"""`refrain warm` and `refrain import` of the real binary, against a running sidecar."""

import collections
import gzip
import json
import os
import signal
import subprocess
import threading
import time

import pytest

from support import model as scripted
from support.sidecar import binary, until
from support.simulated import Simulated

KEY = "test-key"


def body(text, **members):
    return {"model": "scripted", "messages": [{"role": "user", "content": text}]} | members


def write_log(path, counts):
    """A line for each request, those of one prompt spread over the file, in changing spellings."""
    lines = []
    for number, (text, count) in enumerate(counts.items()):
        for turn in range(count):
            request = body(text, stream=True) if turn % 3 == 1 else body(text)
            if turn % 2:
                request = dict(reversed(request.items()))
            lines.append((turn, number, json.dumps(request)))
    lines.sort()
    path.write_text("".join(line + "\n" for _, _, line in lines))
    return path


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


@pytest.fixture
def run(state):
    """Runs a command to its end."""

    def run(*arguments, input=None, environment=None):
        return subprocess.run(
            [str(binary()), *map(str, arguments)], input=input, capture_output=True, timeout=120,
            env=clean(state) | (environment or {}))

    return run


def clean(state):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REFRAIN_")}
    return kept | {"OPENAI_API_KEY": KEY, "XDG_STATE_HOME": str(state)}


def result(done):
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def popular(prompt):
    return {f"{prompt} popular {number}": 12 - number for number in range(8)} | {f"{prompt} rare": 1}


def test_the_top_is_asked_and_live_requests_hit(refrain, model, run, tmp_path, popular, prompt):
    log = write_log(tmp_path / "log.jsonl", popular)
    done = run("warm", log, "--top", 5, "--json", "--url", refrain.base)
    assert done.returncode == 0, done.stderr
    assert result(done)["result"] | {"seconds": 0} == {
        "planned": 5, "resumed": 0, "hits": 0, "asked": 5, "refreshed": 0, "failed": 0, "tokens": result(done)["result"]["tokens"],
        "costUSD": 0, "seconds": 0, "failures": []}
    assert result(done)["result"]["tokens"] > 0
    assert model.count(prompt) == 5
    for text, count in popular.items():
        answer = refrain.post("/v1/chat/completions", body(text))
        assert answer.outcome == ("hit" if count > 7 else "miss"), text
    calls = model.count(prompt)
    again = result(run("warm", log, "--top", 5, "--json", "--url", refrain.base))["result"]
    assert (again["hits"], again["asked"], model.count(prompt)) == (5, 0, calls)


def test_a_dry_run_asks_nothing(refrain, model, run, tmp_path, popular, prompt):
    log = write_log(tmp_path / "log.jsonl", popular)
    done = run("warm", log, "--dry-run", "--json", "--url", "http://127.0.0.1:1")
    assert done.returncode == 0, done.stderr
    told = result(done)
    assert (told["lines"], told["requests"], told["distinct"], told["isExact"]) == (69, 69, 9, True)
    assert [one["count"] for one in told["plan"]["prompts"]] == [12, 11, 10, 9, 8, 7, 6, 5]
    assert told["plan"]["covered"] == 68
    assert told["plan"]["coldHitRate"] == pytest.approx(60 / 69)
    assert told["plan"]["warmHitRate"] == pytest.approx(68 / 69)
    assert b"would ask" in run("warm", log, "--dry-run").stdout
    assert model.count(prompt) == 0


@pytest.mark.parametrize("way", ["stdin", "gzip", "gzip-stdin", "members"])
def test_other_sources(refrain, model, run, tmp_path, popular, prompt, way):
    plain = write_log(tmp_path / "log.jsonl", popular).read_bytes()
    if way == "stdin":
        done = run("warm", "-", "--json", "--url", refrain.base, input=plain)
    elif way == "gzip-stdin":
        done = run("warm", "-", "--json", "--url", refrain.base, input=gzip.compress(plain))
    else:
        half = plain.index(b"\n", len(plain) // 2) + 1
        packed = gzip.compress(plain[:half]) + gzip.compress(plain[half:]) if way == "members" else gzip.compress(plain)
        (tmp_path / "log.gz").write_bytes(packed)
        done = run("warm", tmp_path / "log.gz", "--json", "--url", refrain.base)
    assert done.returncode == 0, done.stderr
    assert (result(done)["lines"], result(done)["result"]["asked"]) == (69, 8)
    assert model.count(prompt) == 8


def test_damaged_gzip_is_said_and_what_was_read_is_used(refrain, run, tmp_path, popular):
    plain = write_log(tmp_path / "log.jsonl", popular).read_bytes()
    packed = gzip.compress(plain)
    (tmp_path / "short.gz").write_bytes(packed[:-10])
    (tmp_path / "bad.gz").write_bytes(packed[:-8] + bytes(8))
    for name, reason in [("short.gz", b"ends too early"), ("bad.gz", b"damaged gzip")]:
        done = run("warm", tmp_path / name, "--dry-run", "--json")
        assert done.returncode == 1
        assert reason in done.stderr and b"what came before was used" in done.stderr
        assert result(done)["plan"]["count"] == 8
    (tmp_path / "none.gz").write_bytes(b"\x1f\x8bnothing")
    done = run("warm", tmp_path / "none.gz", "--dry-run")
    assert done.returncode == 1 and b"damaged gzip" in done.stderr


def test_malformed_lines_are_counted(run, tmp_path, prompt):
    good = json.dumps(body(prompt)).encode()
    lines = [
        b"\xef\xbb\xbf" + good + b"\r", good, b"", b"   ", b"{\"model\":", b"\xff\xfe{}", b"[1]", b"{\"a\":1}",
        b"7\ta prompt", b"x" * (50 << 20), good.replace(b"{", b"{\"model\":\"twice\",", 1),
        b"{\"time\":1,\"dialect\":\"chat\",\"outcome\":\"hit\"}",
        b"{\"custom_id\":\"1\",\"response\":{\"status_code\":200,\"body\":{}}}", good]
    log = tmp_path / "odd.jsonl"
    log.write_bytes(b"\n".join(lines))
    (tmp_path / "empty.jsonl").write_bytes(b"")
    done = run("warm", log, tmp_path / "empty.jsonl", "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    told = result(done)
    assert (told["lines"], told["requests"], told["blank"]) == (14, 3, 2)
    reasons = {row["reason"]: row["first"] for row in told["unusable"]}
    assert reasons == {
        "not-json": [f"{log}:5", f"{log}:7"], "not-utf-8": [f"{log}:6"], "unknown-shape": [f"{log}:8"],
        "no-model": [f"{log}:9"], "too-long": [f"{log}:10"], "request-duplicate-member": [f"{log}:11"],
        "no-body": [f"{log}:12"], "answer-only": [f"{log}:13"]}
    assert b"odd.jsonl:10" in run("warm", log, "--dry-run").stdout


def test_failing_prompts_are_reported_and_stop_nothing(refrain, model, run, tmp_path, popular, prompt):
    def script(call, peer):
        if b"popular 2" in call.body or b"popular 4" in call.body:
            peer.respond(500, {"error": {"message": "the model is out of order"}})
        else:
            scripted.script(call, peer)

    model.script = script
    log = write_log(tmp_path / "log.jsonl", popular)
    done = run("warm", log, "--json", "--url", refrain.base)
    assert done.returncode == 1
    told = result(done)["result"]
    assert (told["asked"], told["failed"]) == (6, 2)
    assert all("500" in failure["message"] and "out of order" in failure["message"] for failure in told["failures"])
    assert b"2 of 8 prompts failed; --resume asks them again" in done.stderr
    model.script = scripted.script
    calls = model.count(prompt)
    done = run("warm", log, "--json", "--resume", "--url", refrain.base)
    assert done.returncode == 0, done.stderr
    assert (result(done)["result"]["resumed"], result(done)["result"]["asked"]) == (6, 2)
    assert model.count(prompt) == calls + 2


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_run_is_resumed_and_nothing_is_asked_twice(refrain, model, run, state, tmp_path, prompt, blow):
    def script(call, peer):
        time.sleep(0.05)
        scripted.script(call, peer)

    model.script = script
    log = write_log(tmp_path / "log.jsonl", {f"{prompt} {number:03}.": 2 for number in range(60)})
    arguments = ["warm", str(log), "--json", "--concurrency", "3", "--url", refrain.base]
    process = subprocess.Popen(
        [str(binary()), *arguments], env=clean(state), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until(lambda: model.count(prompt) >= 15, "the run to be under way")
    process.send_signal(blow)
    out, err = process.communicate(timeout=30)
    if blow == signal.SIGINT:
        assert process.returncode == 1 and b"--resume goes on" in err
        assert json.loads(out)["result"]["stopped"] == "interrupted"
    first = model.count(prompt)
    assert first < 60
    done = run(*arguments, "--resume")
    assert done.returncode == 0, done.stderr
    told = result(done)["result"]
    assert told["resumed"] + told["hits"] + told["asked"] == 60
    assert told["resumed"] >= 10
    asked = collections.Counter(
        call.json()["messages"][0]["content"] for call in model.calls if prompt.encode() in call.body)
    assert len(asked) == 60 and set(asked.values()) == {1}, asked.most_common(3)
    assert not list((state / "refrain").iterdir()), "a finished run leaves no journal"


def test_a_run_outlives_its_sidecar_and_is_resumed_with_the_next(start, model, run, state, tmp_path, prompt):
    def script(call, peer):
        time.sleep(0.05)
        scripted.script(call, peer)

    model.script = script
    sidecar = start()
    log = write_log(tmp_path / "log.jsonl", {f"{prompt} {number:03}.": 2 for number in range(40)})
    arguments = ["warm", str(log), "--json", "--concurrency", "3", "--url", sidecar.base]
    process = subprocess.Popen(
        [str(binary()), *arguments], env=clean(state), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until(lambda: model.count(prompt) >= 10, "the run to be under way")
    sidecar.terminate(signal.SIGKILL)
    sidecar.wait()
    out, err = process.communicate(timeout=60)
    told = json.loads(out)["result"]
    assert process.returncode == 1 and told["failed"] > 0 and told["asked"] + told["failed"] == 40, err
    start({"listen": f"127.0.0.1:{sidecar.port}"})
    done = run(*arguments, "--resume")
    assert done.returncode == 0, done.stderr
    again = result(done)["result"]
    assert (again["resumed"], again["asked"]) == (told["asked"], told["failed"])
    asked = collections.Counter(
        call.json()["messages"][0]["content"] for call in model.calls if prompt.encode() in call.body)
    # Only what was under way when the sidecar died is really asked again.
    assert len(asked) == 40 and sum(asked.values()) <= 43 and max(asked.values()) <= 2


def test_the_model_is_killed_in_the_middle_and_nothing_is_asked_twice(start, servers, run, state, tmp_path):
    first = servers(Simulated("--first-token", "30ms"))
    sidecar = start(port=first.port)
    log = write_log(tmp_path / "log.jsonl", {f"question {number:03}" : 2 for number in range(60)})
    arguments = ["warm", str(log), "--json", "--concurrency", "3", "--url", sidecar.base]
    process = subprocess.Popen(
        [str(binary()), *arguments], env=clean(state), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until(lambda: first.calls() >= 10, "the run to be under way")
    first.close()
    out, err = process.communicate(timeout=60)
    told = json.loads(out)["result"]
    assert process.returncode == 1 and b"--resume asks them again" in err
    assert told["asked"] + told["failed"] == 60 and told["asked"] >= 7 and told["failed"] > 0
    second = servers(Simulated(port=first.port))
    # A server that was out is tried again after a while.
    until(lambda: sidecar.post("/v1/chat/completions", body("are you back")).status == 200, "the model to be back", 60)
    before = second.calls()
    again = result(run(*arguments, "--resume"))["result"]
    assert (again["resumed"], again["asked"], again["failed"]) == (told["asked"], told["failed"], 0)
    # What had an answer before the blow is not asked of the model again.
    assert second.calls() - before == told["failed"]


def test_a_journal_never_replaces_another_file(refrain, run, tmp_path, popular):
    log = write_log(tmp_path / "log.jsonl", popular)
    precious = tmp_path / "precious"
    precious.write_text("my thesis\n")
    done = run("warm", log, "--journal", precious, "--url", refrain.base)
    assert done.returncode == 1 and b"something else than a journal" in done.stderr
    assert precious.read_text() == "my thesis\n"


def test_budgets_rates_and_prices(refrain, model, run, tmp_path, popular, prompt):
    log = write_log(tmp_path / "log.jsonl", popular)
    prices = tmp_path / "prices.json"
    prices.write_text(json.dumps({"scripted": {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}}))
    told = result(run("warm", log, "--dry-run", "--json", "--prices", prices))["plan"]
    assert 8 * 400 * 2e-6 < told["costUSD"] < 8 * 450 * 2e-6
    cheap = result(run("warm", log, "--dry-run", "--json", "--prices", prices, "--max-cost", told["costUSD"] / 2))["plan"]
    assert cheap["count"] == 4 and cheap["costUSD"] <= told["costUSD"] / 2
    few = result(run("warm", log, "--dry-run", "--json", "--max-tokens-budget", 1000))["plan"]
    assert few["count"] == 2 and few["tokens"] <= 1000
    listed = tmp_path / "listed.json"
    listed.write_text(json.dumps([{"model": "scripted", "input": 1, "output": 2}]))
    assert result(run("warm", log, "--dry-run", "--json", "--prices", listed))["plan"]["costUSD"] == told["costUSD"]
    unpriced = result(run("warm", log, "--dry-run", "--json", "--max-cost", 1))
    assert unpriced["plan"]["count"] == 0 and b"have no price" in run("warm", log, "--dry-run", "--max-cost", 1).stdout
    started = time.monotonic()
    done = run("warm", log, "--rate", 20, "--concurrency", 8, "--prices", prices, "--url", refrain.base)
    assert done.returncode == 0 and b"cost" in done.stdout, done.stderr
    assert time.monotonic() - started > 7 / 20
    assert model.count(prompt) == 8


def test_formats_and_headers(refrain, model, run, tmp_path, prompt):
    texts = [f"{prompt} {word}." for word in ("batch", "access", "litellm", "claude")]
    claude = {"model": "claude-x", "max_tokens": 9, "messages": [{"role": "user", "content": texts[3]}]}
    records = [
        {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": body(texts[0])},
        {"time": "2026-01-01T00:00:00Z", "dialect": "chat", "key": "k", "outcome": "miss", "request": body(texts[1])},
        {"id": "x", "call_type": "acompletion", "startTime": 1767225600.5, "model": "scripted",
         "messages": body(texts[2])["messages"], "model_parameters": {"temperature": 0, "top_p": None}},
        {"time": 1767225600, "endpoint": "/v1/messages", "request": claude, "count": 3}]
    log = tmp_path / "mixed.jsonl"
    log.write_text("".join(json.dumps(record) + "\n" for record in records) + f"5\t{prompt} text.\n")
    done = run(
        "warm", log, "--min-count", 1, "--json", "--model", "scripted", "--system", "Be brief.", "--ttl", "1h", "--url",
        refrain.base, environment={"ANTHROPIC_API_KEY": "other-key"})
    assert done.returncode == 0, done.stderr
    assert result(done)["formats"] == {"batch": 1, "access": 2, "litellm": 1, "text": 1}
    assert model.count(prompt) == 5
    call = model.last("claude")
    assert (call.header("x-api-key"), call.header("authorization"), call.target) == ("other-key", None, "/v1/messages")
    assert model.last("litellm").json() == body(texts[2], temperature=0)
    assert model.last("text").json()["messages"] == [
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": f"{prompt} text."}]
    assert not [name for name, _ in call.headers if name.lower().startswith("x-refrain")]
    hit = refrain.post("/v1/chat/completions", body(texts[0]))
    assert hit.outcome == "hit" and "ttl=3" in hit.header("cache-status")
    old = result(run("warm", log, "--min-count", 1, "--dry-run", "--json", "--since", "2026-06-01"))
    assert (old["old"], old["plan"]["count"]) == (3, 1)
    only = result(run("warm", log, "--min-count", 1, "--dry-run", "--json", "--format", "batch"))
    assert only["plan"]["count"] == 1
    assert {row["reason"]: row["count"] for row in only["unusable"]} == {"other-format": 3, "no-model": 1}


def test_what_cannot_be_cached_and_who_does_not_answer(refrain, upstream, run, tmp_path, prompt):
    log = tmp_path / "log.jsonl"
    log.write_text(json.dumps({"model": "scripted", "input": prompt, "background": True}) + "\n")
    told = result(run("warm", log, "--min-count", 1, "--dry-run", "--json"))
    assert told["unusable"][0]["reason"] == "request-stateful"
    write_log(log, {prompt: 2})
    nobody = run("warm", log, "--url", "http://127.0.0.1:1")
    assert nobody.returncode == 1 and b"1 of 1 prompts failed" in nobody.stderr
    direct = upstream(scripted.script)
    done = run("warm", log, "--url", f"http://127.0.0.1:{direct.port}")
    assert done.returncode == 1 and b"not answered by a sidecar" in done.stderr
    assert run("warm", tmp_path / "absent").returncode == 1


@pytest.mark.parametrize("words, message", [
    (["warm"], b"FILE is missing"), (["warm", "x", "--format", "batsh"], b"did you mean batch"),
    (["warm", "x", "--top", "0"], b"--top"), (["warm", "x", "--since", "soon"], b"--since"),
    (["warm", "x", "--ttl", "soon"], b"--ttl"), (["warm", "x", "--half-life", "999ms"], b"--half-life"), (["warm", "-", "-"], b"given twice"),
    (["import", "x", "--format", "text"], b"has no answers")])
def test_wrong_use(run, words, message):
    done = run(*words)
    assert done.returncode == 2 and message in done.stderr, done.stderr


class Importer:
    """An admin port that takes imports, and says of each line what `refuse` says of it."""

    def __init__(self, upstream, refuse=lambda pair: None):
        self.pairs = []
        self.headers = []

        def script(call, peer):
            self.headers.append({name.lower(): value for name, value in call.headers})
            pairs = [json.loads(line) for line in call.body.splitlines()]
            self.pairs += pairs
            refused = [
                {"line": number, "reason": refuse(pair)} for number, pair in enumerate(pairs, 1) if refuse(pair)]
            peer.respond(200, {"stored": len(pairs) - len(refused), "refused": refused})

        self.port = upstream(script).port


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_batch_is_joined_and_imported(upstream, run, tmp_path, order):
    inputs = [
        {"custom_id": f"id-{n}", "method": "POST", "url": "/v1/chat/completions", "body": body(f"q{n}")} for n in range(5)]
    answers = [
        {"id": "b", "custom_id": f"id-{n}", "error": None,
         "response": {"status_code": 500 if n == 3 else 200, "request_id": "r", "body": {"answer": n}}}
        for n in (4, 2, 0, 3, 9)]
    files = [tmp_path / "in.jsonl", tmp_path / "out.jsonl"]
    for file, records in zip(files, (inputs, answers)):
        file.write_text("".join(json.dumps(record) + "\n" for record in records))
    admin = Importer(upstream, lambda pair: "incomplete" if pair["response"]["answer"] == 2 else None)
    done = run("import", *(files[place] for place in order), "--ttl", "2h", "--json", "--admin", f"127.0.0.1:{admin.port}")
    assert done.returncode == 1 and b"1 pairs were refused: incomplete 1" in done.stderr
    assert {pair["response"]["answer"]: pair["request"] for pair in admin.pairs} == {
        n: body(f"q{n}") for n in (0, 2, 4)}
    assert {pair["dialect"] for pair in admin.pairs} == {"chat"}
    assert admin.headers[0]["x-import-authorization"] == f"Bearer {KEY}"
    assert admin.headers[0]["x-import-x-refrain-ttl"] == "2h"
    told = result(done)
    assert (told["pairs"], told["stored"], told["refused"]) == (3, 2, 1)
    assert {row["reason"]: row["count"] for row in told["unusable"]} == {
        "failed-answer": 1, "no-answer": 2, "no-request": 1}


def test_logged_pairs_are_imported_from_a_pipe(upstream, run):
    pairs = [{"request": body(f"q{n}"), "response": {"choices": [n]}} for n in range(2500)]
    claude = {"model": "claude", "system": "s", "messages": []}
    pairs.append({"dialect": "messages", "request": claude, "response": {"content": []}})
    text = "".join(json.dumps(pair) + "\n" for pair in pairs).encode()
    admin = Importer(upstream)
    done = run(
        "import", "-", "--json", "--admin", f"127.0.0.1:{admin.port}", input=gzip.compress(text),
        environment={"ANTHROPIC_API_KEY": "other-key"})
    assert done.returncode == 0, done.stderr
    assert result(done)["stored"] == 2501
    assert [pair["request"] for pair in admin.pairs] == [pair["request"] for pair in pairs]
    assert [("x-import-x-api-key" in headers) for headers in admin.headers] == [False, False, False, True]


def test_imported_answers_are_served_without_a_call(refrain, model, run, tmp_path, prompt):
    """The whole way, through a real sidecar's admin port."""
    requests = [body(f"{prompt} {number}") for number in range(4)]
    answers = [scripted.chat(request, 1000 + number).whole for number, request in enumerate(requests)]
    answers[2]["choices"][0]["finish_reason"] = None
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text("".join(
        json.dumps({"request": request, "response": answer}) + "\n" for request, answer in zip(requests, answers))
        + "not json\n")
    done = run("import", pairs, "--json", "--admin", f"127.0.0.1:{refrain.admin_port}")
    told = result(done)
    assert done.returncode == 1 and (told["stored"], told["refused"]) == (3, 1), done.stderr
    for number in (0, 1, 3):
        whole = refrain.post("/v1/chat/completions", requests[number])
        assert (whole.outcome, whole.json()) == ("hit", answers[number])
        stream = refrain.post("/v1/chat/completions", requests[number] | {"stream": True})
        assert stream.outcome == "hit" and b"[DONE]" in stream.body
    # Another's credential has none of it.
    other = refrain.post("/v1/chat/completions", requests[0], [("Authorization", "Bearer somebody-else")])
    assert other.outcome == "miss"
    assert refrain.post("/v1/chat/completions", requests[2]).outcome == "miss"
    assert model.count(prompt) == 2


def test_an_import_without_a_sidecar_fails(run, tmp_path):
    (tmp_path / "pairs.jsonl").write_text(json.dumps({"request": body("q"), "response": {}}) + "\n")
    done = run("import", tmp_path / "pairs.jsonl", "--admin", "127.0.0.1:1")
    assert done.returncode == 1 and b"no sidecar answers" in done.stderr


def test_warming_counts_as_nobodys_request(start, run, tmp_path, popular, prompt):
    sidecar = start({"log.access.path": tmp_path / "access.jsonl", "log.bodies": True})
    log = write_log(tmp_path / "log.jsonl", popular)
    for _ in range(2):
        assert run("warm", log, "--top", 5, "--url", sidecar.base).returncode == 0
    sidecar.post("/v1/chat/completions", body(max(popular, key=popular.get)))
    metrics = until(
        lambda: (m := sidecar.metrics()).sum("refrain_requests_total") == 1 and m, "the one request to be counted")
    assert metrics.sum("refrain_requests_total", outcome="hit") == metrics.sum("refrain_responses_total") == 1
    warmed = metrics.by("refrain_warm_requests_total", "outcome")
    assert {outcome: count for outcome, count in warmed.items() if count} == {"hit": 5, "miss": 5}
    shown = sidecar.admin("/api/stats").json()
    assert shown["hitRate"] == 1 and [row["requests"] for row in shown["models"]] == [1]
    # Or a prompt that was popular once would be so for ever.
    access = tmp_path / "access.jsonl"
    until(lambda: len(access.read_text().splitlines()) == 11, "the access log")
    told = result(run("warm", access, "--dry-run", "--json", "--min-count", 1))
    assert told["requests"] == 1 and [(row["reason"], row["count"]) for row in told["unusable"]] == [("warming", 10)]


def test_live_traffic_goes_on_while_warming(refrain, model, run, tmp_path, prompt):
    log = write_log(tmp_path / "log.jsonl", {f"{prompt} {number:03}.": 2 for number in range(200)})
    refrain.post("/v1/chat/completions", body(f"{prompt} live"))
    warming = threading.Thread(target=lambda: run("warm", log, "--concurrency", 16, "--url", refrain.base))
    warming.start()
    outcomes = set()
    while warming.is_alive():
        outcomes.add(refrain.post("/v1/chat/completions", body(f"{prompt} live")).outcome)
    assert outcomes == {"hit"}
