"""A short day of traffic before three simulated models: calm, a spike of four times as much, one that fails 15 % of its
calls, one that is away, one that takes ten times as long; with the shield, and by clients that take turns themselves.

usage: overload.py

Every question is a new one, so the cache answers none. Of ten requests four are interactive (P0), four standard (P1), two
batch (P2). A model takes SLOTS calls at once and answers 429 to more. Clients wait for PATIENCE and do not ask again.
"""

import concurrent.futures
import http.client
import itertools
import json
import statistics
import time

from replaying import Told, sidecar_before, simulated_model, simulation, words

SLOTS = 4
FIRST_TOKEN_MS = 150
PATIENCE = 10.0
CALM_RATE = 32.0
#: Name, seconds, requests a second.
PHASES = [
    ("calm", 10, CALM_RATE), ("spike", 10, 4 * CALM_RATE), ("recovery", 5, CALM_RATE), ("one fails 15 %", 10, CALM_RATE),
    ("one is away", 10, CALM_RATE), ("one is 10x slower", 10, CALM_RATE)]
CLASSES = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]
BAR = 2.0


def ask(port, number, priority, headers):
    question = f"What is the {number}th question of {time.monotonic_ns()}?"
    line = json.dumps({"model": "m", "messages": [{"role": "user", "content": question}]})
    start = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        lines = {"Content-Type": "application/json"} | ({"x-refrain-priority": str(priority)} if headers else {})
        connection.request("POST", "/v1/chat/completions", line, lines)
        answer = connection.getresponse()
        content = answer.read()
        return Told(answer.headers["x-refrain-cache"], answer.status, time.perf_counter() - start, words(answer, content))
    except (OSError, http.client.HTTPException) as error:
        return Told(None, 0, time.perf_counter() - start, str(error))
    finally:
        connection.close()


def trouble(phase, models):
    """What happens to the third model as a phase begins."""
    options = {"fail-rate": 0, "first-token": f"{FIRST_TOKEN_MS}ms", "concurrency": SLOTS}
    match phase:
        case "one fails 15 %": options["fail-rate"] = 0.15
        case "one is away": options["fail-rate"] = 1
        case "one is 10x slower": options["first-token"] = f"{10 * FIRST_TOKEN_MS}ms"
    simulation(models[2], "POST", "/sim/set", options)


def run(ports, models, is_shielded):
    """What became of the requests of each phase and class. They come at their times, whatever became of those before."""
    told = {}
    turns = itertools.cycle(ports)
    with concurrent.futures.ThreadPoolExecutor(600) as pool:
        for phase, seconds, rate in PHASES:
            trouble(phase, models)
            begin = time.monotonic()
            futures = []
            for number in range(int(seconds * rate)):
                time.sleep(max(0, begin + number / rate - time.monotonic()))
                priority = CLASSES[number * 7 % 10]
                futures.append((priority, pool.submit(ask, next(turns), number, priority, is_shielded)))
            for priority, future in futures:
                told.setdefault((phase, priority), []).append(future.result())
    return told


def percentile(values, share):
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1] if len(values) > 1 else values[0]


def show(title, told, models):
    peaks = [simulation(model, "GET", "/sim/stats")["most_in_flight"] for model in models]
    print(f"\n{title}: most calls at once that a model got {peaks}, of {SLOTS} that it takes")
    print(f"  {'':<20}      answered   p50 ms   p99 ms   refused")
    for (phase, priority), results in sorted(told.items(), key=lambda one: [p[0] for p in PHASES].index(one[0][0])):
        good = [one.seconds * 1e3 for one in results if one.status == 200 and one.text]
        refused = sum(one.status in (429, 503) for one in results) / len(results)
        figures = f"{percentile(good, 0.5):8.0f} {percentile(good, 0.99):8.0f}" if good else f"{'-':>8} {'-':>8}"
        print(f"  {phase:<20} P{priority}   {len(good) / len(results):7.1%} {figures}   {refused:7.1%}")
    return peaks


def main():
    def model():
        return simulated_model(
            "--first-token", f"{FIRST_TOKEN_MS}ms", "--tokens-per-second", "0", "--concurrency", str(SLOTS))

    print("\noverload: three models, clients that take turns, then the shield before the same models")
    with model() as first, model() as second, model() as third:
        models = [first, second, third]
        show("without", run([one.port for one in models], models, False), models)
        for one in models:
            simulation(one, "POST", "/sim/reset")
        with sidecar_before(models, SLOTS, f"limits.queueTimeout={int(PATIENCE)}s") as refrain:
            told = run([refrain.port], models, True)
        peaks = show("with", told, models)
    calm, spike = ([one.seconds for one in told[phase, 0] if one.status == 200] for phase in ("calm", "spike"))
    ratio = percentile(spike, 0.99) / percentile(calm, 0.99)
    print(f"  P0 in the spike: p99 {ratio:.2f} times the calm one; wanted {BAR:.0f}: {'holds' if ratio <= BAR else 'MISSED'}; "
          f"limits: {'held' if max(peaks) <= SLOTS else 'EXCEEDED'}")


main()
