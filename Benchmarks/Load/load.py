"""Load on one server: wrk with prepared requests, and the CPU time that the server spent on them."""

import gzip
import json
import os
import resource
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import median

import workload
from client import Answer, Client
from processes import CLIENT_CORE, SERVER_CORE, Server, machine_busy_seconds

HERE = Path(__file__).resolve().parent


class WrongAnswer(Exception):
    """A server answered otherwise than the measurement needs; its figures would mean nothing."""


@dataclass(frozen=True)
class Target:
    """A server and the requests it gets."""

    name: str
    server: Server
    requests: Path
    picks: Path


@dataclass(frozen=True)
class Figures:
    """One round on one server. Times in microseconds; `foreign` is the share of the machine that others used."""

    rate: float
    cpu: float
    p50: float
    p99: float
    mean: float
    bytes: float
    foreign: float

    @classmethod
    def names(cls) -> list[str]:
        return [field.name for field in fields(cls)]


def target(
    server: Server, work: workload.Workload, folder: Path, name: str = "", distinct: int = workload.DISTINCT
) -> Target:
    """`distinct` below the workload's own number folds its requests onto the first so many."""
    name = name or server.name
    requests, picks = folder / f"{name}-{work.name}.requests", folder / f"picks-{distinct}"
    workload.write_requests(requests, work.requests(server.port)[:distinct])
    picks.write_text("".join(f"{(pick - 1) % distinct + 1}\n" for pick in workload.picks()))
    return Target(name, server, requests, picks)


def run(target: Target, connections: int, seconds: float, core: int = CLIENT_CORE) -> Figures:
    """`seconds` of load, whole ones as wrk takes them; the server is awake for exactly that time."""
    duration = max(1, round(seconds))
    command = ["taskset", "-c", str(core), "wrk", f"-c{connections}", "-t1", f"-d{duration}s", "--timeout", "10s"]
    command += ["-s", str(HERE / "replay.lua"), f"http://127.0.0.1:{target.server.port}", "--"]
    command += [str(target.requests), str(target.picks)]
    with target.server.awake():
        machine, cpu, own = machine_busy_seconds(), target.server.cpu_seconds(), _children_cpu()
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=duration + 30)
        cpu = target.server.cpu_seconds() - cpu
        foreign = machine_busy_seconds() - machine - cpu - (_children_cpu() - own)
    line = next(line for line in done.stdout.splitlines() if line.startswith("figures "))
    wrk = json.loads(line.removeprefix("figures "))
    if wrk["failed"] or wrk["refused"] or not wrk["requests"]:
        raise WrongAnswer(f"{target.name}: {wrk} under load")
    elapsed = wrk["microseconds"] / 1e6
    return Figures(
        rate=wrk["requests"] / elapsed,
        cpu=cpu / wrk["requests"] * 1e6,
        p50=wrk["p50"],
        p99=wrk["p99"],
        mean=wrk["mean"],
        bytes=wrk["bytes"] / wrk["requests"],
        foreign=max(0.0, foreign / elapsed / (os.cpu_count() or 1)),
    )


def same_core(target: Target, seconds: float) -> Figures:
    """One connection, client and server on one core: the way of a request without the wake-up of another core."""
    return run(target, 1, seconds, SERVER_CORE)


def alternate(
    targets: list[Target], rounds: int, measure: Callable[[Target], Figures]
) -> dict[str, list[Figures]]:
    """Every server once a round, after a round that is thrown away."""
    taken: dict[str, list[Figures]] = {target.name: [] for target in targets}
    for number in range(rounds + 1):
        for one in targets:
            figures = measure(one)
            if number > 0:
                taken[one.name].append(figures)
    return taken


def ratios(taken: dict[str, list[Figures]], name: str, base: str, figure: str) -> list[float]:
    """The ratio of two servers' figures, round by round."""
    pairs = zip(taken[name], taken[base], strict=True)
    return [getattr(one, figure) / getattr(other, figure) for one, other in pairs]


def spread(values: list[float]) -> dict[str, float]:
    return {"median": median(values), "min": min(values), "max": max(values)}


def prime(server: Server, requests: list[bytes], expected_hit: tuple[str, str] | None) -> Answer:
    """Sends every request once, then checks that each is answered from the cache, and with its own answer.

    `expected_hit`: the header line that tells a hit, and the word in it. Returns the last answer.
    """
    with server.awake():
        client = Client(server.port)
        try:
            first = [client.call(one) for one in requests]
            again = [client.call(one) for one in requests]
        finally:
            client.close()
    for old, new in zip(first, again, strict=True):
        _check(server, old, new, expected_hit)
    return again[-1]


def answer_hash(answer: Answer) -> bytes:
    """What the origin put into the answer's identifier: the hash of the request."""
    body = gzip.decompress(answer.body) if answer.field("Content-Encoding") == "gzip" else answer.body
    return body.partition(b"chatcmpl-")[2][: len(workload.HASH_MARK)]


def _check(server: Server, old: Answer, new: Answer, expected_hit: tuple[str, str] | None) -> None:
    if (old.status, new.status) != (200, 200):
        raise WrongAnswer(f"{server.name} answered {old.status}, then {new.status}: {new.body[:300]!r}")
    if not expected_hit:
        return
    if not answer_hash(old) or answer_hash(old) != answer_hash(new):
        raise WrongAnswer(f"{server.name} gave one request the answer of another: {new.body[:300]!r}")
    name, word = expected_hit
    if not new.field(name) or word not in new.field(name).lower():
        raise WrongAnswer(f"{server.name}: '{name}: {new.field(name)}' where a hit was due\n{new.head}")


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
