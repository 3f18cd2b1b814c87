"""Real Redis servers: one alone, or a cluster."""

import os
import re
import subprocess

from .program import Program, accepts, free_port, run
from .sidecar import until

PREFIX = "refrain:v1:"


class Redis(Program):
    """`options` are redis-server's own. With `certificates` its port speaks TLS and asks clients for a certificate;
    with `socket` it listens on a Unix socket too."""

    def __init__(self, *options, certificates=None, password=None, socket=False):
        super().__init__("redis")
        # A cluster's nodes speak to each other on the second port.
        self.port = free_port(10_000)
        self.certificates, self.password = certificates, password
        self.socket = self.folder / "redis.sock"
        words = ["redis-server", "--bind", "127.0.0.1", "--dir", self.folder, "--save", "", "--enable-debug-command",
                 "yes"]
        if certificates:
            words += ["--port", "0", "--tls-port", self.port, "--tls-ca-cert-file", certificates["ca.pem"],
                      "--tls-cert-file", certificates["server.pem"], "--tls-key-file", certificates["server.key"]]
        else:
            words += ["--port", self.port]
        if password:
            words += ["--requirepass", password]
        if socket:
            words += ["--unixsocket", self.socket]
        self._words = [*words, *options]
        self.start()

    def start(self):
        self.launch(self._words, lambda: accepts(self.port))

    @property
    def url(self):
        return self.url_at(self.port)

    def url_at(self, port):
        """Its URL behind something that passes bytes on."""
        scheme = "rediss" if self.certificates else "redis"
        login = f":{self.password}@" if self.password else ""
        return f"{scheme}://{login}127.0.0.1:{port}"

    # redis-cli

    def _cli(self, words):
        command = ["redis-cli", "-p", str(self.port)]
        if self.certificates:
            files = self.certificates
            command += ["--tls", "--cacert", files["ca.pem"], "--cert", files["client.pem"], "--key",
                        files["client.key"]]
        environment = os.environ | ({"REDISCLI_AUTH": self.password} if self.password else {})
        return [*command, *(str(word) for word in words)], environment

    def raw(self, *words, input=None):
        command, environment = self._cli(words)
        return run(*command, env=environment, input=input)

    def cli(self, *words):
        return self.raw(*words).decode("utf-8", "replace").strip()

    def begin(self, *words):
        """A command that is not waited for."""
        command, environment = self._cli(words)
        return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    # Entries

    def has(self, key, database=0):
        return self.cli("-n", database, "exists", PREFIX + key) == "1"

    def wait_for(self, key, database=0):
        until(lambda: self.has(key, database), f"the entry {key} in Redis")

    def value(self, key):
        return self.raw("get", PREFIX + key)[:-1]

    def set(self, key, value):
        """Without changing when it expires."""
        assert self.raw("-X", "VALUE", "set", PREFIX + key, "VALUE", "keepttl", input=value) == b"OK\n"

    def lifetime(self, key):
        """Seconds until it expires."""
        return int(self.cli("pttl", PREFIX + key)) / 1000

    def entries(self):
        return {name for name in self.cli("--scan", "--pattern", PREFIX + "*").split()
                if re.fullmatch(re.escape(PREFIX) + "[0-9a-f]{64}", name)}


class Cluster:
    """Three masters and a replica of each."""

    def __init__(self, *options):
        self.nodes = []
        try:
            self._start(options)
        except BaseException:
            self.close()
            raise

    def _start(self, options):
        for _ in range(6):
            self.nodes.append(Redis(
                "--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-require-full-coverage", "no",
                "--repl-diskless-sync-delay", "0", *options))
        run("redis-cli", "--cluster", "create", *(f"127.0.0.1:{node.port}" for node in self.nodes),
            "--cluster-replicas", "1", "--cluster-yes")
        until(self.is_whole, "the cluster", 30)

    def is_whole(self):
        return all("cluster_state:ok" in node.cli("cluster", "info") for node in self.nodes) and sum(
            "master_link_status:up" in node.cli("info", "replication") for node in self.nodes) == 3

    @property
    def url(self):
        return "redis://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def masters(self):
        return [node for node in self.nodes
                if node.process.poll() is None and "role:master" in node.cli("info", "replication")]

    def reshard(self, source, target, slots):
        """Moves slots and all that is in them."""
        run("redis-cli", "--cluster", "reshard", f"127.0.0.1:{source.port}", "--cluster-from",
            source.cli("cluster", "myid"), "--cluster-to", target.cli("cluster", "myid"), "--cluster-slots", str(slots),
            "--cluster-yes", "--cluster-timeout", "5000", "--cluster-pipeline", "100")

    def slots(self, node):
        """How many are a master's own."""
        count = 0
        for line in node.cli("cluster", "nodes").splitlines():
            if "myself" in line:
                for part in line.split()[8:]:
                    first, _, last = part.partition("-")
                    count += int(last or first) - int(first) + 1 if first.isdigit() else 0
        return count

    def close(self):
        for node in self.nodes:
            node.close()
