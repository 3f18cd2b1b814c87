"""The servers that are compared, each with the settings under which it does its best."""

import getpass
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import workload
from client import Client
from processes import Server, free_port

HERE = Path(__file__).resolve().parent
PEERS = HERE.parent / "Peers"
C_FLAGS = ["-std=gnu17", "-O2", "-Wall", "-Wextra"]


class Yard:
    """Where everything of one run lives: a temporary folder, the compiled tools and the running servers."""

    def __init__(self, refrain: Path, litellm: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="refrain-bench-"))
        self._memory = Path(tempfile.mkdtemp(prefix="refrain-bench-", dir="/dev/shm"))
        self._refrain = refrain
        self._litellm = litellm
        self._servers: list[Server] = []

    def prepare(self) -> None:
        """Compiles the C tools and writes the origin's answers."""
        for tool in ("epoll", "origin", "ttfb"):
            source, program = HERE / f"{tool}.c", self.folder / tool
            subprocess.run(["gcc", *C_FLAGS, "-o", str(program), str(source)], check=True)
        for name, answer in workload.answers().items():
            (self.folder / name).write_bytes(answer)

    @property
    def program(self) -> Path:
        """The binary that is measured."""
        return self._refrain

    def stop_servers(self) -> None:
        while self._servers:
            self._servers.pop().stop()

    def close(self) -> None:
        self.stop_servers()
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self._memory, ignore_errors=True)

    def bare(self) -> Server:
        return self._start("bare", lambda port: [str(self.folder / "epoll"), str(port), str(workload.ANSWER_BODY)])

    def origin(self, delay: float = 0, gap: float = 0) -> Server:
        """The model server: `delay` seconds before an answer, `gap` between a stream's first event and the rest."""
        times = [str(round(seconds * 1e6)) for seconds in (delay, gap)]
        answers = [str(self.folder / name) for name in ("whole", "events", "tokens")]
        program = str(self.folder / "origin")
        return self._start("origin", lambda port: [program, str(port), *times, *answers, workload.TOKENS_MODEL])

    def nginx_cache(self, origin: Server, sendfile: bool = True) -> Server:
        """`sendfile` off: answers are read into memory and sent with their head in one call, cheaper when small."""
        name, word = ("nginx", "on") if sendfile else ("nginx-read", "off")
        return self._nginx(name, "nginx-cache.conf", origin, {"SENDFILE": word})

    def nginx_proxy(self, origin: Server) -> Server:
        return self._nginx("nginx", "nginx-proxy.conf", origin, {})

    def _nginx(self, name: str, template: str, origin: Server, extra: dict[str, object]) -> Server:
        def command(port: int) -> list[str]:
            prefix = self.folder / f"nginx-{port}"
            prefix.mkdir()
            cache = self._memory / str(port)
            cache.mkdir()
            # Only a master that runs as root may, and must, name the user of its workers.
            user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
            values = {"PREFIX": prefix, "CACHE": cache, "PORT": port, "ORIGIN": origin.port, "USER": user}
            configuration = prefix / "nginx.conf"
            configuration.write_text(_filled(PEERS / template, values | extra))
            return ["nginx", "-p", str(prefix), "-c", str(configuration), "-g", "daemon off;"]

        return self._start(name, command)

    def redis(self) -> Server:
        """Keeps nothing on disk, so that writing it out disturbs nobody."""
        return self._start("redis", lambda port: ["redis-server", "--port", str(port), "--save", "", "--appendonly", "no"])

    def refrain(
        self, origin: Server, wrapper: list[str] | None = None, settings: list[str] | None = None
    ) -> Server:
        """`wrapper`: a program that runs it, a profiler say."""
        settings = [
            f"admin.listen=127.0.0.1:{free_port()}",
            "limits.workers=1",
            f'upstreams=[{{name: origin, url: "http://127.0.0.1:{origin.port}"}}]',
            *(settings or []),
        ]

        def command(port: int) -> list[str]:
            flags = [part for setting in [f"listen=127.0.0.1:{port}", *settings] for part in ("--set", setting)]
            return [*(wrapper or []), str(self._refrain), "serve", *flags]

        return self._start("refrain", command)

    def litellm(self, origin: Server) -> Server:
        configuration = self.folder / "litellm.yaml"
        configuration.write_text(_filled(PEERS / "litellm.yaml", {"ORIGIN": origin.port}))
        # Its price list is otherwise fetched from the network at the start.
        environment = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "NO_PROXY": "*"}

        def command(port: int) -> list[str]:
            address = ["--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]
            return [str(self._litellm), "--config", str(configuration), *address]

        return self._start("litellm", command, environment)

    def _start(
        self, name: str, command: Callable[[int], list[str]], environment: dict[str, str] | None = None
    ) -> Server:
        port = free_port()
        server = Server(name, port, command(port), self.folder, environment or {})
        self._servers.append(server)
        server.wait_until_ready()
        return server


def origin_calls(origin: Server) -> int:
    """How many requests have reached the origin."""
    client = Client(origin.port)
    try:
        return int(client.get("/").body)
    finally:
        client.close()


def _filled(template: Path, values: dict[str, object]) -> str:
    text = template.read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text
