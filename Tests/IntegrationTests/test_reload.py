"""Settings that a running sidecar takes over, and those that it cannot."""

import json
import os
import signal
import subprocess
import threading
import time

import pytest

from support import model as scripted
from support import wire
from support.requests import PATH, body
from support.sidecar import binary, until

CHAT = PATH["chat"]
HEADERS = [("Content-Type", "application/json"), ("Authorization", "Bearer test-key")]


class File:
    """A settings file."""

    def __init__(self, path, port):
        self.path, self.port = path, port
        self.write()

    def write(self, port=None, **sections):
        """`sections` are tables beside the upstream on `port`."""
        self.port = port or self.port
        url = f"http://127.0.0.1:{self.port}"
        self.text(json.dumps({"upstreams": [{"name": "model", "url": url}]} | sections))

    def text(self, text):
        """In one step, as a careful editor does."""
        beside = self.path.with_suffix(".new")
        beside.write_text(text)
        beside.rename(self.path)


@pytest.fixture
def file(tmp_path, model):
    return File(tmp_path / "refrain.yaml", model.port)


def reload(sidecar):
    return sidecar.admin("/api/reload", "POST")


def events(sidecar, name, start=0):
    return [line for line in sidecar.log_lines(start) if line.get("event") == name]


def test_another_model_takes_over_while_a_stream_goes_on(start, file, model, upstream, prompt):
    gate, begun = threading.Event(), threading.Event()

    def slow(call, peer):
        pieces = scripted.answer_to(call).stream
        peer.begin()
        peer.chunk(pieces[0])
        begun.set()
        if gate.wait(60):
            peer.chunk(b"".join(pieces[1:]))
            peer.finish()

    model.script = slow
    other = upstream(scripted.script)
    sidecar = start(config=file.path)
    with wire.Connection(sidecar.port) as connection:
        content = json.dumps(body("chat", prompt, stream=True)).encode()
        connection.send(wire.request_bytes("POST", CHAT, HEADERS, content))
        response = connection.head()
        pieces = connection.pieces(response)
        received = next(pieces)
        assert begun.wait(20)
        file.write(other.port)
        assert reload(sidecar).json() == {"changed": ["upstreams"], "needsRestart": []}
        assert sidecar.post(CHAT, body("chat", f"{prompt}-new")).status == 200
        assert (other.count(prompt), model.count(prompt)) == (1, 1)
        # More than one round of the housekeeping that lets go of upstreams without calls.
        time.sleep(2.5)
        gate.set()
        received += b"".join(pieces)
        assert wire.events(received)[-1] == "[DONE]"
    assert sidecar.post(CHAT, body("chat", prompt, stream=True)).outcome == "hit"


@pytest.mark.parametrize("text, words", [
    ("log: {level: loud}\nupstreams: [{url: 'http://127.0.0.1:1'}]", ["refrain.yaml:1", "log.level", "loud"]),
    ("upstreams: [{url: 'http://127.0.0.1:1'}]\nlog:\n  levle: debug", ["refrain.yaml:3", "log.levle", "log.level"]),
    ("upstreams: [", ["refrain.yaml:"]),
    ("upstreams: []", ["no upstream"]),
    ("upstreams: [{url: 'http://127.0.0.1:1'}]\nlog: {access: {path: /nowhere/at/all}}", ["/nowhere/at/all"]),
], ids=["value", "name", "syntax", "no-upstream", "path"])
def test_wrong_settings_change_nothing_and_say_why(start, file, model, prompt, text, words):
    sidecar = start(config=file.path)
    file.text(text)
    mark = sidecar.log_size()
    response = reload(sidecar)
    assert response.status == 422
    error = response.json()["error"]
    assert error["code"] == "bad-settings"
    assert all(word in error["message"] for word in words), error["message"]
    line = until(lambda: events(sidecar, "reload-refused", mark), "the reason in the log")[0]
    assert line["level"] == "error" and line["reason"] == error["message"]
    assert sidecar.post(CHAT, body("chat", prompt)).status == 200
    assert model.count(prompt) == 1


