#!/usr/bin/python3
"""One node of OpenStack Swift that speaks S3, in a directory: for tests, with one replica on plain files.

usage: openstack_swift.py DIRECTORY

Prints `ready PORT` when it answers, and ends with everything it started when its standard input is closed. The access
key is `test:tester`, the secret `testing`, and there is one bucket, `bucket`. Uses what Debian installs, so it runs
under Debian's Python.
"""

import getpass
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request

from swift.common.ring import RingBuilder

PATIENCE_SECONDS = 170

STORAGE = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
log_address = {folder}/no-syslog
[pipeline:main]
pipeline = healthcheck {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
fallocate_reserve = 0
[filter:healthcheck]
use = egg:swift#healthcheck
"""

PROXY = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {folder}
log_address = {folder}/no-syslog
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache s3api tempauth proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{memcached}
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
"""


def unused_ports(count):
    """Below those that the system gives to connections, one of which could take a port before its server does."""
    ports = []
    while len(ports) < count:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in ports:
            ports.append(port)
    return ports


def make_ring(folder, kind, port):
    """One device that has every part, as `swift-ring-builder` would make it, which takes a process for each step."""
    builder = RingBuilder(part_power=4, replicas=1, min_part_hours=1)
    device = {"id": 0, "region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "d1", "weight": 1.0}
    builder.add_dev({**device, "replication_ip": "127.0.0.1", "replication_port": port})
    builder.rebalance()
    builder.get_ring().save(str(folder / f"{kind}.ring.gz"))


def start(folder, name, words, started):
    with open(folder / f"{name}.log", "w") as log:
        started[name] = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def wait_until_ready(folder, ports, started):
    limit = time.monotonic() + PATIENCE_SECONDS
    for port in ports:
        while not answers(port):
            for name, process in started.items():
                if process.poll() is not None:
                    sys.exit(f"{name} ended: {(folder / f'{name}.log').read_text()}")
            if time.monotonic() > limit:
                sys.exit(f"OpenStack Swift did not answer within {PATIENCE_SECONDS} s")
            time.sleep(0.05)


def answers(port):
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/healthcheck", timeout=1).read()
        return True
    except OSError:
        return False


def make_bucket(port):
    """Through Swift's own interface, with the token that its test accounts are given."""
    user = {"X-Auth-User": "test:tester", "X-Auth-Key": "testing"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/auth/v1.0", headers=user)
    answer = urllib.request.urlopen(request, timeout=PATIENCE_SECONDS)
    request = urllib.request.Request(
        answer.headers["X-Storage-Url"] + "/bucket", method="PUT", headers={"X-Auth-Token": answer.headers["X-Auth-Token"]}
    )
    urllib.request.urlopen(request, timeout=PATIENCE_SECONDS)


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    (folder / "devices" / "d1").mkdir(parents=True)
    kinds = ["object", "container", "account"]
    *storage, memcached, proxy = unused_ports(len(kinds) + 2)
    values = {"folder": folder, "user": getpass.getuser(), "memcached": memcached}
    started = {}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        memory = ["memcached", "-l", "127.0.0.1", "-p", str(memcached), "-U", "0", "-m", "16"]
        if os.getuid() == 0:
            memory += ["-u", "nobody"]
        start(folder, "memcached", memory, started)
        for kind, port in zip(kinds, storage):
            make_ring(folder, kind, port)
            configuration = folder / f"{kind}.conf"
            configuration.write_text(STORAGE.format(kind=kind, port=port, **values))
            start(folder, kind, [f"swift-{kind}-server", str(configuration)], started)
        configuration = folder / "proxy.conf"
        configuration.write_text(PROXY.format(port=proxy, **values))
        start(folder, "proxy", ["swift-proxy-server", str(configuration)], started)
        wait_until_ready(folder, [*storage, proxy], started)
        make_bucket(proxy)
        print(f"ready {proxy}", flush=True)
        sys.stdin.buffer.read()
    finally:
        for process in started.values():
            process.kill()
        for process in started.values():
            process.wait()


if __name__ == "__main__":
    main()
