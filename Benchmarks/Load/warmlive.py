"""Live traffic beside `refrain warm`: how much longer answers take while the cache is warmed at full speed."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import load
import servers
import workload
from plan import Plan
from processes import CLIENT_CORE, Server
from report import Bar, ranged, table

HERE = Path(__file__).resolve().parent
# The model's, in seconds.
DELAY = 0.02
# Connections and the pause of each between two requests, in milliseconds.
LIVE = {"hits": (8, 5), "misses": (4, 20)}
CONCURRENCY = 16
# More than are asked within a round.
PROMPTS = 30_000
WAYS = ("alone", "beside warm")
LIMIT = 1.2


def measure(plan: Plan) -> None:
    if not plan.has_refrain:
        return
    origin = plan.yard.origin(DELAY)
    refrain = plan.yard.refrain(origin)
    work = workload.workload("live", streamed=False, salt="live")
    load.prime(refrain, work.requests(refrain.port), ("x-refrain-cache", "hit"))
    hits = load.target(refrain, work, plan.yard.folder)
    taken: dict[str, list[dict[str, dict[str, float]]]] = {way: [] for way in WAYS}
    warmed: list[float] = []
    for number in range(plan.rounds + 1):
        for way in WAYS:
            with refrain.awake(), _warming(plan, refrain, origin, number, way != "alone"):
                calls, start = servers.origin_calls(origin), time.monotonic()
                figures = _live(plan, refrain, hits, f"{number}-{way}")
                rate = (servers.origin_calls(origin) - calls) / (time.monotonic() - start)
            # The first round is thrown away.
            if number > 0:
                taken[way].append(figures)
                if way != "alone":
                    warmed.append(rate - figures["misses"]["rate"])
    _judge(plan, taken, warmed)


@contextmanager
def _warming(plan: Plan, refrain: Server, origin: Server, number: int, is_wanted: bool) -> Iterator[None]:
    """`refrain warm` at full speed, with prompts that nobody has asked; on any core, as the system likes."""
    if not is_wanted:
        yield
        return
    log = plan.yard.folder / f"warm-{number}.jsonl"
    text = "a prompt that many have asked before " * 24
    with log.open("w") as file:
        for prompt in range(PROMPTS):
            messages = [{"role": "user", "content": f"{number} {prompt} {text}"}]
            file.write(json.dumps({"model": workload.MODEL, "messages": messages}) + "\n")
    command = [str(plan.yard.program), "warm", str(log), "--min-count", "1", "--top", str(PROMPTS), "--concurrency"]
    command += [str(CONCURRENCY), "--url", f"http://127.0.0.1:{refrain.port}", "--journal", str(log) + ".journal"]
    before = servers.origin_calls(origin)
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | {"OPENAI_API_KEY": "sk-bench"})
    try:
        deadline = time.monotonic() + 30
        while servers.origin_calls(origin) - before < CONCURRENCY * 4:
            if process.poll() is not None or time.monotonic() > deadline:
                raise load.WrongAnswer("refrain warm does not ask")
            time.sleep(0.05)
        yield
        if process.poll() is not None:
            raise load.WrongAnswer("refrain warm ended before the round: it was not measured beside it")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        log.unlink()


def _live(plan: Plan, refrain: Server, hits: load.Target, mark: str) -> dict[str, dict[str, float]]:
    """One round of both kinds of requests at once."""
    misses = plan.yard.folder / f"misses-{mark}.requests"
    count = round(plan.seconds * 1000)
    bodies = [workload.request(workload.body(f"{mark}-{one}", False, start=f"{mark} {one} "), refrain.port)
              for one in range(min(count, 400))]
    # Bodies are slow to make; a number in each makes them different.
    texts = [bodies[one % len(bodies)].replace(b"You are", b"%07d" % one, 1) for one in range(count)]
    workload.write_requests(misses, texts)
    order = plan.yard.folder / "in-order"
    order.write_text("".join(f"{one + 1}\n" for one in range(count)))
    files = {"hits": (hits.requests, hits.picks), "misses": (misses, order)}
    processes = {kind: _wrk(plan, refrain, *files[kind], *LIVE[kind]) for kind in LIVE}
    return {kind: _figures(process) for kind, process in processes.items()}


def _wrk(
    plan: Plan, refrain: Server, requests: Path, picks: Path, connections: int, pause: int
) -> "subprocess.Popen[str]":
    command = ["taskset", "-c", str(CLIENT_CORE), "wrk", f"-c{connections}", "-t1", f"-d{max(1, round(plan.seconds))}s"]
    command += ["--timeout", "10s", "-s", str(HERE / "live.lua"), f"http://127.0.0.1:{refrain.port}", "--"]
    return subprocess.Popen([*command, str(requests), str(picks), str(pause)], stdout=subprocess.PIPE, text=True)


def _figures(process: "subprocess.Popen[str]") -> dict[str, float]:
    output, _ = process.communicate(timeout=60)
    line = next(line for line in output.splitlines() if line.startswith("figures "))
    wrk = json.loads(line.removeprefix("figures "))
    if wrk["failed"] or wrk["refused"] or not wrk["requests"]:
        raise load.WrongAnswer(f"live traffic: {wrk}")
    return {"p50": wrk["p50"], "p99": wrk["p99"], "rate": wrk["requests"] / wrk["microseconds"] * 1e6}


def _judge(plan: Plan, taken: dict[str, list[dict[str, dict[str, float]]]], warmed: list[float]) -> None:
    rows, bars, figures = [], [], {"warmed": load.spread(warmed)}
    for kind in LIVE:
        ratios = [one[kind]["p99"] / other[kind]["p99"] for one, other in zip(taken[WAYS[1]], taken[WAYS[0]], strict=True)]
        for way in WAYS:
            spreads = {name: load.spread([one[kind][name] for one in taken[way]]) for name in ("rate", "p50", "p99")}
            figures[f"{kind} {way}"] = spreads
            rows.append([kind, way, ranged(spreads["rate"], 0), ranged(spreads["p50"], 0), ranged(spreads["p99"], 0)])
        rows.append([kind, "÷", "", "", ranged(load.spread(ratios))])
        bars.append(Bar(f"p99 of live {kind} beside warming ÷ alone", median(ratios), LIMIT))
    table(f"Live traffic while {median(warmed):.0f} prompts a second are warmed",
          ["requests", "way", "requests/s", "p50 µs", "p99 µs"], rows)
    plan.report.add("warmlive", figures, bars)