def test_what_cannot_be_changed_is_named(start, file):
    sidecar = start({"memory.capacity": "64MiB"}, config=file.path)
    file.write(cache={"ttl": "1h"}, log={"level": "debug"}, limits={"workers": 3, "drainTimeout": "5s"},
               memory={"capacity": "1GiB"})
    mark = sidecar.log_size()
    # The flag is over the file, as at the start.
    assert reload(sidecar).json() == {
        "changed": ["limits.drainTimeout", "log.level"], "needsRestart": ["cache.ttl", "limits.workers"]}
    line = until(lambda: events(sidecar, "reload-needs-restart", mark), "the warning")[0]
    assert line["level"] == "warning" and line["settings"] == "cache.ttl limits.workers"
    assert reload(sidecar).json() == {"changed": [], "needsRestart": ["cache.ttl", "limits.workers"]}


def test_logs_go_by_new_settings(start, file, tmp_path, prompt):
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    sidecar = start(config=file.path)

    def ask(log):
        mark = sidecar.log_size()
        file.write(log=log)
        assert reload(sidecar).status == 200
        assert sidecar.post(CHAT, body("chat", prompt)).status == 200
        return mark

    mark = ask({"requests": "none"})
    assert not sidecar.request_lines(mark)
    mark = ask({"requests": "all", "access": {"path": str(first)}, "bodies": True})
    until(lambda: sidecar.request_lines(mark), "the line of the request")
    until(lambda: first.exists() and '"request":' in first.read_text(), "the access log")
    ask({"requests": "all", "access": {"path": str(second)}})
    until(lambda: second.exists() and second.read_text().endswith("\n"), "the other access log")
    assert prompt not in second.read_text() and first.read_text().count("\n") == 1
    mark = ask({"requests": "all", "format": "text"})
    until(lambda: " info request " in sidecar.log_text(mark), "a line of text")
    assert second.read_text().count("\n") == 1, "none is kept any more"


def test_a_smaller_body_limit_holds_at_once(start, file, prompt):
    sidecar = start(config=file.path)
    large = body("chat", prompt + "x" * 5000)
    assert sidecar.post(CHAT, large).status == 200
    file.write(limits={"requestBody": "1KiB"})
    assert reload(sidecar).json()["changed"] == ["limits.requestBody"]
    assert sidecar.post(CHAT, large).status == 413


def test_the_signal_reloads_and_opens_the_access_log_anew(start, file, tmp_path, prompt):
    log = tmp_path / "access.jsonl"
    file.write(log={"access": {"path": str(log)}})
    sidecar = start(config=file.path)
    sidecar.post(CHAT, body("chat", prompt))
    until(lambda: log.exists() and log.read_text().endswith("\n"), "the access log")
    log.rename(tmp_path / "moved")
    file.write(log={"access": {"path": str(log)}, "requests": "all"})
    sidecar.process.send_signal(signal.SIGHUP)
    line = until(lambda: events(sidecar, "reloaded"), "the reload")[0]
    assert line["changed"] == "log.requests"
    sidecar.post(CHAT, body("chat", prompt))
    until(lambda: log.exists() and log.read_text().endswith("\n"), "the new file")
    file.text("listen: [")
    sidecar.process.send_signal(signal.SIGHUP)
    until(lambda: events(sidecar, "reload-refused"), "the refusal")


def test_it_is_asked_for_with_post(start):
    assert start().admin("/api/reload").status == 405


def test_it_wants_the_token(start):
    sidecar = start({"admin.token": "secret"})
    assert sidecar.admin("/api/reload", "POST", authorised=False).status == 401
    assert reload(sidecar).status == 200


