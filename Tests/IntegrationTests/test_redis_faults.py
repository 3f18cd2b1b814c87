"""Whatever happens to Redis, clients get right answers: traffic goes on while servers and networks fail."""

import contextlib
import statistics
import time

import pytest

from support import wire
from support.load import CHAT, HEADERS, Answers, Load, chat
from support.proxy import Proxy
from support.redis import Cluster, Redis
from support.sidecar import until
from support.simulated import Simulated
from support.tiers import events

# Room for a fraction of the answers, so that most look-ups reach Redis.
SETTINGS = {
    "cache.secret": "the-same-for-all", "memory.capacity": "1MiB", "memory.shards": 1, "log.requests": "none",
    "limits.workers": 1}


@pytest.fixture(scope="module")
def simulated():
    model = Simulated("--first-token", "2ms", "--tokens", "800")
    yield model
    model.close()


@pytest.fixture(scope="module")
def answers(simulated):
    return Answers(simulated, "popular")


@pytest.fixture
def traffic(servers, start, simulated, answers):
    """Two sidecars on a Redis, under load for the time of a block, after which no answer failed or was wrong."""

    @contextlib.contextmanager
    def traffic(*urls, **settings):
        pair = [start(SETTINGS | {"redis.url": url} | settings, port=simulated.port) for url in (urls * 2)[:2]]
        load = Load(pair, answers)
        with load:
            hits_in_redis(pair, 20)
            yield pair
            # It is of use again.
            hits_in_redis(pair, 20)
        load.assert_flawless()

    return traffic


def lookups(pair, result="hit"):
    return sum(one.metrics().sum("refrain_tier_lookups_total", tier="redis", result=result) for one in pair)


def hits_in_redis(pair, count):
    target = lookups(pair) + count
    until(lambda: lookups(pair) >= target, f"{count} more hits in Redis", 40)


def breaker(sidecar):
    return sidecar.metrics().sum("refrain_breaker_state", target="redis")


def opened(pair):
    until(lambda: all(breaker(one) > 0 for one in pair), "both breakers to open")


def closed(pair):
    until(lambda: all(breaker(one) == 0 for one in pair), "both breakers to close")


def test_killed_and_started_again(servers, traffic):
    redis = servers(Redis())
    with traffic(redis.url) as pair:
        redis.kill()
        opened(pair)
        time.sleep(1)
        redis.start()
        closed(pair)
    for sidecar in pair:
        # One line a change, not one a request.
        assert 2 <= len(events(sidecar, "breaker")) < 20


def test_asleep(servers, traffic):
    redis = servers(Redis())
    with traffic(redis.url) as pair:
        redis.begin("debug", "sleep", "1.5")
        opened(pair)
        closed(pair)


def test_full(servers, traffic):
    redis = servers(Redis("--maxmemory-policy", "noeviction"))
    with traffic(redis.url) as pair:
        used = int(next(line for line in redis.cli("info", "memory").splitlines()
                        if line.startswith("used_memory:")).partition(":")[2])
        redis.cli("config", "set", "maxmemory", used + 50_000)
        until(lambda: any(events(sidecar, "redis-refuses") for sidecar in pair), "Redis to refuse writes")
        time.sleep(1)
        # What it holds is still found, so this is no outage.
        hits_in_redis(pair, 10)
        assert not any(breaker(sidecar) for sidecar in pair)
        redis.cli("config", "set", "maxmemory", 0)
    for sidecar in pair:
        assert len(events(sidecar, "redis-refuses")) <= 3


@pytest.mark.parametrize("fault", ["stalls", "refuses", "delays", "corrupts", "cuts"])
def test_network(servers, traffic, fault):
    redis = servers(Redis())
    proxy = servers(Proxy(redis.port))
    with traffic(redis.url_at(proxy.port)) as pair:
        if fault == "cuts":
            for _ in range(10):
                proxy.cut()
                time.sleep(0.1)
        elif fault == "corrupts":
            # From one byte in a few answers to one in each.
            for one_in in (50_000, 500):
                with proxy.behaving(corrupts_one_in=one_in):
                    time.sleep(1)
        else:
            with proxy.behaving(**{"stalls": {"stalls": True}, "refuses": {"refuses": True},
                                   "delays": {"delay": 0.05}}[fault]):
                opened(pair)
                time.sleep(0.5)
            closed(pair)


def test_cluster(servers, traffic):
    """Slots move and a master dies, one after the other, because a cluster takes seconds to make."""
    cluster = servers(Cluster())
    with traffic(cluster.url) as pair:
        first, second, _ = cluster.masters()
        before = cluster.slots(second)
        cluster.reshard(first, second, 600)
        assert cluster.slots(second) == before + 600
        hits_in_redis(pair, 20)
        second.kill()
        until(lambda: len(cluster.masters()) == 3, "a replica to take over", 30)
        hits_in_redis(pair, 50)


ROUNDS = 6
MISSES = 300


def test_what_a_dead_redis_costs(servers, start, capsys):
    """Misses, one after the other, with a Redis that is down and without one, in turns."""
    redis = servers(Redis())
    model = servers(Simulated("--first-token", "0", "--tokens", "80"))
    plain = start(SETTINGS, port=model.port)
    orphan = start(SETTINGS | {"redis.url": redis.url}, port=model.port)
    redis.kill()
    seconds = {"no Redis": [], "Redis down": []}

    def ask(sidecar, name, count):
        taken = []
        with wire.Connection(sidecar.port) as connection:
            for number in range(count):
                begun = time.perf_counter()
                response = connection.ask("POST", CHAT, HEADERS, chat(f"cost-{name}-{number}"))
                taken.append(time.perf_counter() - begun)
                assert (response.status, response.outcome) == (200, "miss")
        return taken

    ask(orphan, "warm", 30)
    ask(plain, "warm", 30)
    opened([orphan])
    for turn in range(ROUNDS):
        seconds["no Redis"] += ask(plain, f"a{turn}", MISSES)
        seconds["Redis down"] += ask(orphan, f"b{turn}", MISSES)

    def line(name):
        cuts = statistics.quantiles(seconds[name], n=1000)
        return f"{name}: p50 {cuts[499] * 1e3:.3f} ms, p99 {cuts[989] * 1e3:.3f} ms"

    with capsys.disabled():
        print(f"\n{line('no Redis')}; {line('Redis down')}")
    assert orphan.metrics().sum("refrain_tier_lookups_total", tier="redis", result="hit") == 0
