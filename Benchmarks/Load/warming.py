"""What warming saves: learn the popular prompts of a log's first half, replay its second half with and without.

usage: warming.py [LOG]      LOG: JSON Lines of request bodies; else the development log, else config/samples

The model is the simulated one at 1.2 s an answer.
"""

import collections
import http.client
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARIES = ROOT / ".build/release"
DEVELOPMENT = ROOT.parent / "shared/data/prompts_zipf_dev.jsonl"
SAMPLE = ROOT / "config/samples/prompts.jsonl"
CONCURRENCY = 48
TOP = 1000


class Server:
    """A process that listens on a port of the system's choice, which its log names."""

    def __init__(self, words, pattern):
        self.log = tempfile.NamedTemporaryFile(prefix="refrain-warm-")
        self.process = subprocess.Popen(
            [str(BINARIES / words[0]), *words[1:]], stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        end = time.monotonic() + 20
        while not (found := re.search(pattern, pathlib.Path(self.log.name).read_text())):
            if self.process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"{words[0]} did not start: {pathlib.Path(self.log.name).read_text()}")
            time.sleep(0.02)
        self.port = int(found[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def sidecar(model):
    return Server(
        ["refrain", "serve", "--set", "listen=127.0.0.1:0", "--set", "admin.listen=127.0.0.1:0", "--set",
         f'upstreams=[{{name: model, url: "http://127.0.0.1:{model.port}"}}]'],
        r'"listen":"127\.0\.0\.1:(\d+)"')


def replay(port, lines):
    """Outcome and seconds of each line, `CONCURRENCY` at once."""
    results = [None] * len(lines)
    numbers = iter(range(len(lines)))
    lock = threading.Lock()

    def work():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            start = time.perf_counter()
            connection.request("POST", "/v1/chat/completions", lines[number], {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            results[number] = (answer.headers["x-refrain-cache"], time.perf_counter() - start)

    threads = [threading.Thread(target=work) for _ in range(CONCURRENCY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def identity(line):
    """The same for two requests that ask the same."""
    left_out = ("stream", "stream_options", "user", "metadata", "store", "service_tier")
    return json.dumps({name: value for name, value in json.loads(line).items() if name not in left_out}, sort_keys=True)


def row(name, results):
    seconds = [one[1] for one in results]
    hits = sum(one[0] in ("hit", "coalesced") for one in results) / len(results)
    print(f"  {name:<26} hit rate {hits:6.1%}   mean {statistics.mean(seconds) * 1e3:7.1f} ms   "
          f"p50 {statistics.median(seconds) * 1e3:6.2f} ms")


def main():
    chosen = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else DEVELOPMENT if DEVELOPMENT.exists() else SAMPLE
    if len(sys.argv) == 1 and chosen == SAMPLE:
        print(f"{DEVELOPMENT} is absent: measuring with {SAMPLE.relative_to(ROOT)}")
    lines = chosen.read_bytes().splitlines()
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
        with Server(["refrain-sim", "model", "--listen", "127.0.0.1:0", "--first-token", "1200ms", "--tokens-per-second", "0"],
                    r"http://127\.0\.0\.1:(\d+)") as model:
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