def test_the_command(start, file):
    sidecar = start(config=file.path)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REFRAIN_")}
    environment["REFRAIN_ADMIN"] = f"127.0.0.1:{sidecar.admin_port}"

    def run(*words):
        return subprocess.run(
            [str(binary()), "reload", *words], capture_output=True, text=True, timeout=30, env=environment)

    assert run().stdout == "reloaded; nothing that can take effect now has changed\n"
    file.write(log={"level": "debug"}, memory={"capacity": "1GiB"})
    result = run()
    assert result.returncode == 0
    assert result.stdout == "reloaded: log.level\ntakes effect with the next start: memory.capacity\n"
    file.write(log={"level": "info"})
    assert json.loads(run("--json").stdout)["changed"] == ["log.level"]
    file.text("log: {level: loud}")
    result = run()
    assert result.returncode == 1 and "loud" in result.stderr and result.stdout == ""
    assert "Usage: refrain reload" in run("--help").stdout


def test_twenty_reloads_under_load_drop_no_request(start, file, upstream, prompt):
    """Good and bad files by turns, by signal and by request, while clients ask; the model moves to and fro."""
    models = [upstream(scripted.script) for _ in range(2)]
    sidecar = start({"limits.workers": 2}, config=file.path)
    failed, asked, stop = [], [0], threading.Event()

    def client(number):
        with wire.Connection(sidecar.port) as connection:
            count = 0
            while not stop.is_set():
                count += 1
                # Half of them are new, and so go to the model.
                text = f"{prompt}-{number}-{count // 2}"
                content = json.dumps(body("chat", text, stream=count % 3 == 0)).encode()
                try:
                    response = connection.ask("POST", CHAT, HEADERS, content)
                    if response.status != 200 or not response.complete:
                        failed.append((response.status, response.body[:200]))
                except (OSError, wire.Truncated) as error:
                    failed.append(repr(error))
                    return
                asked[0] += 1
                time.sleep(0.002)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    try:
        for turn in range(20):
            before = asked[0]
            if turn % 4 == 3:
                file.text("upstreams: [{url: nonsense}]\n")
            else:
                # One or both, under names that come and go.
                upstreams = [{"name": f"model-{(turn + number) % 3}", "url": f"http://127.0.0.1:{models[number].port}",
                              "concurrency": 0 if turn % 5 else 8}
                             for number in range(2) if turn % 3 == 0 or number == turn % 2]
                file.write(upstreams=upstreams, log={"requests": "all" if turn % 2 else "none"},
                           limits={"upstreamConnections": 64 + turn})
            if turn % 2:
                mark = sidecar.log_size()
                sidecar.process.send_signal(signal.SIGHUP)
                until(lambda: events(sidecar, "reloaded", mark) or events(sidecar, "reload-refused", mark), "a reload")
            else:
                assert reload(sidecar).status == 200
            until(lambda: asked[0] > before + 20, "clients to go on")
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert not failed, failed[:5]
    assert all(model.count(prompt) > 20 for model in models)


def test_texts_of_questions_are_kept_while_bodies_may_be_shown(start, file, prompt):
    semantic = {"semantic": {"mode": "shadow", "model": ""}}
    file.write(**semantic, log={"bodies": True})
    sidecar = start(config=file.path)

    def ask(text):
        sidecar.post(CHAT, body("chat", text))
        until(lambda: sidecar.metrics().sum("refrain_semantic_questions") >= 1, "the question to be learnt")

    def pairs():
        answer = sidecar.admin("/api/neighbours")
        return len(answer.json()["pairs"]) if answer.status == 200 else answer.status

    ask(f"{prompt} Where are 5 apples?")
    ask(f"{prompt} Where are 6 apples?")
    assert pairs() == 1
    file.write(**semantic, log={"bodies": False})
    assert reload(sidecar).json()["changed"] == ["log.bodies"]
    assert pairs() == 403
    file.write(**semantic, log={"bodies": True})
    assert reload(sidecar).status == 200
    assert pairs() == 0, "what was kept before is forgotten"
