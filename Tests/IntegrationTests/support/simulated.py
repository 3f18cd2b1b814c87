"""The simulated model that ships with Refrain."""

import re
import subprocess
import tempfile

from . import wire
from .sidecar import binary, until


class Simulated:
    """A running `refrain-sim model`, which lies beside the sidecar's binary."""

    def __init__(self, *options, port=0):
        program = binary().with_name("refrain-sim")
        assert program.exists(), f"{program} is not there: run `make build`"
        self.log = tempfile.NamedTemporaryFile(prefix="refrain-sim-")
        self.process = subprocess.Popen(
            [str(program), "model", "--listen", f"127.0.0.1:{port}", "--first-token", "1ms", "--tokens-per-second", "0",
             *options],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        self.port = until(self._port, "the simulated model to listen")

    def _port(self):
        with open(self.log.name) as log:
            match = re.search(r"http://127\.0\.0\.1:(\d+)", log.read())
        return int(match[1]) if match else None

    def calls(self):
        return wire.request(self.port, "GET", "/sim/stats").json()["calls"]

    def close(self):
        self.process.kill()
        self.process.wait()
