"""A running `refrain serve`: started on free ports, observed through its log and admin port, stopped at the end."""

import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

from . import wire

ROOT = pathlib.Path(__file__).resolve().parents[3]
START_LIMIT = 20.0
STOP_LIMIT = 20.0


def binary():
    path = pathlib.Path(os.environ.get("REFRAIN_BINARY", ROOT / ".build/release/refrain"))
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"{path} is not there: run `make build`, or name the binary in REFRAIN_BINARY")
    return path


def until(condition, what, limit=20.0):
    """Polls `condition` until it gives something true, which is returned."""
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {limit:.0f} s in vain for {what}")
        time.sleep(0.01)


def setting(value):
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


class Sidecar:
    """`settings` are dotted names; the ports are the system's choice unless given. `config` is a settings file, and says
    itself which upstream there is."""

    def __init__(self, upstream_port, settings=None, upstream=None, environment=None, config=None):
        upstream = {"name": "model", "url": f"http://127.0.0.1:{upstream_port}"} | (upstream or {})
        values = {
            "listen": "127.0.0.1:0",
            "admin.listen": "127.0.0.1:0",
            "upstreams": [upstream],
            "log.requests": "all",
        } | (settings or {})
        self.token = values.get("admin.token")
        arguments = [str(binary()), "serve"]
        if config:
            del values["upstreams"], values["log.requests"]
            arguments += ["--config", str(config)]
        for name, value in values.items():
            arguments += ["--set", f"{name}={setting(value)}"]
        # What the tester has set is not to steer the sidecar.
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("REFRAIN_", "AWS_"))}
        self._log = tempfile.NamedTemporaryFile(prefix="refrain-", suffix=".log", mode="wb")
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT,
            env=clean | (environment or {}))
        self.may_be_gone = False
        try:
            serving = until(self._serving, "the sidecar to serve", START_LIMIT)
        except AssertionError:
            self.close()
            raise AssertionError(f"the sidecar did not start:\n{self.log_text()}") from None
        self.port = int(serving["listen"].rpartition(":")[2])
        self.admin_port = int(serving["admin"].rpartition(":")[2])

    def _serving(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the sidecar ended with {self.process.returncode}:\n{self.log_text()}")
        return next((line for line in self.log_lines() if line.get("event") == "serving"), None)

    # What it says

    def log_text(self, start=0):
        return pathlib.Path(self._log.name).read_bytes()[start:].decode("utf-8", "replace")

    def log_size(self):
        return os.path.getsize(self._log.name)

    def log_lines(self, start=0):
        lines = []
        for line in self.log_text(start).splitlines(keepends=True):
            if line.endswith("\n") and line.startswith("{"):
                lines.append(json.loads(line))
        return lines

    def request_lines(self, start=0):
        return [line for line in self.log_lines(start) if line.get("event") == "request"]

    # Its ports

    @property
    def base(self):
        return f"http://127.0.0.1:{self.port}"

    def post(self, path, body, headers=(), **options):
        """`body` is JSON unless it is bytes already."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        names = {name.lower() for name, _ in headers}
        lines = list(headers)
        if "content-type" not in names:
            lines.append(("Content-Type", "application/json"))
        if "authorization" not in names and "x-api-key" not in names:
            lines.append(("Authorization", "Bearer test-key"))
        return wire.request(self.port, "POST", path, lines, content, **options)

    def get(self, path, headers=(), method="GET", **options):
        return wire.request(self.port, method, path, list(headers), None, **options)

    def admin(self, path, method="GET", body=None, headers=(), authorised=True):
        lines = list(headers)
        if self.token and authorised:
            lines.append(("Authorization", f"Bearer {self.token}"))
        content = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        return wire.request(self.admin_port, method, path, lines, content)

    def is_healthy(self):
        return self.process.poll() is None and self.admin("/healthz").status == 200

    def metrics(self):
        return Metrics(self.admin("/metrics").body.decode())

    def resident(self):
        """Bytes of memory in use."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", text)[1]) * 1024

    # Its end

    def terminate(self, number=signal.SIGTERM):
        self.may_be_gone = True
        self.process.send_signal(number)

    def wait(self, limit=STOP_LIMIT):
        return self.process.wait(limit)

    def close(self):
        self.may_be_gone = True
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Metrics:
    """One scrape of the Prometheus text format."""

    LINE = re.compile(r'^([a-z_:][a-z0-9_:]*)(?:\{(.*)\})? (\S+)$')
    LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')

    def __init__(self, text):
        self.series = []
        for line in text.splitlines():
            if line and not line.startswith("#"):
                match = self.LINE.match(line)
                assert match, f"not a line of the text format: {line!r}"
                self.series.append((match[1], dict(self.LABEL.findall(match[2] or "")), float(match[3])))

    def sum(self, name, **labels):
        """Of all series of that name whose labels include the given ones."""
        return sum(
            value for series, have, value in self.series if series == name and labels.items() <= have.items())

    def by(self, name, label):
        result = {}
        for series, have, value in self.series:
            if series == name:
                result[have[label]] = result.get(have[label], 0) + value
        return result
