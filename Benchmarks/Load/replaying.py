"""Sidecars before the simulated model, and logs of requests replayed through them."""

import dataclasses
import http.client
import json
import pathlib
import re
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


def chosen_log():
    """The log named on the command line, else the development log, else the sample of the repository."""
    if len(sys.argv) > 1:
        return pathlib.Path(sys.argv[1])
    if DEVELOPMENT.exists():
        return DEVELOPMENT
    print(f"{DEVELOPMENT} is absent: measuring with {SAMPLE.relative_to(ROOT)}")
    return SAMPLE


class Server:
    """A process that listens on a port of the system's choice, which its log names."""

    def __init__(self, words, pattern):
        self.log = tempfile.NamedTemporaryFile(prefix="refrain-replay-")
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


def simulated_model(*options):
    return Server(["refrain-sim", "model", "--listen", "127.0.0.1:0", *options], r"http://127\.0\.0\.1:(\d+)")


def sidecar(model, upstream="", *settings):
    """`upstream`: more members of the upstream's settings; `settings`: more of the form name=value."""
    return _serve(f'[{{name: model, url: "http://127.0.0.1:{model.port}"{upstream}}}]', settings)


def sidecar_before(models, slots, *settings):
    """One before several models, each of which is to get `slots` calls at once."""
    upstreams = (
        f'{{name: model-{index}, url: "http://127.0.0.1:{model.port}", concurrency: {slots}}}'
        for index, model in enumerate(models))
    return _serve(f"[{', '.join(upstreams)}]", settings)


def _serve(upstreams, settings):
    words = ["refrain", "serve", "--set", "listen=127.0.0.1:0", "--set", "admin.listen=127.0.0.1:0", "--set",
             f"upstreams={upstreams}"]
    for setting in settings:
        words += ["--set", setting]
    return Server(words, r'"listen":"127\.0\.0\.1:(\d+)"')


def simulation(model, method, path, options=None):
    """Speaks to the simulated model about itself."""
    connection = http.client.HTTPConnection("127.0.0.1", model.port, timeout=10)
    connection.request(method, path, json.dumps(options) if options else None)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status} {content!r}")
    return json.loads(content or b"{}")


@dataclasses.dataclass
class Told:
    """What became of one line."""

    outcome: str | None
    status: int
    seconds: float
    #: The words of the answer.
    text: str


def replay(port, lines, concurrency=CONCURRENCY):
    """What became of each line, `concurrency` at once."""
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
            results[number] = ask(connection, lines[number])

    threads = [threading.Thread(target=work) for _ in range(concurrency)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def ask(connection, line):
    start = time.perf_counter()
    try:
        connection.request("POST", "/v1/chat/completions", line, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        return Told(None, 0, time.perf_counter() - start, str(error))
    seconds = time.perf_counter() - start
    return Told(answer.headers["x-refrain-cache"], answer.status, seconds, words(answer, content))


def words(answer, content):
    """Of a chat answer, whole or streamed."""
    if answer.status != 200:
        return ""
    if not answer.headers["Content-Type"].startswith("text/event-stream"):
        return json.loads(content)["choices"][0]["message"]["content"]
    events = [line[6:] for line in content.split(b"\n") if line.startswith(b"data: {")]
    choices = [choice for event in events for choice in json.loads(event)["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def identity(line):
    """The same for two requests that ask the same."""
    left_out = ("stream", "stream_options", "user", "metadata", "store", "service_tier")
    return json.dumps({name: value for name, value in json.loads(line).items() if name not in left_out}, sort_keys=True)
