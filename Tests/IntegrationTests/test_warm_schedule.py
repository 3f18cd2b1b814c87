"""Warming that goes on while a sidecar runs, in front of the simulated model."""

import json
import os
import signal
import subprocess

import pytest

from support.sidecar import binary, setting, until
from support.simulated import Simulated

CHAT = "/v1/chat/completions"
SCHEDULE = {"warm.every": "1s", "warm.credential": "test-key"}


def body(text):
    return {"model": "simulated", "messages": [{"role": "user", "content": text}]}


def write(path, counts):
    path.write_text("".join((json.dumps(body(text)) + "\n") * count for text, count in counts.items()))
    return path


def runs(sidecar):
    """What was logged of the runs so far."""
    return [line for line in sidecar.log_lines() if line["event"] == "warmed"]


def after(sidecar, count):
    """Waits for so many more runs than there were; the last one."""
    wanted = len(runs(sidecar)) + count
    return until(lambda: len(runs(sidecar)) >= wanted and runs(sidecar)[-1], f"{wanted} runs")


@pytest.fixture
def sim(servers):
    return servers(Simulated())


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log.jsonl"


def test_a_new_sidecar_is_warmed_from_the_access_log(start, servers, tmp_path):
    sim = servers(Simulated())
    log = tmp_path / "access.jsonl"
    logging = {"log.access.path": log, "log.bodies": True}
    first = start(logging, port=sim.port)
    popular = [f"popular {number}" for number in range(5)]
    for text in [*popular * 3, "rare"]:
        assert first.post(CHAT, body(text)).status == 200
    until(lambda: log.exists() and len(log.read_text().splitlines()) == 16, "the access log")
    first.terminate()
    assert first.wait() == 0
    second = start(logging | SCHEDULE | {"warm.source": log}, port=sim.port)
    assert not [line for line in second.log_lines() if line["event"] == "warm-useless"]
    until(lambda: second.metrics().sum("refrain_warm_prompts_total", result="asked") == 5, "the prompts to be asked")
    line = after(second, 2)
    assert (line["level"], line["end"], line["prompts"], line["hit"], line["asked"]) == ("info", "complete", 5, 5, 0)
    # Its own requests are in the log, too, and make nothing more popular.
    assert line["requests"] == 16 < line["lines"]
    assert sim.calls() == 6 + 5
    assert [second.post(CHAT, body(text)).outcome for text in [*popular, "rare"]] == ["hit"] * 5 + ["miss"]
    metrics = until(
        lambda: (m := second.metrics()).sum("refrain_requests_total") == 6 and m, "the requests to be counted")
    assert metrics.sum("refrain_warm_runs_total", end="complete") >= 3
    assert metrics.sum("refrain_warm_last_run_timestamp_seconds") > 1.7e9
    assert metrics.sum("refrain_warm_requests_total", outcome="miss") == 5
    warming = second.admin("/api/stats").json()["warming"]
    assert warming["asked"] == 5 and warming["hits"] >= 10 and warming["failed"] == 0
    told = subprocess.run(
        [str(binary()), "stats", "--admin", f"127.0.0.1:{second.admin_port}"], capture_output=True, text=True, timeout=30)
    assert "5 asked" in next(line for line in told.stdout.splitlines() if line.startswith("warming"))


def test_a_popular_answer_never_expires(start, sim, log):
    """Across the end of its life: nobody ever misses, and it is asked anew long before."""
    write(log, {"popular": 3})
    sidecar = start({**SCHEDULE, "warm.source": log, "cache.ttl": "5s"}, port=sim.port)
    until(lambda: sidecar.metrics().sum("refrain_warm_prompts_total", result="asked") == 1, "the first answer")
    ages = []

    def refreshed_twice():
        answer = sidecar.post(CHAT, body("popular"))
        assert answer.outcome == "hit", answer.header("cache-status")
        ages.append(int(answer.header("age")))
        return sim.calls() >= 3

    until(refreshed_twice, "two refreshes", 60)
    assert max(ages) < 5
    metrics = until(
        lambda: (m := sidecar.metrics()).sum("refrain_warm_prompts_total", result="refreshed") == 2 and m, "the count")
    assert metrics.sum("refrain_warm_prompts_total", result="asked") == 1
    assert metrics.sum("refrain_requests_total", outcome="miss") == 0


def test_without_refreshing_ahead_it_is_asked_when_it_has_expired(start, sim, log):
    write(log, {"popular": 3})
    sidecar = start(
        {**SCHEDULE, "warm.source": [str(log)], "warm.refreshAhead": 0, "cache.ttl": "2s", "cache.staleIfError": 0,
         "cache.staleWhileRevalidate": 0}, port=sim.port)
    until(lambda: sim.calls() >= 3, "three calls", 60)
    assert sidecar.metrics().sum("refrain_warm_prompts_total", result="refreshed") == 0


