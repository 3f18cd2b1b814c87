"""A purge on one of three sidecars holds for all of them, also for one that was away, and is never undone."""

import contextlib
import json
import os
import signal
import subprocess
import threading
import time

import pytest

from support import model as scripted
from support.proxy import Proxy
from support.purging import GROUPS, order, purge, seconds_until_gone
from support.redis import Redis
from support.requests import PATH, body, headers
from support.sidecar import binary, until
from support.tiers import DEPLOYMENT, ask, peek, settled, where, written

CHAT = PATH["chat"]


@pytest.fixture
def redis(servers):
    """One of a test's own: sidecars of other tests would bring the marks back, and lose answers by them."""
    return servers(Redis())


@pytest.fixture
def join(start, redis):
    return lambda settings=None: settled(
        start(DEPLOYMENT | {"redis.url": redis.url} | (settings or {})), "redis")


@pytest.fixture
def three(join):
    return [join() for _ in range(3)]


def put(sidecars, prompt, lines=(), **options):
    """An answer that all of them hold in memory."""
    first = ask(sidecars[0], prompt, *lines, **options)
    written(sidecars[0], "redis", 1)
    for sidecar in sidecars:
        until(lambda: where(ask(sidecar, prompt, *lines, **options)) == ("hit", "memory"), "the answer in memory")
    assert len({ask(sidecar, prompt, *lines, **options).body for sidecar in sidecars}) == 1
    return first


def tenant_of(sidecar, prompt, key):
    lines = [("x-explain-" + name, value) for name, value in headers("chat", key)]
    content = json.dumps(body("chat", prompt)).encode()
    return sidecar.admin(f"/api/explain?path={CHAT}", "POST", content, lines).json()["tenant"]


def report(capsys, what, seconds):
    with capsys.disabled():
        print(f"\n{what}: seen after {', '.join(f'{one * 1e3:.1f}' for one in seconds)} ms")


@pytest.mark.parametrize("group", GROUPS)
def test_a_purge_is_seen_by_all(three, model, prompt, capsys, group):
    inside, outside = GROUPS[group]
    victim = put(three, prompt, **inside)
    if group == "olderThan":
        time.sleep(1.2)
    if outside is not None:
        bystander = put(three, prompt + " other", **outside)
    wanted = order(group, victim, tenant_of(three[0], prompt, "their-key") if group == "tenant" else None)
    dry = purge(three[1], wanted | {"dryRun": True})
    assert dry["dryRun"] is True and dry["purged"] == 1 + (group == "all" and outside is not None)
    assert all(peek(sidecar, prompt, *lines(inside), **members(inside)) for sidecar in three)
    done = purge(three[1], wanted)
    assert (done["purged"], done["dryRun"], done["shared"]) == (dry["purged"], False, True)
    seconds = [seconds_until_gone(sidecar, prompt, *lines(inside), **members(inside)) for sidecar in three]
    report(capsys, f"purge by {group}", seconds)
    if outside is not None:
        for sidecar in three:
            kept = peek(sidecar, prompt + " other", *lines(outside), **members(outside))
            assert kept.body == bystander.body
    # What is asked anew is kept again.
    fresh = put(three, prompt, **inside)
    assert fresh.outcome == "miss" and fresh.body != victim.body
    assert model.count(prompt) == 2 + (outside is not None)
    assert three[1].metrics().sum("refrain_purges_total") >= 1


def lines(options):
    return options.get("lines", ())


def members(options):
    return {name: value for name, value in options.items() if name != "lines"}


def test_the_command_purges_all_sidecars(three, prompt):
    put(three, prompt, lines=[("x-refrain-tags", "draft")])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REFRAIN_")}
    admin = ["--admin", f"127.0.0.1:{three[0].admin_port}"]

    def command(*words):
        return subprocess.run([str(binary()), "purge", *words, *admin], capture_output=True, text=True, timeout=30,
                              env=environment)

    dry = command("--tag", "draft", "--dry-run", "--json")
    assert dry.returncode == 0 and json.loads(dry.stdout)["purged"] == 1
    assert all(peek(sidecar, prompt, ("x-refrain-tags", "draft")) for sidecar in three)
    done = command("--tag", "draft")
    assert done.returncode == 0 and "1 answer" in done.stdout
    for sidecar in three:
        seconds_until_gone(sidecar, prompt)
    for words in (["--tag", "a", "--model", "b"], ["--older-than", "soon"], ["--tenant", "xyz"], ["--dry-run"]):
        refused = command(*words)
        assert refused.returncode == 2 and len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize("group", ["all", "model", "key", "olderThan"])
def test_a_sidecar_that_was_stopped_meanwhile(join, prompt, folder, group):
    """Its memory is empty, but Redis and the objects still hold the answer."""
    settings = folder.settings | {"cache.warmRestart": 0}
    three = [join(settings) for _ in range(3)]
    victim = put(three, prompt, model="purged")
    written(three[0], "objects", 1)
    three[2].terminate()
    assert three[2].wait() == 0
    if group == "olderThan":
        time.sleep(1.2)
    purge(three[0], order(group, victim))
    again = join(settings)
    assert peek(again, prompt, model="purged") is None
    assert ask(again, prompt, model="purged").body != victim.body


