"""Answers from memory: whole ones against the peers, and cached streams against whole ones."""

from statistics import median

import load
import servers
import workload
from load import Figures, Target
from plan import Plan
from processes import Server
from report import Bar, ranged, table

CONNECTIONS = 16
# LiteLLM's in-memory cache holds 200 answers, which no setting changes.
LITELLM_DISTINCT = 150
# A round of this many seconds at least, for it answers a thousand times slower than the others.
LITELLM_SECONDS = 4
DISTURBED = 0.05

# How each server tells that an answer came from its cache.
HIT = {
    "nginx": ("X-Cache", "hit"),
    "nginx-read": ("X-Cache", "hit"),
    "refrain": ("x-refrain-cache", "hit"),
    "litellm": ("x-litellm-cache-key", ""),
}


def measure(plan: Plan) -> None:
    origin = plan.yard.origin()
    bare, nginx = plan.yard.bare(), plan.yard.nginx_cache(origin)
    reading = plan.yard.nginx_cache(origin, sendfile=False)
    refrain = plan.yard.refrain(origin) if plan.has_refrain else None
    litellm = plan.litellm(origin)
    work = workload.workload("whole", streamed=False)
    targets = [_ready(plan, one, work) for one in (bare, nginx, reading, refrain, litellm) if one]

    calls = servers.origin_calls(origin)
    _whole(plan, load.alternate(targets, plan.rounds, lambda one: load.run(one, CONNECTIONS, _seconds(plan, one))))
    _one_connection(plan, load.alternate(targets, plan.rounds, lambda one: load.same_core(one, _seconds(plan, one))))
    _expect_no_calls(origin, calls)
    _replay(plan, origin, nginx, refrain)


def _seconds(plan: Plan, target: Target) -> float:
    return max(plan.seconds, LITELLM_SECONDS) if target.name == "litellm" else plan.seconds


def _ready(plan: Plan, server: Server, work: workload.Workload, name: str = "") -> Target:
    """Fills the server's cache, checks that it hits, and prints what goes over the wire."""
    distinct = LITELLM_DISTINCT if server.name == "litellm" else workload.DISTINCT
    requests = work.requests(server.port)[:distinct]
    answer = load.prime(server, requests, HIT.get(server.name))
    name = name or server.name
    print(f"  {name}: {distinct} requests of {len(requests[0])} bytes, {answer.wire_bytes} bytes each back")
    return load.target(server, work, plan.yard.folder, name, distinct)


def _expect_no_calls(origin: Server, before: int) -> None:
    calls = servers.origin_calls(origin) - before
    if calls:
        raise load.WrongAnswer(f"{calls} requests reached the origin during the measurement: not all were hits")


def _whole(plan: Plan, taken: dict[str, list[Figures]]) -> None:
    _print(f"Exact hits, {CONNECTIONS} connections, server and client on a core each", taken, "nginx")
    bars = []
    if "refrain" in taken:
        limits = [("nginx", "cpu", 0.55, False), ("bare", "cpu", 1.8, False), ("nginx", "rate", 1.8, True)]
        bars = [_bar(taken, *limit) for limit in limits]
    plan.report.add("hits", _spreads(taken), bars)


def _one_connection(plan: Plan, taken: dict[str, list[Figures]]) -> None:
    _print("Exact hits, one connection, server and client on the same core", taken, "nginx")
    bars = [_bar(taken, "nginx", "p50", 0.65, False)] if "refrain" in taken else []
    plan.report.add("one-connection", _spreads(taken), bars)


def _replay(plan: Plan, origin: Server, nginx: Server, refrain: Server | None) -> None:
    """Streams out of the cache, next to whole answers from the same server in the same rounds."""
    works = {
        "whole": workload.workload("whole", streamed=False),
        "stream": workload.workload("stream", streamed=True, salt="s"),
        "tokens": workload.workload("tokens", streamed=True, model=workload.TOKENS_MODEL, salt="t"),
    }
    targets = [_ready(plan, nginx, work, f"nginx {name}") for name, work in works.items()]
    if refrain:
        # The same requests as the whole ones, so what is held is a whole answer and is sent as a stream.
        works["converted"] = workload.workload("converted", streamed=True)
        targets += [_ready(plan, refrain, work, f"refrain {name}") for name, work in works.items()]
    calls = servers.origin_calls(origin)
    taken = load.alternate(targets, plan.rounds, lambda one: load.run(one, CONNECTIONS, plan.seconds))
    _expect_no_calls(origin, calls)
    title = "Cached streams (stream: of the whole answer's size; tokens: its text, an event a token)"
    _print(title, taken, "refrain whole" if refrain else "nginx whole")
    bars = []
    if refrain:
        ratio = median(load.ratios(taken, "refrain stream", "refrain whole", "cpu"))
        # Rounds of one and the same server differ by up to 5 %.
        bars = [Bar("CPU of a replayed stream ÷ of a whole answer of its size", ratio, 1.05)]
    plan.report.add("replay", _spreads(taken), bars)


def _bar(taken: dict[str, list[Figures]], base: str, figure: str, limit: float, at_least: bool) -> Bar:
    words = {"cpu": "CPU per request", "rate": "requests per second", "p50": "p50"}
    value = median(load.ratios(taken, "refrain", base, figure))
    return Bar(f"{words[figure]} ÷ {base}'s", value, limit, at_least)


def _print(title: str, taken: dict[str, list[Figures]], base: str) -> None:
    columns = ["server", "requests/s", "CPU µs/request", f"CPU ÷ {base}", f"requests/s ÷ {base}"]
    columns += ["p50 µs", "mean µs", "p99 µs", "bytes", "others' CPU"]
    rows = []
    for name in taken:
        spreads = _of_server(taken[name])
        rows.append([
            name,
            ranged(spreads["rate"], 0),
            ranged(spreads["cpu"]),
            ranged(load.spread(load.ratios(taken, name, base, "cpu"))),
            ranged(load.spread(load.ratios(taken, name, base, "rate"))),
            f"{spreads['p50']['median']:.0f}",
            f"{spreads['mean']['median']:.1f}",
            f"{spreads['p99']['median']:.0f}",
            f"{spreads['bytes']['median']:.0f}",
            f"{spreads['foreign']['median']:.0%}",
        ])
    table(title, columns, rows)
    foreign = median(one.foreign for rounds in taken.values() for one in rounds)
    if foreign > DISTURBED:
        print(f"  Disturbed: other programs used {foreign:.0%} of the machine. Ratios of CPU still tell, times do not.")


def _of_server(rounds: list[Figures]) -> dict[str, dict[str, float]]:
    return {figure: load.spread([getattr(one, figure) for one in rounds]) for figure in Figures.names()}


def _spreads(taken: dict[str, list[Figures]]) -> dict[str, object]:
    """Every figure of every server, and the ratios to the peers round by round."""
    figures: dict[str, object] = {}
    for name, rounds in taken.items():
        ratios = {
            base: {figure: load.spread(load.ratios(taken, name, base, figure)) for figure in ("cpu", "rate", "p50")}
            for base in taken
            if base != name
        }
        figures[name] = _of_server(rounds) | {"ratios": ratios}
    return figures