def test_logs_may_be_missing_moved_or_nonsense(start, sim, log, tmp_path):
    other = tmp_path / "other.jsonl"
    sidecar = start({**SCHEDULE, "warm.source": [str(log), str(other)]}, port=sim.port)
    line = after(sidecar, 1)
    assert (line["level"], line["end"], line["prompts"]) == ("warning", "unreadable", 0) and str(log) in line["unread"]
    log.write_bytes(os.urandom(100_000) + b"\n" + json.dumps(body("cut off")).encode()[:-5])
    other.write_bytes(b"\x1f\x8bnothing")
    line = after(sidecar, 2)
    assert line["end"] == "complete" and "unusable" in line and "damaged gzip" in line["unread"]
    write(other, {"a good one": 2})
    until(lambda: runs(sidecar)[-1].get("hit") == 1, "the good one to be warm")
    log.rename(tmp_path / "log.jsonl.1")
    write(log, {"after the move": 2, "a good one": 1})
    until(lambda: runs(sidecar)[-1].get("hit") == 2, "both to be warm")
    assert sim.calls() == 2
    assert sidecar.metrics().sum("refrain_warm_runs_total", end="unreadable") >= 1


def test_a_model_that_is_out_is_asked_no_more_than_a_few_times(start, servers, log):
    sim = servers(Simulated())
    write(log, {f"prompt {number}": 2 for number in range(200)})
    port = sim.port
    sim.close()
    sidecar = start({**SCHEDULE, "warm.source": log, "warm.rate": 100_000}, port=port)
    line = after(sidecar, 1)
    assert (line["level"], line["end"]) == ("warning", "failing") and line["failed"] < 30 and "502" in line["failure"]
    servers(Simulated(port=port))
    until(lambda: runs(sidecar)[-1].get("hit") == 200, "the prompts to be warm", 60)


def test_a_budget_of_tokens_ends_a_run_and_the_next_goes_on(start, sim, log):
    write(log, {f"prompt {number}": 2 for number in range(20)})
    sidecar = start({**SCHEDULE, "warm.source": log, "warm.maxTokens": 1, "warm.concurrency": 1}, port=sim.port)
    line = after(sidecar, 1)
    assert (line["end"], line["asked"]) == ("budget", 1) and line["tokens"] > 1
    line = after(sidecar, 1)
    assert (line["end"], line["hit"], line["asked"]) == ("budget", 1, 1)


def test_a_stop_in_the_middle_of_a_run_is_polite(start, servers, log):
    sim = servers(Simulated("--first-token", "400ms"))
    write(log, {f"prompt {number}": 2 for number in range(100)})
    sidecar = start({**SCHEDULE, "warm.source": log}, port=sim.port)
    until(lambda: sim.calls() >= 2, "a run to be under way")
    sidecar.terminate(signal.SIGTERM)
    assert sidecar.wait() == 0
    line, = runs(sidecar)
    assert line["end"] == "stopped" and line["failed"] == 0 and 0 < line["asked"] < 100
    assert sim.calls() == line["asked"]


def test_a_stop_does_not_wait_for_what_takes_too_long(start, servers, log):
    sim = servers(Simulated("--first-token", "60s"))
    write(log, {f"prompt {number}": 2 for number in range(5)})
    sidecar = start({**SCHEDULE, "warm.source": log, "limits.drainTimeout": "500ms"}, port=sim.port)
    until(lambda: sim.calls() >= 2, "a run to be under way")
    sidecar.terminate(signal.SIGTERM)
    assert sidecar.wait() == 0
    line, = runs(sidecar)
    assert (line["end"], line["asked"], line["failed"]) == ("stopped", 0, 2)


@pytest.mark.parametrize("settings, message", [
    ({}, "warm.credential is empty"),
    ({"warm.credential": "k", "cache.partition": "header:x-team"}, "without x-team"),
    ({"cache.partition": "shared", "log.access.path": "SOURCE"}, "log.bodies"),
])
def test_what_makes_it_useless_is_said(start, log, settings, message):
    settings = {name: log if value == "SOURCE" else value for name, value in settings.items()}
    sidecar = start({"warm.source": log} | settings)
    line, = until(lambda: [line for line in sidecar.log_lines() if line["event"] == "warm-useless"], "the warning")
    assert line["level"] == "warning" and message in line["message"]


@pytest.mark.parametrize("settings, message", [
    ({"warm.source": "x", "warm.refreshAhead": "30m"}, "shorter than warm.every"),
    ({"warm.halfLife": "5ms"}, "at least 1s"), ({"warm.every": "10ms"}, "warm.every"),
    ({"warm.source": [["x"]]}, "warm.source"), ({"warm.sorce": "x"}, "warm.source"),
])
def test_settings_are_checked(settings, message):
    arguments = [part for name, value in settings.items() for part in ("--set", f"{name}={setting(value)}")]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("REFRAIN_")}
    done = subprocess.run(
        [str(binary()), "config", "print", *arguments], capture_output=True, text=True, timeout=30, env=clean)
    assert done.returncode != 0 and message in done.stderr, done.stderr