def test_a_warm_restart_brings_nothing_purged_back(join, prompt, folder):
    three = [join(folder.settings) for _ in range(3)]
    put(three, prompt)
    put(three, prompt + " other", model="purged")
    written(three[0], "objects", 2)
    three[2].terminate()
    assert three[2].wait() == 0
    purge(three[0], {"model": "purged"})
    again = join(folder.settings)
    until(lambda: again.metrics().sum("refrain_entries", tier="memory") >= 1, "the hottest answers")
    assert where(peek(again, prompt)) == ("hit", "memory")
    assert peek(again, prompt + " other", model="purged") is None


@pytest.mark.parametrize("away", ["suspended", "cut off", "stalled"])
def test_a_sidecar_that_was_away(start, join, servers, redis, prompt, capsys, away):
    proxy = servers(Proxy(redis.port))
    three = [join(), join(), join({"redis.url": redis.url_at(proxy.port)})]
    put(three, prompt)

    @contextlib.contextmanager
    def absence():
        if away == "suspended":
            three[2].process.send_signal(signal.SIGSTOP)
            yield
            three[2].process.send_signal(signal.SIGCONT)
        else:
            with proxy.behaving(**{"cut off": {"refuses": True}, "stalled": {"stalls": True}}[away]):
                yield

    with absence():
        purge(three[0], {"all": True})
        seconds_until_gone(three[1], prompt)
        # Longer than a look at marks takes, so that it surely missed the announcement.
        time.sleep(1)
    begun = time.monotonic()
    until(lambda: peek(three[2], prompt) is None, "the sidecar that was away to see the purge", 15)
    report(capsys, f"purge while {away}", [time.monotonic() - begun])


def test_a_purge_survives_an_emptied_redis(join, redis, prompt, folder):
    settings = folder.settings | {"cache.warmRestart": 0}
    three = [join(settings) for _ in range(3)]
    victim = put(three, prompt, model="purged")
    bystander = put(three, prompt + " other")
    written(three[0], "objects", 2)
    purge(three[0], {"model": "purged"})
    for sidecar in three:
        seconds_until_gone(sidecar, prompt, model="purged")
    redis.cli("flushall")
    # Those who know bring it back, so that those who come find it, while the objects still hold the old answer.
    until(lambda: redis.cli("exists", "refrain:v1:purges") == "1", "the marks to come back")
    late = join(settings)
    assert peek(late, prompt + " other").body == bystander.body
    assert peek(late, prompt, model="purged") is None
    assert all(peek(sidecar, prompt, model="purged") is None for sidecar in three)
    assert ask(late, prompt, model="purged").body != victim.body


@pytest.mark.parametrize("is_emptied", [False, True], ids=["redis keeps it", "redis is emptied"])
def test_a_purge_survives_that_all_sidecars_are_gone(join, redis, prompt, folder, is_emptied):
    settings = folder.settings | {"cache.warmRestart": 0}
    pair = [join(settings) for _ in range(2)]
    put(pair, prompt)
    written(pair[0], "objects", 1)
    purge(pair[0], {"all": True})
    for sidecar in pair:
        sidecar.terminate(signal.SIGKILL)
        sidecar.wait()
    if is_emptied:
        redis.cli("flushall")
    assert peek(join(settings), prompt) is None


def test_a_purge_without_redis_is_kept_with_the_objects(start, prompt, folder):
    settings = DEPLOYMENT | folder.settings | {"cache.warmRestart": 0}
    refrain = start(settings)
    ask(refrain, prompt, model="purged")
    kept = ask(refrain, prompt + " other")
    written(refrain, "objects", 2)
    assert purge(refrain, {"model": "purged"})["purged"] == 1
    refrain.terminate(signal.SIGKILL)
    refrain.wait()
    again = settled(start(settings), "objects")
    assert peek(again, prompt + " other").body == kept.body
    assert peek(again, prompt, model="purged") is None


def test_a_purge_that_cannot_be_shared_says_so(start, servers, prompt):
    redis = servers(Redis())
    refrain = start(DEPLOYMENT | {"redis.url": redis.url, "redis.deadline": "20ms"})
    ask(refrain, prompt)
    redis.kill()
    answer = refrain.admin("/api/purge", "POST", {"all": True})
    assert answer.status == 503 and answer.json()["error"]["message"]
    assert peek(refrain, prompt) is None


def test_an_answer_that_was_asked_for_before_a_purge_is_not_kept(three, model, prompt):
    """Even where another sidecar purges, and the answer comes after that."""
    begun, go_on = threading.Event(), threading.Event()

    def gated(call, peer):
        begun.set()
        assert go_on.wait(30)
        scripted.script(call, peer)

    model.script = gated
    client = threading.Thread(target=ask, args=(three[0], prompt))
    client.start()
    assert begun.wait(30)
    purge(three[1], {"all": True})
    # The announcement is on its way.
    time.sleep(0.3)
    go_on.set()
    client.join(30)
    assert [peek(sidecar, prompt) for sidecar in three] == [None] * 3
