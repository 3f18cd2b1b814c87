"""Start, refusal to start, drain and stop."""

import json
import os
import signal
import socket
import subprocess
import threading

import pytest

from support import model as scripted
from support import wire
from support.requests import PATH, body
from support.sidecar import binary, until

CHAT = PATH["chat"]
UPSTREAM = 'upstreams=[{name: m, url: "http://127.0.0.1:1"}]'


def run(*arguments, environment=None, limit=20, stdout=subprocess.PIPE):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("REFRAIN_")}
    return subprocess.run(
        [str(binary()), *arguments], stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, text=True,
        timeout=limit, env=clean | (environment or {}))


def failure(result, code=1):
    """The one line for people, beside what the log says."""
    assert result.returncode == code, result.stderr
    lines = [line for line in result.stderr.splitlines() if not line.startswith("{")]
    assert len(lines) == 1 and lines[0].startswith("refrain: "), result.stderr
    return lines[0]


class Open:
    """A streamed answer that has begun and waits in the middle for `gate`."""

    def __init__(self, refrain, model, prompt):
        self.gate, begun = threading.Event(), threading.Event()

        def script(call, peer):
            events = scripted.answer_to(call).stream
            peer.begin()
            peer.chunk(events[0])
            begun.set()
            if self.gate.wait(60):
                peer.chunk(b"".join(events[1:]))
                peer.finish()

        model.script = script
        self.connection = wire.Connection(refrain.port)
        content = json.dumps(body("chat", prompt, stream=True)).encode()
        self.connection.send(wire.request_bytes("POST", CHAT, [("Content-Type", "application/json")], content))
        self.response = self.connection.head()
        self.pieces = self.connection.pieces(self.response)
        self.first = next(self.pieces)
        assert begun.wait(20)

    def rest(self):
        return b"".join(self.pieces)


