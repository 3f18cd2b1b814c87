"""Calls that go through to the model: what a proxy adds to the time of the first and of the last byte."""

import subprocess
import time
from statistics import median

import load
import servers
import workload
from client import Client
from plan import Plan
from processes import SERVER_CORE, Server
from report import Bar, ranged, table

DELAY = 0.002
GAP = 0.002
BLOCKS = 5
SECONDS_PER_BLOCK = 60

# First and last byte of one request in microseconds.
Times = tuple[float, float]


def measure(plan: Plan) -> None:
    origin = plan.yard.origin(DELAY, GAP)
    targets = {"direct": origin, "nginx": plan.yard.nginx_proxy(origin)}
    if plan.has_refrain:
        targets["refrain"] = plan.yard.refrain(origin)
    for streamed in (False, True):
        # Every connection is opened and every path walked before the clock counts.
        _block(plan, origin, targets, streamed, calls=50)
        blocks = [_block(plan, origin, targets, streamed, plan.calls // BLOCKS) for _ in range(BLOCKS)]
        _judge(plan, blocks, streamed)


def _block(
    plan: Plan, origin: Server, targets: dict[str, Server], streamed: bool, calls: int
) -> dict[str, list[Times]]:
    """Sequential requests, to each target in turn, none of them ever sent before; all on one core."""
    text = workload.request(workload.body("miss", streamed, start=workload.NUMBER_MARK + " "), origin.port)
    path = plan.yard.folder / "miss.request"
    path.write_bytes(text)
    if "refrain" in targets:
        _expect_miss(targets["refrain"], text)
    before = servers.origin_calls(origin)
    number = time.time_ns()
    command = ["taskset", "-c", str(SERVER_CORE), str(plan.yard.folder / "ttfb"), str(calls), str(SECONDS_PER_BLOCK)]
    command += [str(number), str(path), *(str(target.port) for target in targets.values())]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=SECONDS_PER_BLOCK + 10)
    lines = [line.split() for line in done.stdout.splitlines()]
    calls_seen = servers.origin_calls(origin) - before
    if calls_seen < len(lines):
        raise load.WrongAnswer(f"{len(lines)} requests, of which only {calls_seen} reached the origin")
    taken: dict[str, list[Times]] = {name: [] for name in targets}
    names = list(targets)
    for target, first, last in lines:
        taken[names[int(target)]].append((int(first) / 1000, int(last) / 1000))
    return taken


def _expect_miss(refrain: Server, request: bytes) -> None:
    client = Client(refrain.port)
    try:
        mark = f"{time.time_ns():016x}".encode()
        answer = client.call(request.replace(workload.NUMBER_MARK.encode(), mark))
    finally:
        client.close()
    if answer.status != 200 or answer.field("x-refrain-cache") != "miss":
        raise load.WrongAnswer(f"refrain was to miss, but answered\n{answer.head}")


def _judge(plan: Plan, blocks: list[dict[str, list[Times]]], streamed: bool) -> None:
    kind = "streamed" if streamed else "whole"
    figures: dict[str, dict[str, dict[str, float]]] = {}
    for name in blocks[0]:
        figures[name] = {}
        for index, byte in enumerate(("first", "last")):
            own = [median(times[index] for times in block[name]) for block in blocks]
            direct = [median(times[index] for times in block["direct"]) for block in blocks]
            figures[name][byte] = load.spread(own)
            figures[name][f"{byte}_added"] = load.spread([one - other for one, other in zip(own, direct, strict=True)])
    columns = ["way", "first byte µs", "added", "last byte µs", "added"]
    rows = [
        [name, *(ranged(figures[name][column], 0) for column in ("first", "first_added", "last", "last_added"))]
        for name in figures
    ]
    pause = f"after {DELAY * 1000:g} ms" + (f", its rest {GAP * 1000:g} ms later" if streamed else "")
    table(f"Misses, {kind} answers, p50 (the origin answers {pause})", columns, rows)
    bars = []
    if "refrain" in figures:
        for byte in ("first", "last"):
            added = {name: figures[name][f"{byte}_added"]["median"] for name in ("refrain", "nginx")}
            bars.append(Bar(f"µs added to the {byte} byte, {kind} ÷ nginx's", added["refrain"] / added["nginx"], 1.0))
    plan.report.add(f"miss-{kind}", figures, bars)
