"""Fixtures: a scripted model, sidecars in front of it and servers behind them. Nothing is built here."""

import itertools

import pytest

from support import model as scripted
from support.program import Certificates
from support.redis import Redis
from support.s3 import Folder, OpenStack, Rclone
from support.sidecar import Sidecar, binary
from support.upstream import Upstream

_running = []
_marks = {}
_numbers = itertools.count(1)


def pytest_sessionstart(session):
    try:
        binary()
    except FileNotFoundError as error:
        pytest.exit(str(error), returncode=2)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows what the sidecars said during the test."""
    report = yield
    if report.failed:
        for sidecar in _running:
            text = sidecar.log_text(_marks.get(sidecar, 0))
            report.sections.append((f"log of the sidecar on port {getattr(sidecar, 'port', '?')}", text[-20_000:]))
    return report


def launch(port, settings=None, upstream=None, environment=None, config=None):
    """Starts a sidecar in front of `port`; `retire` it."""
    sidecar = Sidecar(port, settings, upstream, environment, config)
    _running.append(sidecar)
    return sidecar


def retire(sidecar):
    sidecar.close()
    _running.remove(sidecar)


@pytest.fixture(autouse=True)
def alive(request):
    """After every test each sidecar that was not told to stop still lives and answers."""
    for sidecar in _running:
        _marks[sidecar] = sidecar.log_size()
    yield
    for sidecar in _running:
        assert sidecar.may_be_gone or sidecar.is_healthy(), (
            f"the sidecar is gone: {sidecar.process.poll()}\n{sidecar.log_text()[-4000:]}")


@pytest.fixture(scope="session")
def session_model():
    upstream = Upstream(scripted.script)
    yield upstream
    upstream.close()


@pytest.fixture
def model(session_model):
    """The well-behaved model behind `refrain`; a test may give it another script for its own time."""
    yield session_model
    session_model.script = scripted.script
    failures, session_model.failures = session_model.failures, []
    assert not failures, failures


@pytest.fixture(scope="session")
def shared_sidecar(session_model):
    sidecar = launch(
        session_model.port,
        {"limits.workers": 2, "limits.headTimeout": "2s", "limits.bodyTimeout": "3s",
         "cache.staleWhileRevalidate": "0s"},
        {"firstByteTimeout": "2s", "idleTimeout": "4s"})
    yield sidecar
    retire(sidecar)


@pytest.fixture
def refrain(shared_sidecar, model):
    """The sidecar that most tests share; they keep out of each other's way by `prompt`."""
    return shared_sidecar


@pytest.fixture
def start(model):
    """Starts sidecars with settings of a test's own, by default in front of `model`."""
    mine = []

    def start(settings=None, upstream=None, port=None, environment=None, config=None):
        sidecar = launch(model.port if port is None else port, settings, upstream, environment, config)
        mine.append(sidecar)
        return sidecar

    yield start
    for sidecar in mine:
        retire(sidecar)


@pytest.fixture
def upstream():
    """Makes further scripted upstreams."""
    mine = []

    def make(script):
        mine.append(Upstream(script))
        return mine[-1]

    yield make
    for one in mine:
        one.close()
        assert not one.failures, one.failures


@pytest.fixture
def prompt():
    """A text no other test uses, by which the model's calls can be counted."""
    return f"prompt-{next(_numbers)}-tail"


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def shared_redis():
    server = Redis()
    yield server
    server.close()


@pytest.fixture
def redis(shared_redis):
    """A Redis that is empty."""
    shared_redis.cli("flushall")
    return shared_redis


@pytest.fixture
def servers():
    """Keeps servers that a test starts until its end, when its sidecars have ended already if it asks for this first."""
    mine = []

    def keep(server):
        mine.append(server)
        return server

    yield keep
    for server in reversed(mine):
        server.close()


@pytest.fixture(scope="session")
def rclone():
    server = Rclone()
    yield server
    server.close()


@pytest.fixture(scope="session")
def rclone_tls(certificates):
    server = Rclone(certificates)
    yield server
    server.close()


@pytest.fixture(scope="session")
def open_stack():
    server = OpenStack()
    yield server
    server.close()


@pytest.fixture
def folder(tmp_path):
    """A directory for objects."""
    return Folder(tmp_path / "objects")
