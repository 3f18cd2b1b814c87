"""Memory: idle, and with many idle connections while others are served."""

import resource
import socket
import time

import load
import workload
from hits import CONNECTIONS, HIT
from plan import Plan
from processes import Server
from report import Bar, table

MEBIBYTE = 1 << 20
IDLE_LIMIT = 30.0
# What a process needs beside its connections: files, libraries, the connections of the load.
SPARE_DESCRIPTORS = 200


def raise_descriptor_limit() -> None:
    """Lets this process and the servers it starts hold as many descriptors as the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def measure(plan: Plan) -> None:
    origin = plan.yard.origin()
    bare, nginx = plan.yard.bare(), plan.yard.nginx_cache(origin)
    refrain = plan.yard.refrain(origin) if plan.has_refrain else None
    started = [server for server in (bare, nginx, refrain, plan.litellm(origin)) if server]
    time.sleep(1)
    resident = {server.name: server.resident_bytes() / MEBIBYTE for server in started}
    rows = [[name, f"{resident[name]:.1f}"] for name in resident]
    table("Resident memory, idle after the start", ["server", "MiB"], rows)
    bars = [Bar("MiB resident, idle", resident["refrain"], IDLE_LIMIT)] if refrain else []
    plan.report.add("idle", resident, bars)
    if refrain:
        _crowd(plan, refrain)


def _crowd(plan: Plan, refrain: Server) -> None:
    """Many connections that were used once and are kept open, and load on some others."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    number = min(plan.idle, hard - SPARE_DESCRIPTORS)
    if number < plan.idle:
        print(f"  only {number} connections: the system allows {hard} descriptors")
    work = workload.workload("whole", streamed=False)
    requests = work.requests(refrain.port)
    load.prime(refrain, requests, HIT["refrain"])
    refrain.resume()
    figures = {"before": refrain.resident_bytes() / MEBIBYTE}
    idle: list[socket.socket] = []
    try:
        for _ in range(number):
            idle.append(_used_connection(refrain.port, requests[0]))
        figures["open"] = refrain.resident_bytes() / MEBIBYTE
        rate = load.run(load.target(refrain, work, plan.yard.folder), CONNECTIONS, plan.seconds).rate
        refrain.resume()
        figures["loaded"] = refrain.resident_bytes() / MEBIBYTE
        alive = sum(_is_open(one) for one in idle)
    finally:
        for one in idle:
            one.close()
    time.sleep(1)
    figures["closed"] = refrain.resident_bytes() / MEBIBYTE
    figures["kibibytes_per_connection"] = (figures["open"] - figures["before"]) * 1024 / number
    rows = [[name, f"{figures[name]:.1f}"] for name in figures]
    table(f"Refrain with {number} idle connections, {rate:.0f} requests/s on others", ["resident MiB", ""], rows)
    bars = [Bar("idle connections that outlived the load", alive / number, 1.0, at_least=True)]
    plan.report.add("crowd", figures | {"connections": number, "alive": alive, "rate": rate}, bars)


def _used_connection(port: int, request: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(request)
    held = b""
    # The answer fits one segment or two; its last byte is the JSON object's.
    while not held.endswith(b"}"):
        received = connection.recv(65536)
        if not received:
            raise load.WrongAnswer("refrain closed a connection that was to stay open")
        held += received
    return connection


def _is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return bool(connection.recv(1))
    except BlockingIOError:
        return True
    except OSError:
        return False
