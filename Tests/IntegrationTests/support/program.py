"""Servers that tests start: on ports of their own, with what they said kept for a failure's report."""

import pathlib
import random
import shutil
import socket
import subprocess
import tempfile

from .sidecar import until

START_LIMIT = 60.0


def free_port(*offsets):
    """A port below those that the system gives to connections, which could take it before its server does. The ports
    at `offsets` from it are free too."""
    for _ in range(200):
        port = random.randrange(11_000, 22_000)
        if all(_is_free(port + offset) for offset in (0, *offsets)):
            return port
    raise AssertionError("there is no free port")


def _is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def run(*words, limit=60, **options):
    """What a command prints; one that fails fails the test."""
    result = subprocess.run(words, capture_output=True, timeout=limit, **options)
    assert result.returncode == 0, f"{words}: {result.stdout.decode()} {result.stderr.decode()}"
    return result.stdout


class Program:
    """A server in a folder of its own."""

    def __init__(self, name):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"refrain-{name}-"))
        self.process = None
        self._log = self.folder / "said.log"

    def launch(self, words, is_ready):
        """Starts it and waits until `is_ready` gives something true, which is returned."""
        with open(self._log, "ab") as log:
            # Its end is the end of its standard input, for those that look at it.
            self.process = subprocess.Popen(
                [str(word) for word in words], stdin=subprocess.PIPE, stdout=log, stderr=log)

        def ready():
            assert self.process.poll() is None, f"{words[0]} ended: {self.said()}"
            return is_ready()

        try:
            return until(ready, f"{words[0]} to be ready", START_LIMIT)
        except AssertionError as error:
            self.close()
            raise AssertionError(f"{error}: {self.said()}") from None

    def said(self):
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process:
            self.process.stdin.close()
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def accepts(port):
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


class Certificates:
    """An authority, a server's certificate for 127.0.0.1, a client's, and a stranger's authority."""

    NEW = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]

    def __init__(self, folder):
        self.folder = folder
        signed = ["-CA", "ca.pem", "-CAkey", "ca.key"]
        self._make("ca", [])
        self._make("server", [*signed, "-addext", "subjectAltName=IP:127.0.0.1"])
        self._make("client", signed)
        self._make("stranger", [])

    def _make(self, name, options):
        run(*self.NEW, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}", *options,
            cwd=self.folder)

    def __getitem__(self, name):
        """The path of a file such as `ca.pem`."""
        return str(self.folder / name)
