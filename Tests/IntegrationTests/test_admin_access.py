"""Who may use the admin port."""

import json
import os
import signal
import socket
import subprocess
import time

import pytest

from support import wire
from support.requests import PATH, body
from support.sidecar import binary, until

JSON = ("Content-Type", "application/json")

FOREIGN = {
    "another site's page": [("Content-Type", "text/plain"), ("Origin", "http://other.example")],
    "a page without an origin": [("Origin", "null")],
    "a name that leads here": [("Host", "other.example:8401"), ("Origin", "http://other.example:8401")],
    "a name that leads here, unsaid": [("Host", "other.example")],
    "a page on another port": [("Host", "localhost:8401"), ("Origin", "http://localhost:3000")],
}


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
def test_pages_of_other_sites_are_refused(refrain, headers):
    for method, path, body in [("POST", "/api/purge", {"all": True}), ("POST", "/api/explain", {"model": "m"}),
                               ("GET", "/metrics", None), ("GET", "/api/stats", None), ("GET", "/", None)]:
        answer = refrain.admin(path, method, body, headers)
        assert (answer.status, answer.json()["error"]["code"]) == (403, "foreign-page"), path
    # Probes come by any name.
    assert refrain.admin("/healthz", headers=headers).status == 200
    assert refrain.admin("/readyz", headers=headers).status == 200


@pytest.mark.parametrize("host", ["localhost:8401", "127.0.0.1", "[::1]:8401"])
def test_this_machine_is_served_by_its_names(refrain, host):
    own = [("Host", host)]
    assert refrain.admin("/metrics", headers=own).status == 200
    assert refrain.admin("/api/stats", headers=own + [("Origin", f"http://{host}")]).status == 200


def test_with_a_token_any_name_will_do(start):
    sidecar = start({"admin.token": "secret-token"})
    headers = [("Host", "sidecar.example"), ("Origin", "http://board.example")]
    assert sidecar.admin("/metrics", headers=headers).status == 200
    assert sidecar.admin("/metrics", headers=headers, authorised=False).status == 401


def test_on_all_addresses_any_name_will_do(start):
    sidecar = start({"admin.listen": "0.0.0.0:0"})
    assert sidecar.admin("/metrics", headers=[("Host", "sidecar.example:8401")]).status == 200
    refused = sidecar.admin("/api/purge", "POST", {"all": True}, [("Origin", "http://other.example"), JSON])
    assert refused.status == 403


def test_it_stops_although_nobody_reads_its_log(model, prompt):
    """A supervisor that has stopped reading must not keep the sidecar from ending."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {
        "listen": f"127.0.0.1:{port}", "admin.listen": "127.0.0.1:0", "log.requests": "all",
        "limits.drainTimeout": "1s", "limits.workers": 1,
        "upstreams": json.dumps([{"name": "model", "url": f"http://127.0.0.1:{model.port}"}]),
    }
    arguments = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REFRAIN_")}
    with subprocess.Popen(
            [str(binary()), "serve", *arguments], stderr=subprocess.PIPE, env=environment) as process:
        try:
            process.stderr.readline()
            request = wire.request_bytes(
                "POST", PATH["chat"], [], json.dumps(body("chat", prompt)).encode())
            with wire.Connection(port) as connection:
                # More lines than a pipe holds.
                for _ in range(900):
                    connection.send(request)
                    assert connection.response().status == 200
            process.send_signal(signal.SIGTERM)
            start = time.monotonic()
            until(lambda: process.poll() is not None, "the sidecar to end", 10)
            assert process.returncode == 0 and time.monotonic() - start < 8
        finally:
            process.kill()