def refuses_connections(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        return False
    except ConnectionRefusedError:
        return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_drains_and_exits_0(start, model, prompt, number):
    refrain = start()
    idle = wire.Connection(refrain.port)
    stream = Open(refrain, model, prompt)
    assert refrain.admin("/readyz").status == 200
    refrain.terminate(number)
    until(lambda: refuses_connections(refrain.port), "new connections to be refused")
    assert refrain.admin("/readyz").status == 503
    assert refrain.admin("/healthz").status == 200
    assert refrain.process.poll() is None
    stream.gate.set()
    assert (stream.first + stream.rest()).endswith(b"data: [DONE]\n\n")
    assert refrain.wait() == 0
    idle.close()
    events = [line["event"] for line in refrain.log_lines()]
    assert events.index("draining") < events.index("stopped")


def test_stops_at_once_when_nothing_is_in_flight(start):
    refrain = start()
    with wire.Connection(refrain.port):
        refrain.terminate()
        assert refrain.wait(10) == 0


def test_a_request_on_a_kept_connection_while_draining(start, model, prompt):
    refrain = start()
    stream = Open(refrain, model, prompt)
    refrain.terminate()
    until(lambda: refrain.admin("/readyz").status == 503, "the drain")
    stream.gate.set()
    assert stream.rest().endswith(b"data: [DONE]\n\n")
    # Another request on that connection is its last one, if it still gets an answer.
    model.script = lambda call, peer: peer.respond(200, b"{}")
    try:
        answer = stream.connection.ask("GET", "/v1/models")
        assert answer.complete and answer.header("connection").lower() == "close"
    except (wire.Truncated, ConnectionResetError, BrokenPipeError):
        pass
    assert refrain.wait() == 0


def test_drain_timeout_cuts(start, model, prompt):
    refrain = start({"limits.drainTimeout": "300ms"})
    stream = Open(refrain, model, prompt)
    refrain.terminate()
    assert refrain.wait() == 0
    with pytest.raises((wire.Truncated, ConnectionResetError)):
        stream.rest()
    stream.gate.set()


def test_second_signal_ends_at_once(start, model, prompt):
    refrain = start({"limits.drainTimeout": "1h"})
    stream = Open(refrain, model, prompt)
    refrain.terminate()
    until(lambda: refrain.admin("/readyz").status == 503, "the drain")
    refrain.terminate()
    assert refrain.wait() == 1
    stream.gate.set()


def test_drain_finishes_what_nobody_waits_for(start, model, prompt):
    """A whole answer that is being fetched while the signal comes is delivered."""
    refrain = start()
    gate, begun = threading.Event(), threading.Event()

    def script(call, peer):
        begun.set()
        assert gate.wait(20)
        scripted.script(call, peer)

    model.script = script
    answers = []
    client = threading.Thread(target=lambda: answers.append(refrain.post(CHAT, body("chat", prompt))))
    client.start()
    assert begun.wait(20)
    refrain.terminate()
    until(lambda: refuses_connections(refrain.port), "new connections to be refused")
    gate.set()
    client.join(20)
    assert answers[0].status == 200 and answers[0].complete
    assert refrain.wait() == 0


def test_restart_on_the_same_port(start, model, prompt):
    first = start()
    first.post(CHAT, body("chat", prompt))
    first.terminate()
    assert first.wait() == 0
    second = start({"listen": f"127.0.0.1:{first.port}", "admin.listen": f"127.0.0.1:{first.admin_port}"})
    assert second.post(CHAT, body("chat", prompt)).outcome == "miss"


@pytest.mark.parametrize("which", ["listen", "admin.listen"])
def test_port_in_use(which):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ports = {"listen": "127.0.0.1:0", "admin.listen": "127.0.0.1:0"} | {which: f"127.0.0.1:{port}"}
        sets = [part for name, value in ports.items() for part in ("--set", f"{name}={value}")]
        line = failure(run("serve", *sets, "--set", UPSTREAM))
    assert f"127.0.0.1:{port}" in line and "in use" in line


def test_two_sidecars_do_not_share_a_port(start):
    """The workers of one sidecar share theirs; a second sidecar must not slip in between."""
    refrain = start({"limits.workers": 2})
    failure(run("serve", "--set", f"listen=127.0.0.1:{refrain.port}", "--set", "admin.listen=127.0.0.1:0",
                "--set", UPSTREAM))


FILES = {
    "cache:\n  tll: 24h\n": ("2:3", "cache.ttl"),
    "cache:\n  ttl: 24\n": ("2:8", "unit"),
    "cache: { ttl: soon }\n": ("1:15", "duration"),
    "listen: 127.0.0.1\n": ("1:9", "listen"),
    "memory:\n  eviction: lur\n": ("2:13", "lru"),
    "memory:\n  capacity: 5\n": ("2:13", "unit"),
    "upstreams:\n  - { name: a, ur: http://h }\n": ("2:16", "url"),
    "limits: { workers: many }\n": ("1:20", "number"),
    "cache:\n  ttl: 1h\n  ttl: 2h\n": ("3:3", "ttl"),
    "cache: [\n": ("2:1", "yaml"),
    "cache:\n  leftOut: [messages]\n": ("2:", "messages"),
    "semantic: { mode: on }\n": ("1:19", "semantic"),
}


@pytest.mark.parametrize("text", FILES)
def test_bad_settings_file(tmp_path, text):
    place, hint = FILES[text]
    file = tmp_path / "refrain.yaml"
    file.write_text(text)
    line = failure(run("serve", "--config", str(file), "--set", UPSTREAM))
    assert f"{file}:{place}" in line
    assert hint.lower() in line.lower()


@pytest.mark.parametrize("assignment, hint", [
    ("cache.tll=1h", "cache.ttl"), ("cache.ttl=1", "unit"), ("lisen=127.0.0.1:1", "listen"), ("cache.ttl", "="),
    ("memory.capacity=many", "memory.capacity"), ("log.level=loud", "info")])
def test_bad_assignment(assignment, hint):
    result = run("serve", "--set", assignment, "--set", UPSTREAM)
    assert hint in failure(result, result.returncode) and result.returncode in (1, 2)


def test_bad_environment():
    line = failure(run("serve", "--set", UPSTREAM, environment={"REFRAIN_CACHE_TLL": "1h"}))
    assert "REFRAIN_CACHE_TLL" in line and "REFRAIN_CACHE_TTL" in line
    assert "REFRAIN_CACHE_TTL" in failure(run("serve", "--set", UPSTREAM, environment={"REFRAIN_CACHE_TTL": "1"}))


def test_no_upstream():
    result = run("serve")
    assert "upstream" in failure(result) and len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["config", "print"], ["config", "reference"], ["--help"]], ids=" ".join)
