"""Real servers that speak S3, what a sidecar needs to use them, and a proxy that makes them fail."""

import contextlib
import http.client
import itertools
import re
import threading

from .program import Program
from .sidecar import ROOT
from .upstream import Upstream

_numbers = itertools.count(1)


class ObjectPlace:
    """Where a sidecar keeps objects, as `objects.url` says it; nobody else uses it."""

    def __init__(self, url, environment=None):
        self.url, self.environment = url, environment or {}

    @property
    def settings(self):
        return {"objects.url": self.url}


class Folder(ObjectPlace):
    def __init__(self, path):
        super().__init__(f"file://{path}")
        self.path = path

    def entries(self):
        """The files of the entries that are there."""
        return {file for file in self.path.glob("v1/??/*") if re.fullmatch("[0-9a-f]{62}", file.name)}


class S3Server(Program):
    """`make_place` gives a part of its one bucket that is nobody else's."""

    access_key = secret = ""
    scheme = "http"

    def credentials(self, secret=None):
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": secret or self.secret}

    def make_place(self, signature="", port=None, secret=None, prefix=None, **parameters):
        endpoint = f"{self.scheme}://127.0.0.1:{port or self.port}"
        query = {"endpoint": endpoint, "style": "path"} | parameters
        prefix = prefix or f"place-{next(_numbers)}"
        text = "&".join(f"{name}={value}" for name, value in query.items())
        return ObjectPlace(f"s3{signature}://bucket/{prefix}?{text}", self.credentials(secret))


class Rclone(S3Server):
    access_key, secret = "REFRAINTESTKEY", "secret/with+signs="

    def __init__(self, certificates=None):
        super().__init__("rclone")
        self.data = self.folder / "data"
        (self.data / "bucket").mkdir(parents=True)
        words = [ROOT / ".venv/tests/bin/rclone", "serve", "s3", "--config", "", "--addr", "127.0.0.1:0", "--auth-key",
                 f"{self.access_key},{self.secret}"]
        self.certificates = certificates
        if certificates:
            self.scheme = "https"
            words += ["--cert", certificates["server.pem"], "--key", certificates["server.key"]]
        self.port = self.launch([*words, self.data], self._announced)

    def _announced(self):
        match = re.search(r"Starting s3 server on \[https?://127\.0\.0\.1:(\d+)", self.said())
        return match and int(match[1])

    def make_place(self, signature="", **parameters):
        if self.certificates:
            parameters = {"ca": self.certificates["ca.pem"]} | parameters
        return super().make_place(signature, **parameters)


class OpenStack(S3Server):
    access_key, secret = "test:tester", "testing"

    def __init__(self):
        super().__init__("swift")
        script = ROOT / "Tests/Servers/openstack_swift.py"
        self.port = self.launch(["/usr/bin/python3", script, self.folder / "node"], self._announced)

    def _announced(self):
        match = re.search(r"^ready (\d+)$", self.said(), re.MULTILINE)
        return match and int(match[1])

    def close(self):
        # It ends with its standard input, and then ends what it started.
        self.process.stdin.close()
        self.process.wait(30)
        super().close()


class FaultyS3:
    """Between a sidecar and its object store, with ways to fail: `status`, `timeout`, `slow`, `truncated`."""

    def __init__(self, server):
        self.server = server
        self.fault = None
        self.ended = threading.Event()
        self.upstream = Upstream(self._script)
        self.port = self.upstream.port

    @contextlib.contextmanager
    def failing(self, fault):
        self.fault = fault
        try:
            yield
        finally:
            self.fault = None

    def close(self):
        self.ended.set()
        self.upstream.close()
        assert not self.upstream.failures, self.upstream.failures

    def _script(self, call, peer):
        fault = self.fault
        if fault == "status":
            peer.respond(500, b"<Error><Code>InternalError</Code></Error>", type="application/xml")
            return
        if fault == "timeout":
            peer.wait_for_close()
            peer.close()
            return
        status, headers, content = self._ask(call)
        peer.head(status, headers)
        if call.method == "HEAD":
            return
        if fault == "truncated" and content:
            peer.send(content[:len(content) // 2])
            peer.close()
        elif fault == "slow":
            for place in range(0, len(content), 16):
                peer.send(content[place:place + 16])
                if self.ended.wait(0.2):
                    return
        else:
            peer.send(content)

    def _ask(self, call):
        """The same request, its Host included, so that its signature stays right."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        try:
            connection.putrequest(call.method, call.target, skip_host=True, skip_accept_encoding=True)
            for name, value in call.headers:
                if name.lower() not in ("connection", "expect"):
                    connection.putheader(name, value)
            connection.endheaders(call.body)
            answer = connection.getresponse()
            content = answer.read()
            headers = [(name, value) for name, value in answer.getheaders()
                       if name.lower() not in ("connection", "transfer-encoding", "content-length", "keep-alive")]
            length = answer.getheader("Content-Length") if call.method == "HEAD" else len(content)
            return answer.status, [*headers, ("Content-Length", length or 0)], content
        finally:
            connection.close()
