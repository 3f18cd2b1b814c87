"""What a sidecar tells of itself: by name and key, live, over time, and on terminals."""

import asyncio
import fcntl
import json
import os
import pty
import random
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time

import pytest

from support import model as scripted
from support import wire
from support.requests import MODEL, PATH, body
from support.sidecar import binary, until
from support.tiers import DEPLOYMENT, settled, written

CHAT = PATH["chat"]
OUTCOMES = ["hit", "hit-semantic", "stale", "coalesced", "miss", "bypass"]


def environment(sidecar):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REFRAIN_")}
    return kept | {"REFRAIN_ADMIN": f"127.0.0.1:{sidecar.admin_port}", "TERM": "xterm"}


def run(sidecar, *arguments):
    return subprocess.run(
        [str(binary()), *arguments], capture_output=True, text=True, timeout=30, env=environment(sidecar))


def stats(sidecar):
    return sidecar.admin("/api/stats").json()


def test_what_was_saved_by_model_tenant_and_namespace(start, prompt):
    prices = [{"model": "dear", "input": 10, "output": 100}, {"model": "cheap", "input": "0.5", "output": 1}]
    sidecar = start({"prices": prices, "limits.workers": 2})
    usage = None
    for model, key, namespace in [("dear", "a", "x"), ("vendor/dear-2024-08-06", "b", "x"), ("cheap", "a", ""),
                                  ("unknown", "a", "y")]:
        headers = [("Authorization", f"Bearer {key}")] + ([("x-refrain-namespace", namespace)] if namespace else [])
        for _ in range(3):
            usage = sidecar.post(CHAT, body("chat", prompt, model=model), headers).json()["usage"]
    tokens_in, tokens_out = usage["prompt_tokens"], usage["completion_tokens"]
    shown = stats(sidecar)
    models = {row["name"]: row for row in shown["models"]}
    assert set(models) == {"dear", "vendor/dear-2024-08-06", "cheap", "unknown"}
    for row in models.values():
        assert (row["requests"], row["hits"], row["misses"]) == (3, 2, 1)
        assert row["savedTokens"] == {"prompt": 2 * tokens_in, "completion": 2 * tokens_out}
    dear = 2 * (tokens_in * 10 + tokens_out * 100) / 1e6
    assert models["dear"]["savedCostUSD"] == pytest.approx(dear)
    assert models["vendor/dear-2024-08-06"]["savedCostUSD"] == pytest.approx(dear)
    assert models["cheap"]["savedCostUSD"] == pytest.approx(2 * (tokens_in * 0.5 + tokens_out) / 1e6)
    assert models["unknown"]["savedCostUSD"] == 0
    assert shown["savedCostUSD"] == pytest.approx(sum(row["savedCostUSD"] for row in models.values()))
    assert sorted(row["requests"] for row in shown["tenants"]) == [3, 9]
    assert {row["name"]: row["requests"] for row in shown["namespaces"]} == {"x": 6, "": 3, "y": 3}
    assert shown["savedSeconds"] > 0
    text = run(sidecar, "stats").stdout
    assert "vendor/dear-2024-08-06" in text and "saved cost" in text and "NAMESPACE" in text


def test_names_are_bounded(start, prompt):
    sidecar = start({"limits.workers": 1})
    for number in range(200):
        sidecar.post(CHAT, body("chat", prompt, model=f"model-{number}"), [("Authorization", f"Bearer {number}")])
    for _ in range(5):
        sidecar.post(CHAT, body("chat", prompt, model="late"), [("Authorization", "Bearer late")])
    for _ in range(4):
        sidecar.post(CHAT, body("chat", prompt, model="(other)"), [("Authorization", "Bearer other")])
    shown = stats(sidecar)
    for rows in (shown["models"], shown["tenants"]):
        assert len(rows) == 65 and sum(row["requests"] for row in rows) == 209
        assert rows[-1]["name"] == "(other)" and [row.get("isRest") for row in rows] == [None] * 64 + [True]
    # What is frequent is found among much that is not.
    assert [(row["name"], row["requests"]) for row in shown["models"][:2]] == [("late", 5), ("(other)", 4)]
    # A model may be called what the sum of all others is called.
    text = run(sidecar, "stats").stdout
    assert re.search(r'"\(other\)" +4 ', text) and re.search(r"^late +5 ", text, re.MULTILINE)


def test_busiest_keys(start, prompt):
    sidecar = start()
    keys = []
    for number in range(5):
        for _ in range(number + 2):
            answer = sidecar.post(CHAT, body("chat", f"{prompt} {number}"))
        keys.insert(0, wire.cache_status(answer)["key"])
    shown = sidecar.admin("/api/keys?top=3").json()["keys"]
    assert [row["key"] for row in shown] == keys[:3]
    assert [(row["requests"], row["saved"]) for row in shown] == [(6, 5), (5, 4), (4, 3)]
    assert shown[0]["model"] == MODEL and shown[0]["bytes"] > 0 and shown[0]["ttlSeconds"] > 0
    assert prompt not in json.dumps(shown)
    assert keys[0] in run(sidecar, "keys", "--top", "2").stdout
    assert len(json.loads(run(sidecar, "keys", "--top", "2", "--json").stdout)["keys"]) == 2
    for top in ("0", "x", "1001", ""):
        assert sidecar.admin(f"/api/keys?top={top}").status == 400
    assert run(sidecar, "keys", "--top", "0").returncode == 2