def test_output_that_cannot_be_written_is_a_failure(arguments):
    with open("/dev/full", "w") as full:
        result = run(*arguments, stdout=full)
    assert "standard output" in failure(result)


@pytest.mark.parametrize("line", ["no-colon", ": no name", "bad name: x", "name: two\r\nlines"])
def test_header_lines_are_checked_before_they_are_sent(tmp_path, line):
    file = tmp_path / "request.json"
    file.write_text("{}")
    assert "NAME: VALUE" in failure(run("explain", str(file), "--header", line), 2)


@pytest.mark.parametrize("arguments", [
    ["serve", "--nope"], ["nope"], [], ["purge"], ["purge", "--key", "x", "--all"], ["explain"], ["config"],
    ["config", "check"], ["serve", "--set"]], ids=" ".join)
def test_wrong_use_exits_2(arguments):
    result = run(*arguments)
    assert result.returncode == 2 and result.stderr.strip()


@pytest.mark.parametrize("command", [
    ["serve"], ["stats"], ["explain"], ["purge"], ["config", "print"], ["config", "check"], ["config", "reference"]],
    ids=" ".join)
def test_help_has_examples(command):
    result = run(*command, "--help")
    assert result.returncode == 0 and "Examples:" in result.stdout and not result.stderr


def test_secrets_are_not_printed(tmp_path):
    result = run("config", "print", "--set", UPSTREAM, "--set", "cache.secret=hush", "--set", "admin.token=whisper")
    assert result.returncode == 0 and "hush" not in result.stdout and "whisper" not in result.stdout
    assert "secret" in result.stdout


def test_what_config_print_prints_is_a_settings_file(tmp_path, model, start):
    printed = run("config", "print", "--set", f'upstreams=[{{name: m, url: "http://127.0.0.1:{model.port}"}}]',
                  "--set", "cache.ttl=90m")
    file = tmp_path / "refrain.yaml"
    file.write_text(printed.stdout)
    checked = run("config", "check", str(file))
    assert checked.returncode == 0, checked.stderr
    assert "90m" in printed.stdout


def test_credentials_are_never_logged(start, model, prompt):
    refrain = start({"log.level": "debug", "cache.secret": "the-secret-of-the-cache", "admin.token": "the-admin-token"})
    lines = [("Authorization", "Bearer sk-very-secret"), ("x-api-key", "xk-very-secret"), ("Cookie", "c-very-secret")]
    refrain.post(CHAT, body("chat", prompt), lines)
    refrain.post(CHAT, body("chat", prompt), lines)
    refrain.post(CHAT, b"not json sk-very-secret", lines)
    refrain.get("/v1/models?key=q-very-secret", lines)
    wire.exchange(refrain.port, b"GET /\x01 HTTP/1.1\r\nAuthorization: Bearer sk-very-secret\r\n\r\n")
    refrain.admin("/api/stats")
    refrain.terminate()
    refrain.wait()
    assert len(refrain.request_lines()) >= 4
    for secret in ("very-secret", "the-secret-of-the-cache", "the-admin-token"):
        assert secret not in refrain.log_text()
