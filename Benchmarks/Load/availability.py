"""What the cache gives when the model does not: answers while it fails or is gone, and more of them than it could give.

usage: availability.py [LOG]      LOG: JSON Lines of request bodies; else the development log, else config/samples

1. Prompts that were asked before are asked again, all of them expired, while the simulated model fails every second
   call, and then while it is down. An answer counts as right if it says what the model said.
2. The second half of the log goes to a model that takes a fixed number of calls at once, directly and through Refrain,
   unwarmed and warmed with the first half: good answers a second, and calls that the model got.
"""

import collections
import pathlib
import subprocess
import tempfile
import time

from replaying import BINARIES, chosen_log, identity, replay, sidecar, simulated_model, simulation

CALLS_AT_ONCE = 8
CLIENTS = 64
BARS = {"answered": 0.9999, "capacity": 5.0, "cut": 0.30}


def verdict(holds):
    return "holds" if holds else "MISSED"


def answered(name, results, expected):
    right = sum(one.status == 200 and one.text in texts for one, texts in zip(results, expected))
    wrong = sum(one.status == 200 and one.text not in texts for one, texts in zip(results, expected))
    share = right / len(results)
    outcomes = ", ".join(f"{word} {count}" for word, count in collections.Counter(
        one.outcome or "none" for one in results).most_common())
    print(f"  {name:<22} answered rightly {share:9.4%} of {len(results)}, wrongly {wrong} ({outcomes}); "
          f"wanted {BARS['answered']:.2%}: {verdict(share >= BARS['answered'] and wrong == 0)}")


def right_answers(model, asked, again):
    """For each of `again` what the model says to the requests in `asked` that ask the same. Of what makes no difference
    to the cache something may make one to the simulated model: a user's name."""
    variants = sorted(set(asked))
    said = collections.defaultdict(set)
    for line, told in zip(variants, replay(model.port, variants)):
        said[identity(line)].add(told.text)
    return [said[identity(line)] for line in again]


def measure_availability(lines):
    first, second = lines[:len(lines) // 2], lines[len(lines) // 2:]
    distinct = {identity(line): line for line in first}
    again = [line for line in second if identity(line) in distinct]
    print(f"\navailability: {len(distinct)} prompts asked, {len(again)} requests for them after they expired")
    with simulated_model("--first-token", "2ms", "--tokens-per-second", "0") as model:
        expected = right_answers(model, list(distinct.values()) + again, again)
        with sidecar(model, "", "cache.ttl=1s", "cache.staleWhileRevalidate=0") as refrain:
            replay(refrain.port, list(distinct.values()))
            time.sleep(1.5)
            simulation(model, "POST", "/sim/set", {"fail-rate": 0.5})
            answered("half of all calls fail", replay(refrain.port, again), expected)
            time.sleep(1.5)
            model.process.kill()
            model.process.wait()
            answered("the model is down", replay(refrain.port, again), expected)


def measure_capacity(lines):
    first, second = lines[:len(lines) // 2], lines[len(lines) // 2:]
    print(f"\ncapacity: {len(second)} requests, a model that takes {CALLS_AT_ONCE} calls at once for 100 ms each")
    options = ("--first-token", "100ms", "--tokens-per-second", "0", "--concurrency", str(CALLS_AT_ONCE))
    limit = f", concurrency: {CALLS_AT_ONCE}"
    with simulated_model(*options) as model, tempfile.TemporaryDirectory() as directory:
        # As many clients as it takes, so that none is refused; a part of the log tells its rate.
        alone, _ = rate(model, model.port, second[:800], CALLS_AT_ONCE)
        print(f"  the model alone        {alone:7.0f} answers/s")
        log = pathlib.Path(directory) / "first.jsonl"
        log.write_bytes(b"\n".join(first))
        for name, is_warmed in (("through Refrain", False), ("through it, warmed", True)):
            with sidecar(model, limit, "limits.queueTimeout=60s") as refrain:
                if is_warmed:
                    warm(log, refrain, directory)
                good, calls = rate(model, refrain.port, second, CLIENTS)
            cut = 1 - calls / len(second)
            print(f"  {name:<22} {good:7.0f} answers/s, {good / alone:5.2f} times as many; calls cut by {cut:6.1%}; "
                  f"wanted {BARS['capacity']:.0f} times, {BARS['cut']:.0%}: "
                  f"{verdict(good / alone >= BARS['capacity'] and cut >= BARS['cut'])}")


def rate(model, port, lines, clients):
    """Good answers a second, and calls that the model got meanwhile."""
    simulation(model, "POST", "/sim/reset")
    start = time.monotonic()
    results = replay(port, lines, clients)
    seconds = time.monotonic() - start
    good = sum(one.status == 200 for one in results)
    if good < len(results):
        print(f"  {len(results) - good} of {len(results)} requests failed")
    return good / seconds, simulation(model, "GET", "/sim/stats")["calls"]


def warm(log, refrain, directory):
    subprocess.run(
        [str(BINARIES / "refrain"), "warm", str(log), "--top", "1000", "--concurrency", str(CALLS_AT_ONCE), "--url",
         f"127.0.0.1:{refrain.port}", "--journal", str(pathlib.Path(directory) / "journal"), "--json"],
        capture_output=True, check=True)


def main():
    lines = chosen_log().read_bytes().splitlines()
    measure_availability(lines)
    measure_capacity(lines)


main()
