"""What warming saves: learn the popular prompts of a log's first half, replay its second half with and without.

usage: warming.py [LOG]      LOG: JSON Lines of request bodies; else the development log, else config/samples

The model is the simulated one at 1.2 s an answer.
"""

import collections
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

from replaying import BINARIES, CONCURRENCY, chosen_log, identity, replay, sidecar, simulated_model

TOP = 1000


def row(name, results):
    seconds = [one.seconds for one in results]
    hits = sum(one.outcome in ("hit", "coalesced") for one in results) / len(results)
    print(f"  {name:<26} hit rate {hits:6.1%}   mean {statistics.mean(seconds) * 1e3:7.1f} ms   "
          f"p50 {statistics.median(seconds) * 1e3:6.2f} ms")


def main():
    lines = chosen_log().read_bytes().splitlines()
    first, second = lines[:len(lines) // 2], lines[len(lines) // 2:]
    counts = collections.Counter(map(identity, first))
    popular = {text for text, count in counts.most_common(TOP) if count > 1}
    is_popular = [identity(line) in popular for line in second]
    with tempfile.TemporaryDirectory() as directory:
        log = pathlib.Path(directory) / "first.jsonl"
        log.write_bytes(b"\n".join(first))
        words = [str(BINARIES / "refrain"), "warm", str(log), "--top", str(TOP), "--json"]
        plan = json.loads(subprocess.run([*words, "--dry-run"], capture_output=True, check=True).stdout)
        print(f"\nwarm: the {plan['plan']['count']} most popular prompts of {len(first)} requests, {len(second)} replayed")
        with simulated_model("--first-token", "1200ms", "--tokens-per-second", "0") as model:
            with sidecar(model) as cold:
                results = replay(cold.port, second)
                row("without warming", results)
                row("  popular requests", [one for one, is_one in zip(results, is_popular) if is_one])
            with sidecar(model) as warmed:
                start = time.monotonic()
                subprocess.run(
                    [*words, "--concurrency", str(CONCURRENCY), "--url", f"127.0.0.1:{warmed.port}", "--journal",
                     str(pathlib.Path(directory) / "journal")],
                    capture_output=True, check=True)
                print(f"  warming took {time.monotonic() - start:.1f} s")
                results = replay(warmed.port, second)
                row("warmed", results)
                row("  popular requests", [one for one, is_one in zip(results, is_popular) if is_one])


main()