def test_live_requests(start, model, prompt):
    sidecar = start()
    gate = threading.Event()

    def script(call, peer):
        gate.wait(20)
        scripted.script(call, peer)

    model.script = script
    client = threading.Thread(target=sidecar.post, args=(CHAT, body("chat", prompt)))
    client.start()
    try:
        live = until(lambda: (answer := sidecar.admin("/api/live").json())["count"] and answer, "a live request")
        request, = live["requests"]
        assert (request["endpoint"], request["model"]) == ("chat", MODEL) and request["seconds"] >= 0
        assert prompt not in json.dumps(live)
    finally:
        gate.set()
        client.join()
    until(lambda: sidecar.admin("/api/live").json()["count"] == 0, "no live request")


def test_history(start, prompt):
    sidecar = start()
    for _ in range(3):
        sidecar.post(CHAT, body("chat", prompt))
    history = until(
        lambda: (answer := sidecar.admin("/api/history").json())["rows"] and sum(answer["rows"][-1][1:7]) and answer,
        "a sample that has them")
    row = dict(zip(history["columns"], history["rows"][-1], strict=True))
    assert history["columns"][1:7] == OUTCOMES
    assert (row["miss"], row["hit"], row["tier-memory"]) == (1, 2, 2)
    assert abs(row["time"] / 1000 - time.time()) < 60


@pytest.mark.parametrize("seed, end", [(11, signal.SIGTERM), (12, signal.SIGKILL), (13, signal.SIGTERM)])
def test_it_adds_up(start, model, prompt, folder, seed, end):
    """After whatever was asked, in whatever order: every request has one outcome, and every view has all of them. A
    sidecar that follows on what another has kept begins at zero and adds up, too."""
    dice = random.Random(seed)
    settings = {
        "limits.workers": 2, "memory.capacity": "1MiB", "prices": [{"model": "m1", "input": 3, "output": 9}],
        "objects.url": folder.url, "cache.warmRestart": 0, **DEPLOYMENT}
    model.script = lambda call, peer: (
        peer.respond(429, {"error": {}}) if b"bad" in call.body else scripted.script(call, peer))
    first = settled(start(settings), "objects")
    check_sums(first, workload(dice, prompt), before=first.metrics())
    written(first, "objects", 1)
    first.terminate(end)
    first.wait()
    second = settled(start(settings), "objects")
    before = second.metrics()
    assert before.sum("refrain_requests_total") < 100
    metrics = check_sums(second, workload(dice, prompt), before)
    assert metrics.sum("refrain_tier_lookups_total", tier="objects", result="hit") > 0


def workload(dice, prompt):
    """Requests of all kinds, many of them alike: path, headers and body of each."""
    queue = []
    for _ in range(500):
        dialect = dice.choice(list(PATH))
        members = {"stream": True} if dialect != "embeddings" and dice.random() < 0.3 else {}
        words = f"{prompt} {int(dice.paretovariate(0.8)) % 40} {'bad' if dice.random() < 0.1 else ''}"
        headers = [("Authorization", f"Bearer {dice.randrange(3)}"), ("Content-Type", "application/json")]
        if dice.random() < 0.3:
            headers.append(("x-refrain-namespace", dice.choice("xyz")))
        control = dice.choice([None] * 8 + ["no-cache", "no-store", "only-if-cached", "max-age=1"])
        if control:
            headers.append(("Cache-Control", control))
        content = json.dumps(body(dialect, words, model=f"m{dice.randrange(4)}", **members)).encode()
        queue.append((PATH[dialect], headers, content if dice.random() < 0.95 else content[:-1]))
    return queue


