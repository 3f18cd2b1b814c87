"""The access log, and the traces that requests belong to."""

import json
import os
import re
import signal
import subprocess
import threading

import pytest

from support.requests import MODEL, PATH, body
from support.sidecar import binary, until

CHAT = PATH["chat"]
PRICE = [{"model": MODEL, "input": 2, "output": 10}]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


def lines(path):
    """What is there, whole lines only."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]


def written(path, count):
    return until(lambda: len(lines(path)) >= count and lines(path), f"{count} lines in the access log")


@pytest.fixture
def log(tmp_path):
    return tmp_path / "access.jsonl"


def test_a_line_for_every_request(start, log, prompt):
    sidecar = start({"log.access.path": log, "prices": PRICE})
    request = body("chat", prompt)
    first = sidecar.post(CHAT, request, [("x-refrain-namespace", "shop"), ("Authorization", "Bearer k")])
    sidecar.post(CHAT, request, [("x-refrain-namespace", "shop"), ("Authorization", "Bearer k")])
    sidecar.post(CHAT, b"not json")
    sidecar.get("/v1/files")
    miss, hit, bypass, other = written(log, 4)
    usage = first.json()["usage"]
    assert (miss["dialect"], miss["model"], miss["outcome"], miss["status"]) == ("chat", MODEL, "miss", 200)
    assert (miss["promptTokens"], miss["completionTokens"]) == (usage["prompt_tokens"], usage["completion_tokens"])
    assert 0 < miss["upstreamMs"] <= miss["durationMs"] and "savedUSD" not in miss
    assert (hit["outcome"], hit["tier"], hit["namespace"]) == ("hit", "memory", "shop")
    assert hit["key"] == miss["key"] and re.fullmatch("[0-9a-f]{64}", hit["key"])
    assert hit["tenant"] == miss["tenant"] and re.fullmatch("[0-9a-f]{16}", hit["tenant"])
    assert "upstreamMs" not in hit
    saved = (usage["prompt_tokens"] * 2 + usage["completion_tokens"] * 10) / 1e6
    assert hit["savedUSD"] == pytest.approx(saved)
    assert sidecar.metrics().sum("refrain_saved_cost_usd_total") == pytest.approx(saved)
    assert (bypass["outcome"], bypass["reason"]) == ("bypass", "not-json") and "key" not in bypass
    assert other["outcome"] == "bypass" and "dialect" not in other and other["status"] == 404
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]) for line in lines(log))
    assert len({line["id"] for line in lines(log)}) == 4
    assert prompt not in log.read_text() and "request" not in hit


def test_bodies_only_when_asked_for_and_said_loudly(start, log, prompt):
    sidecar = start({"log.access.path": log, "log.bodies": True})
    # Laid out over several lines, as only JSON's blanks may be.
    request = json.dumps(body("chat", prompt + "\nsecond"), indent=2).replace("\n", "\r\n").encode()
    for _ in range(2):
        sidecar.post(CHAT, request)
    sidecar.post(CHAT, b"not json")
    miss, hit, bypass = written(log, 3)
    assert miss["request"] == hit["request"] == json.loads(request) and "request" not in bypass
    warning, = [line for line in sidecar.log_lines() if line["event"] == "bodies-logged"]
    assert warning["level"] == "warning" and str(log) in warning["message"]
    assert os.stat(log).st_mode & 0o077 == 0


def test_warm_reads_it(start, log, prompt):
    sidecar = start({"log.access.path": log, "log.bodies": True})
    for dialect in PATH:
        for _ in range(3):
            sidecar.post(PATH[dialect], body(dialect, prompt))
    written(log, 15)
    result = subprocess.run(
        [str(binary()), "warm", "--dry-run", "--json", str(log)], capture_output=True, text=True, timeout=30)
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert (told["requests"], told["plan"]["count"]) == (3 * len(PATH), len(PATH))


def test_it_rotates_and_keeps_so_many(start, log, prompt):
    sidecar = start({"log.access.path": log, "log.access.maxSize": "4KiB", "log.access.keep": 2})
    request = body("chat", prompt)
    for _ in range(60):
        sidecar.post(CHAT, request)
    files = until(lambda: (found := sorted(log.parent.iterdir()))[2:] and found, "the files")
    assert [file.name for file in files] == ["access.jsonl", "access.jsonl.1", "access.jsonl.2"]
    assert all(file.stat().st_size <= 4096 for file in files)
    # Nothing is lost or torn at the seams.
    ids = [line["id"] for file in files for line in lines(file)]
    assert len(ids) == len(set(ids))


def test_the_signal_opens_it_anew(start, log, prompt):
    sidecar = start({"log.access.path": log})
    sidecar.post(CHAT, body("chat", prompt))
    written(log, 1)
    log.rename(log.with_suffix(".old"))
    sidecar.process.send_signal(signal.SIGHUP)
    until(log.exists, "a new file")
    sidecar.post(CHAT, body("chat", prompt))
    assert written(log, 1)[0]["outcome"] == "hit"


def test_a_file_that_cannot_be_opened_stops_the_start(start, tmp_path):
    with pytest.raises(AssertionError, match="log.access.path.*cannot be opened"):
        start({"log.access.path": tmp_path / "absent" / "access.jsonl"})


def test_a_pipe_that_nobody_reads_stops_the_start_too(start, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(AssertionError, match="log.access.path.*cannot be opened"):
        start({"log.access.path": tmp_path / "pipe"})


def test_a_file_that_cannot_be_written_costs_no_answer(start, prompt):
    sidecar = start({"log.access.path": "/dev/full"})
    for _ in range(20):
        assert sidecar.post(CHAT, body("chat", prompt)).status == 200
    until(lambda: sidecar.metrics().sum("refrain_access_log_dropped_total") == 20, "the lines to be counted")
    failures = [line for line in sidecar.log_lines() if line["event"] == "access-log-failed"]
    assert len(failures) == 1 and "/dev/full" in failures[0]["reason"]


def test_a_reader_that_stops_does_not_stop_the_answers(start, tmp_path, prompt):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        sidecar = start({"log.access.path": pipe, "limits.workers": 1})
        # Far more than a pipe holds.
        for _ in range(400):
            assert sidecar.post(CHAT, body("chat", prompt)).status == 200
    finally:
        os.close(reader)


# Traces


def upstream_headers(model, count=-1):
    return {name.lower(): value for name, value in model.calls[count].headers}


def test_the_trace_goes_on_to_the_upstream(start, model, log, prompt):
    sidecar = start({"log.access.path": log})
    for path, request, outcome in [(CHAT, body("chat", prompt), "miss"), ("/v1/files", b"{}", "bypass")]:
        sidecar.post(path, request, [("traceparent", TRACEPARENT)])
        version, trace, span, flags = upstream_headers(model)["traceparent"].split("-")
        assert (version, trace, flags) == ("00", TRACE, "01") and span != PARENT
        line = written(log, 1 if outcome == "miss" else 2)[-1]
        assert (line["outcome"], line["trace"], line["parent"], line["id"]) == (outcome, TRACE, PARENT, span)
    sidecar.post(CHAT, body("chat", prompt), [("traceparent", TRACEPARENT)])
    assert (hit := written(log, 3)[-1])["outcome"] == "hit" and hit["trace"] == TRACE


@pytest.mark.parametrize("value", [
    "", "00", f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE.upper()}-{PARENT}-01",
    f"ff-{TRACE}-{PARENT}-01", f"{TRACEPARENT}-more", f"00-{TRACE}-{PARENT}-0g"])
def test_what_is_no_trace_is_left_alone(start, model, log, prompt, value):
    sidecar = start({"log.access.path": log})
    sidecar.post(CHAT, body("chat", prompt), [("traceparent", value)])
    assert upstream_headers(model)["traceparent"] == value
    assert "trace" not in written(log, 1)[0]


class Collector:
    """Keeps the spans it is sent; answers 503 while `fails`."""

    def __init__(self):
        self.spans = []
        self.fails = False
        self.lock = threading.Lock()

    def __call__(self, call, peer):
        if self.fails:
            return peer.respond(503, {"error": "later"})
        assert (call.method, call.target) == ("POST", "/v1/traces")
        resource, = call.json()["resourceSpans"]
        scope, = resource["scopeSpans"]
        assert {"key": "service.name", "value": {"stringValue": "refrain"}} in resource["resource"]["attributes"]
        with self.lock:
            self.spans += scope["spans"]
        peer.respond(200, {})


def attributes(span):
    return {each["key"]: next(iter(each["value"].values())) for each in span["attributes"]}


def test_spans_reach_the_collector(start, upstream, model, prompt):
    collector = Collector()
    port = upstream(collector).port
    sidecar = start({"traces.url": f"http://127.0.0.1:{port}"})
    answer = sidecar.post(CHAT, body("chat", prompt), [("traceparent", TRACEPARENT)])
    sidecar.post(CHAT, body("chat", prompt))
    sidecar.post(CHAT, body("chat", prompt), [("traceparent", TRACEPARENT[:-1] + "0")])
    until(lambda: len(collector.spans) == 2, "two spans")
    miss, hit = collector.spans
    assert (miss["traceId"], miss["parentSpanId"]) == (TRACE, PARENT)
    assert miss["spanId"] == upstream_headers(model)["traceparent"].split("-")[2]
    assert miss["name"] == f"chat {MODEL}" and miss["kind"] == 2
    assert 0 < int(miss["endTimeUnixNano"]) - int(miss["startTimeUnixNano"]) < 20e9
    facts = attributes(miss)
    assert facts["gen_ai.operation.name"] == "chat" and facts["gen_ai.request.model"] == MODEL
    assert int(facts["gen_ai.usage.input_tokens"]) == answer.json()["usage"]["prompt_tokens"]
    assert (facts["refrain.outcome"], facts["http.response.status_code"]) == ("miss", "200")
    # The second began a trace of its own; the third's caller does not record.
    assert hit["traceId"] != TRACE and "parentSpanId" not in hit
    assert attributes(hit)["refrain.tier"] == "memory"


def test_a_crowd_of_spans_arrives_whole(start, upstream, prompt):
    collector = Collector()
    sidecar = start({"traces.url": f"http://127.0.0.1:{upstream(collector).port}"})
    for _ in range(1500):
        sidecar.post(CHAT, body("chat", prompt))
    sidecar.terminate()
    assert sidecar.wait() == 0
    assert len({span["spanId"] for span in collector.spans}) == len(collector.spans) == 1500


def test_a_collector_that_fails_costs_spans_only(start, upstream, prompt):
    collector = Collector()
    collector.fails = True
    port = upstream(collector).port
    sidecar = start({"traces.url": f"http://127.0.0.1:{port}"})
    assert sidecar.post(CHAT, body("chat", prompt)).status == 200
    until(lambda: sidecar.metrics().sum("refrain_spans_dropped_total") == 1, "the span to be counted")
    assert [line for line in sidecar.log_lines() if line["event"] == "traces-failed"]
    collector.fails = False
    sidecar.post(CHAT, body("chat", prompt))
    sidecar.terminate()
    # What waits is sent at the end.
    assert sidecar.wait() == 0 and len(collector.spans) == 1
