"""Starting, watching and stopping the servers; every one is bound to the loopback address and ends with the harness."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
SERVER_CORE = 0
CLIENT_CORE = 1
START_SECONDS = 90.0
STOP_SECONDS = 5.0


class StartFailure(Exception):
    """A server could not be started; the text says why and shows the end of its log."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A server process with its children, pinned to one core.

    Only one server is awake at a time (`awake`), so that what the others do in the background is not measured.
    """

    def __init__(self, name: str, port: int, command: list[str], folder: Path, environment: dict[str, str]) -> None:
        self.name = name
        self.port = port
        self._log = folder / f"{name}-{port}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["taskset", "-c", str(SERVER_CORE), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | environment,
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise StartFailure(f"{self.name} ended with {self._process.returncode}: {self._log_end()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise StartFailure(f"{self.name} did not listen within {START_SECONDS:.0f} s: {self._log_end()}")

    def cpu_seconds(self) -> float:
        """User and system time of the process and its living children."""
        return sum(_cpu_ticks(process) for process in self._tree()) / TICKS

    def resident_bytes(self) -> int:
        pages = sum(int(_read(f"/proc/{process}/statm").split()[1]) for process in self._tree())
        return pages * os.sysconf("SC_PAGE_SIZE")

    @property
    def process(self) -> int:
        return self._process.pid

    def move(self, core: int) -> None:
        """To another core, threads included."""
        for process in self._tree():
            for thread in os.listdir(f"/proc/{process}/task"):
                os.sched_setaffinity(int(thread), {core})

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    @contextmanager
    def awake(self) -> Iterator[None]:
        self.resume()
        try:
            yield
        finally:
            self.pause()

    def stop(self) -> None:
        self.resume()
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        # Its own session holds nothing but what it started, some of which may outlive it.
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            pass

    def _tree(self) -> list[int]:
        found = [self._process.pid]
        for process in found:
            for thread in os.listdir(f"/proc/{process}/task"):
                try:
                    found += [int(child) for child in _read(f"/proc/{process}/task/{thread}/children").split()]
                except FileNotFoundError:
                    # A thread that ended meanwhile has no children.
                    continue
        return found

    def _log_end(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return " | ".join(lines[-6:]) or "it printed nothing"


def _read(path: str) -> str:
    with open(path, encoding="ascii", errors="replace") as file:
        return file.read()


def _cpu_ticks(process: int) -> int:
    # The name in the second field may hold spaces, so count from the parenthesis that ends it.
    fields = _read(f"/proc/{process}/stat").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def machine_busy_seconds() -> float:
    """CPU time that the whole machine has spent on anything since it started."""
    user, nice, system, _, _, interrupts, soft, *_ = map(int, _read("/proc/stat").splitlines()[0].split()[1:])
    return (user + nice + system + interrupts + soft) / TICKS
