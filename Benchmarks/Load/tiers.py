"""Answers from the lower tiers: over HTTP, next to a bare GET of the same value from the same Redis.

Memory is as small as it may be and the bodies are asked for in turn, so that no answer is still in memory when its turn
comes again: every request is a hit of the tier under test, which its header says.
"""

import csv
import io
import subprocess
from statistics import median

import load
import workload
from load import Figures, Target
from plan import Plan
from processes import CLIENT_CORE, SERVER_CORE, Server
from report import Bar, ranged, table

CONNECTIONS = 16
GETS = 60_000
# The prefix and 64 digits.
ENTRY_NAME = len("refrain:v1:") + 64
SMALL_MEMORY = ["memory.capacity=1MiB", "memory.shards=1"]


def measure(plan: Plan) -> None:
    if not plan.has_refrain:
        return
    origin = plan.yard.origin()
    redis = plan.yard.redis()
    settings = {
        "memory": [],
        "redis": [*SMALL_MEMORY, f"redis.url=redis://127.0.0.1:{redis.port}"],
        "objects": [*SMALL_MEMORY, f"objects.url=file://{plan.yard.folder}/objects"],
    }
    work = workload.workload("tiers", streamed=False)
    targets = [_ready(plan, tier, plan.yard.refrain(origin, settings=extra), work) for tier, extra in settings.items()]

    gets: dict[int, list[tuple[float, float]]] = {1: [], CONNECTIONS: []}
    taken: dict[int, dict[str, list[Figures]]] = {}
    for connections in gets:
        one = connections == 1
        core = SERVER_CORE if one else CLIENT_CORE

        def round_of(target: Target) -> Figures:
            if target.name == "memory":
                gets[connections].append(_bare_gets(redis, connections, core))
            # With many connections Redis has the client's core, so that no two servers share one.
            redis.move(SERVER_CORE if one else CLIENT_CORE)
            try:
                return load.run(target, connections, plan.seconds, core)
            finally:
                redis.move(SERVER_CORE)

        taken[connections] = load.alternate(targets, plan.rounds, round_of)
        # The first round is thrown away there too.
        gets[connections] = gets[connections][1:]
    _judge(plan, taken, gets)


def _ready(plan: Plan, tier: str, server: Server, work: workload.Workload) -> Target:
    requests = work.requests(server.port)
    load.prime(server, requests, ("x-refrain-tier", tier))
    target = load.target(server, work, plan.yard.folder, tier)
    in_turn = plan.yard.folder / "picks-in-turn"
    in_turn.write_text("".join(f"{number}\n" for number in range(1, len(requests) + 1)))
    return Target(tier, server, target.requests, in_turn)


def _bare_gets(redis: Server, connections: int, core: int) -> tuple[float, float]:
    """GETs a second and their p50 in microseconds, of an entry that Refrain wrote."""
    client = ["redis-cli", "-p", str(redis.port)]
    key = next(key for key in _lines([*client, "--scan", "--pattern", "refrain:v1:*"]) if len(key) == ENTRY_NAME)
    command = ["taskset", "-c", str(core), "redis-benchmark", "-p", str(redis.port), "-c", str(connections)]
    command += ["-n", str(GETS), "--csv", "GET", key]
    rows = csv.DictReader(io.StringIO("\n".join(_lines(command))))
    row = next(iter(rows))
    return float(row["rps"]), float(row["p50_latency_ms"]) * 1000


def _lines(command: list[str]) -> list[str]:
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return [line for line in done.stdout.splitlines() if line.strip()]


def _judge(
    plan: Plan, taken: dict[int, dict[str, list[Figures]]], gets: dict[int, list[tuple[float, float]]]
) -> None:
    one, many = taken[1], taken[CONNECTIONS]
    added = [figures.p50 - get[1] for figures, get in zip(one["redis"], gets[1], strict=True)]
    share = [figures.rate / get[0] for figures, get in zip(many["redis"], gets[CONNECTIONS], strict=True)]
    rows = []
    for tier in one:
        rows.append([
            tier,
            ranged(load.spread([figures.p50 for figures in one[tier]]), 0),
            ranged(load.spread([figures.p99 for figures in one[tier]]), 0),
            ranged(load.spread([figures.rate for figures in many[tier]]), 0),
            ranged(load.spread([figures.cpu for figures in many[tier]])),
        ])
    rows.append([
        "bare GET",
        ranged(load.spread([get[1] for get in gets[1]]), 0),
        "",
        ranged(load.spread([get[0] for get in gets[CONNECTIONS]]), 0),
        "",
    ])
    columns = ["hit in", "p50 µs, one connection", "p99 µs", f"requests/s, {CONNECTIONS} connections", "CPU µs/request"]
    table("Hits of each tier over HTTP, memory too small for the others", columns, rows)
    bars = [
        Bar("p50 of a Redis hit over a bare GET, µs", median(added), 80),
        Bar("Redis hits a second ÷ bare GETs a second", median(share), 0.6, at_least=True),
        Bar("p50 of a directory hit, µs", median([figures.p50 for figures in one["objects"]]), 300),
    ]
    figures = {f"{tier}-{count}": load.spread([one.p50 for one in rounds])
               for count, tiers in taken.items() for tier, rounds in tiers.items()}
    plan.report.add("tiers", figures, bars)