def check_sums(sidecar, queue, before):
    """Asks all of it, with several clients, and compares the views; `before` are the metrics of what was asked till then."""
    asked = len(queue) + before.sum("refrain_requests_total")

    def client():
        while queue:
            path, headers, content = queue.pop()
            assert wire.request(sidecar.port, "POST", path, headers, content).complete

    async def crowd():
        await asyncio.gather(*(asyncio.to_thread(client) for _ in range(6)))

    asyncio.run(crowd())
    metrics = until(
        lambda: (m := sidecar.metrics()).sum("refrain_requests_total") == asked and m, "all requests to be counted")
    shown = stats(sidecar)
    by_outcome = metrics.by("refrain_requests_total", "outcome")
    assert set(by_outcome) == set(OUTCOMES) and sum(by_outcome.values()) == asked
    assert metrics.by("refrain_request_duration_seconds_count", "outcome") == by_outcome
    assert sum(metrics.by("refrain_responses_total", "class").values()) == asked
    assert sum(metrics.by("refrain_bypass_total", "reason").values()) == by_outcome["bypass"]
    cacheable = asked - by_outcome["bypass"]
    for name in ("models", "tenants", "namespaces"):
        rows = shown[name]
        assert sum(row["requests"] for row in rows) == cacheable, name
        assert all(row["requests"] == row["hits"] + row["coalesced"] + row["misses"] for row in rows)
        assert sum(row["misses"] for row in rows) == by_outcome["miss"]
        assert sum(row["coalesced"] for row in rows) == by_outcome["coalesced"]
        for kind in ("prompt", "completion"):
            assert sum(row["savedTokens"][kind] for row in rows) == metrics.sum("refrain_saved_tokens_total", kind=kind)
        saved = sum(row["savedCostUSD"] for row in rows)
        assert saved == pytest.approx(metrics.sum("refrain_saved_cost_usd_total"))
    assert sum(row["requests"] for row in sidecar.admin("/api/keys?top=1000").json()["keys"]) == cacheable
    # Every look-up has one result; only requests for a fresh answer go without one.
    for tier in shown["tiers"]:
        assert tier["lookups"] == tier["hits"] + tier["stale"] + tier["misses"]
    lookups = {name: metrics.sum("refrain_tier_lookups_total", tier=name) for name in ("memory", "objects")}
    hits = {name: metrics.sum("refrain_tier_lookups_total", tier=name, result="hit") for name in lookups}
    assert lookups["memory"] <= cacheable and lookups["objects"] <= lookups["memory"] - hits["memory"]
    assert sum(hits.values()) <= by_outcome["hit"] + by_outcome["coalesced"]
    return metrics


# On terminals


class Screen:
    """A program on a terminal of 80 by 24."""

    def __init__(self, sidecar, *arguments):
        self.output = b""
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(follower)
        self.follower, self.leader = follower, leader
        self.process = subprocess.Popen(
            [str(binary()), *arguments], stdin=follower, stdout=follower, stderr=follower, env=environment(sidecar),
            start_new_session=True)

    def read(self):
        while select.select([self.leader], [], [], 0.05)[0]:
            self.output += os.read(self.leader, 65536)
        return self.output.decode()

    def frames(self):
        """What was shown each time, as lines without emphasis."""
        frames = self.read().split("\x1b[H")[1:]
        return [re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", frame).split("\r\n") for frame in frames]

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.leader)
        os.close(self.follower)


@pytest.fixture
def screen():
    mine = []

    def make(*arguments):
        mine.append(Screen(*arguments))
        return mine[-1]

    yield make
    for one in mine:
        one.close()


def busy(sidecar, prompt):
    for number in range(40):
        for _ in range(2):
            sidecar.post(CHAT, body("chat", f"{prompt} {number}", model=f"model\x1b[31m-{number % 9}"))


@pytest.mark.parametrize("end", [b"q", b"\x03", "TERM"])
def test_top(start, prompt, screen, end):
    sidecar = start()
    busy(sidecar, prompt)
    top = screen(sidecar, "top", "--every", "100ms")
    until(lambda: len(top.frames()) >= 3, "three frames")
    last = top.frames()[-2]
    assert len(last) <= 24 and all(len(line) <= 80 for line in last)
    text = "\n".join(last)
    for word in ("hit rate", "TIER", "memory", "OUTCOME", "MODEL", "KEY", "upstream", "q quits"):
        assert word in text
    # Names come from outside and must not steer the terminal.
    assert "\x1b[31m-" not in top.read() and "model?[31m-" in text
    if end == "TERM":
        top.process.terminate()
    else:
        os.write(top.leader, end)
    assert top.process.wait(10) == 0
    assert top.read().endswith("\x1b[?25h\x1b[?1049l")
    assert termios.tcgetattr(top.follower) == top.before


def test_top_goes_on_without_its_sidecar(start, prompt, screen):
    sidecar = start()
    top = screen(sidecar, "top", "--every", "100ms")
    until(lambda: len(top.frames()) >= 2, "two frames")
    sidecar.terminate()
    sidecar.wait()
    until(lambda: any("! no sidecar answers" in line for line in top.frames()[-1]), "it to say so")
    os.write(top.leader, b"q")
    assert top.process.wait(10) == 0


def test_top_wants_a_terminal(start):
    result = run(start(), "top")
    assert result.returncode == 1 and "refrain stats --watch" in result.stderr


def test_stats_again_and_again(start, prompt):
    sidecar = start()
    sidecar.post(CHAT, body("chat", prompt))
    with subprocess.Popen(
            [str(binary()), "stats", "--watch", "--every", "100ms", "--json"], stdout=subprocess.PIPE,
            env=environment(sidecar)) as process:
        try:
            readings = [json.loads(process.stdout.readline()) for _ in range(3)]
            assert readings[2]["uptimeSeconds"] > readings[0]["uptimeSeconds"]
        finally:
            process.kill()
    assert run(sidecar, "stats", "--every", "soon").returncode == 2
