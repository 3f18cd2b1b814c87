"""What one sidecar asked is a hit on every other that has the same Redis."""

import json
import secrets
import threading

import pytest
from conftest import launch, retire

from support import wire
from support.forms import CASES, accumulated, comparable, label
from support.redis import Redis
from support.requests import STREAMING
from support.sidecar import until
from support.tiers import DEPLOYMENT, ask, events, key_of, peek, refusal, settled, where

PING = b'event: ping\ndata: {"type":"ping"}\n\n'
DOWN = {"error": {"message": "down", "type": "server_error"}}


@pytest.fixture(scope="module")
def both(session_model, shared_redis):
    pair = [launch(session_model.port, DEPLOYMENT | {"redis.url": shared_redis.url}) for _ in range(2)]
    for sidecar in pair:
        settled(sidecar, "redis")
    yield pair
    for sidecar in pair:
        retire(sidecar)


@pytest.fixture
def pair(both, model):
    """Two sidecars that most tests share."""
    return both


@pytest.fixture
def join(start, redis):
    """Starts a further sidecar on the Redis."""
    return lambda settings=None: settled(start(DEPLOYMENT | {"redis.url": redis.url} | (settings or {})), "redis")


def keep(refrain, redis, prompt, *lines, **options):
    """Asks, and waits until the answer is in Redis."""
    response = ask(refrain, prompt, *lines, **options)
    assert response.outcome == "miss"
    redis.wait_for(key_of(response))
    return response


@pytest.mark.parametrize("dialect, more, is_stream", [
    pytest.param(dialect, more, is_stream, id=f"{dialect}-{label(more)}-{'stream' if is_stream else 'whole'}")
    for dialect, more in [*CASES, ("embeddings", {})] for is_stream in (False, True)
    if dialect in STREAMING or not is_stream])
def test_an_answer_is_shared(pair, shared_redis, model, prompt, dialect, more, is_stream):
    one, other = pair
    form = {"stream": True} if is_stream else {}
    first = keep(one, shared_redis, prompt, dialect=dialect, **more, **form)
    second = ask(other, prompt, dialect=dialect, **more, **form)
    assert where(second) == ("hit", "redis")
    assert second.body == first.body.replace(PING, b"")
    assert key_of(second) == key_of(first)
    assert second.header("x-request-id") == first.header("x-request-id")
    assert second.header("content-type").startswith(first.header("content-type"))
    if dialect in STREAMING:
        usage = {"stream_options": {"include_usage": True}} if dialect in ("chat", "completions") else {}
        turned = ask(other, prompt, dialect=dialect, **more, **({} if is_stream else {"stream": True} | usage))
        assert turned.outcome == "hit"
        stream, whole = (first, turned) if is_stream else (turned, first)
        if is_stream and usage:
            stream = ask(other, prompt, dialect=dialect, **more, stream=True, **usage)
        assert comparable(dialect, accumulated(dialect, wire.events(stream.body))) == comparable(dialect, whole.json())
    assert model.count(prompt) == 1


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole to stream", "stream to whole"])
@pytest.mark.parametrize("dialect", STREAMING)
def test_the_other_form_comes_from_redis_too(pair, shared_redis, model, prompt, dialect, is_stream):
    usage = {"stream_options": {"include_usage": True}} if dialect in ("chat", "completions") else {}
    forms = [{}, {"stream": True} | usage]
    first = keep(pair[0], shared_redis, prompt, dialect=dialect, **forms[is_stream])
    second = ask(pair[1], prompt, dialect=dialect, **forms[not is_stream])
    assert where(second) == ("hit", "redis")
    stream, whole = (first, second) if is_stream else (second, first)
    assert comparable(dialect, accumulated(dialect, wire.events(stream.body))) == comparable(dialect, whole.json())
    assert model.count(prompt) == 1


def test_promotion_keeps_what_is_left_of_the_lifetime(pair, shared_redis, prompt):
    one, other = pair
    keep(one, shared_redis, prompt, ("x-refrain-ttl", "100"))
    until(lambda: int(peek(one, prompt).header("age")) >= 2, "the answer to age")
    first, second = ask(other, prompt), ask(other, prompt)
    assert [where(first), where(second)] == [("hit", "redis"), ("hit", "memory")]
    for response in (first, second):
        assert int(response.header("age")) >= 2
        assert 0 < wire.cache_status(response)["ttl"] <= 98


def test_an_answer_from_redis_expires_when_it_should(pair, shared_redis, model, prompt):
    one, other = pair
    first = keep(one, shared_redis, prompt, ("x-refrain-ttl", "2"))
    assert ask(other, prompt).body == first.body
    again = until(lambda: (answer := ask(other, prompt)).outcome == "miss" and answer, "the answer to expire")
    assert again.body != first.body and model.count(prompt) == 2


@pytest.mark.parametrize("settings, most", [
    ({"cache.staleIfError": "0s", "cache.staleWhileRevalidate": "0s"}, 0),
    ({"cache.staleIfError": "10m", "cache.staleWhileRevalidate": "0s"}, 600),
    ({"cache.staleIfError": "1m", "cache.staleWhileRevalidate": "5m"}, 300)], ids=["none", "error", "revalidate"])
def test_redis_lets_go_of_entries_when_they_are_of_no_use(join, redis, prompt, settings, most):
    refrain = join(settings)
    for seconds in (50, 5000):
        response = keep(refrain, redis, f"{prompt} {seconds}", ("x-refrain-ttl", str(seconds)))
        assert seconds + most - 30 < redis.lifetime(key_of(response)) <= seconds + most


def test_tenants_and_namespaces_never_cross(pair, shared_redis, model, prompt):
    one, other = pair
    team = ("x-refrain-namespace", "team")
    first = keep(one, shared_redis, prompt)
    theirs = keep(one, shared_redis, prompt, team)
    assert peek(other, prompt, key="another-key") is None
    assert peek(other, prompt, ("x-refrain-namespace", "teams")) is None
    assert peek(other, prompt, team, key="another-key") is None
    assert peek(other, prompt).body == first.body
    assert peek(other, prompt, team).body == theirs.body != first.body
    assert model.count(prompt) == 2


def test_another_secret_is_another_deployment(pair, shared_redis, start, prompt):
    keep(pair[0], shared_redis, prompt)
    stranger = settled(start(DEPLOYMENT | {"redis.url": shared_redis.url, "cache.secret": "another"}), "redis")
    assert peek(stranger, prompt) is None


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])
def test_stale_from_redis_while_the_upstream_fails(pair, shared_redis, model, prompt, is_stream):
    one, other = pair
    form = {"stream": True} if is_stream else {}
    first = keep(one, shared_redis, prompt, ("x-refrain-ttl", "1"), **form)
    until(lambda: peek(one, prompt) is None, "the answer to expire")
    model.script = lambda call, peer: peer.respond(503, DOWN)
    stale = ask(other, prompt, **form)
    assert where(stale) == ("stale", "redis")
    assert stale.body == first.body and wire.cache_status(stale)["ttl"] <= 0
    assert ask(other, prompt, **form).outcome == "stale"


def test_only_if_cached_looks_into_redis(pair, shared_redis, model, prompt):
    assert peek(pair[1], prompt) is None
    first = keep(pair[0], shared_redis, prompt)
    second = peek(pair[1], prompt)
    assert where(second) == ("hit", "redis") and second.body == first.body
    assert model.count(prompt) == 1


DAMAGES = {
    "a flipped bit": lambda value: value[:len(value) // 2] + bytes([value[len(value) // 2] ^ 1])
    + value[len(value) // 2 + 1:],
    "cut short": lambda value: value[:-9],
    "too long": lambda value: value + b"\0",
    "nothing": lambda value: b"",
    "not ours": lambda value: b"hello",
    "a later version": lambda value: value[:4] + b"\x63" + value[5:],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_value_is_a_miss_and_deleted(pair, shared_redis, model, prompt, damage):
    one, other = pair
    key = key_of(keep(one, shared_redis, prompt))
    shared_redis.set(key, DAMAGES[damage](shared_redis.value(key)))
    assert peek(other, prompt) is None
    until(lambda: not shared_redis.has(key), "the damaged value to go")
    fresh = keep(other, shared_redis, prompt)
    assert fresh.outcome == "miss" and model.count(prompt) == 2


def test_a_value_under_another_key_is_a_miss(pair, shared_redis, prompt):
    one, other = pair
    first = key_of(keep(one, shared_redis, prompt))
    second = key_of(keep(one, shared_redis, prompt + " other"))
    shared_redis.set(second, shared_redis.value(first))
    assert peek(other, prompt + " other") is None
    assert peek(other, prompt) is not None


# Encryption


def test_entries_are_sealed_and_keys_rotate(join, redis, prompt, tmp_path, model):
    old, new, lost = (secrets.token_hex(32) for _ in range(3))
    first = keep(join({"cache.encryptionKey": old}), redis, prompt)
    assert "東京".encode() not in redis.value(key_of(first)) and b"content" not in redis.value(key_of(first))
    assert where(peek(join({"cache.encryptionKey": f"{new},{old}"}), prompt)) == ("hit", "redis")
    keys = tmp_path / "keys"
    keys.write_text(f"{new}\n{old}\n")
    rotated = join({"cache.encryptionKey": f"file:{keys}"})
    assert peek(rotated, prompt).body == first.body
    later = keep(rotated, redis, prompt + " later")
    # The first key seals: without it the entry is a miss, and without the second the older one is.
    assert peek(join({"cache.encryptionKey": old}), prompt + " later") is None
    only_new = join({"cache.encryptionKey": new})
    assert peek(only_new, prompt + " later").body == later.body
    assert peek(only_new, prompt) is None
    # What others sealed is left to them.
    assert redis.has(key_of(first)) and redis.has(key_of(later))
    assert peek(join({"cache.encryptionKey": lost}), prompt) is None
    assert peek(join(), prompt) is None
    assert model.count(prompt) == 2


@pytest.mark.parametrize("value, hint", [("abc", "64"), ("file:/nowhere/keys", "/nowhere/keys"), ("00" * 31, "64")],
                         ids=["short", "file", "nearly"])
def test_a_bad_encryption_key_stops_the_start(value, hint):
    line = refusal({"cache.encryptionKey": value})
    assert "cache.encryptionKey" in line and hint in line
    assert value.startswith("file:") or value not in line


# Ways to Redis


@pytest.mark.parametrize("way", ["password", "user", "socket", "database", "tls", "single"])
def test_ways_to_redis(servers, start, model, prompt, certificates, way):
    more, database = {}, 0
    if way == "password":
        server = servers(Redis(password="p@ss/w:rd"))
        url = f"redis://:p%40ss%2Fw%3Ard@127.0.0.1:{server.port}"
    elif way == "tls":
        server = servers(Redis(certificates=certificates, password="secret"))
        url = server.url
        more = {"redis.caFile": certificates["ca.pem"], "redis.certificateFile": certificates["client.pem"],
                "redis.keyFile": certificates["client.key"]}
    else:
        server = servers(Redis(socket=True))
        url = server.url
        if way == "user":
            server.cli("acl", "setuser", "refrain", "on", ">its-password", "~refrain:*", "&refrain:*", "+@all",
                       "-@dangerous")
            server.cli("acl", "setuser", "default", "resetpass", ">another")
            server.password = "another"
            url = f"redis://refrain:its-password@127.0.0.1:{server.port}"
        elif way == "socket":
            url = f"unix://{server.socket}"
        elif way == "database":
            url, database = server.url + "/3", 3
        elif way == "single":
            more = {"redis.mode": "single"}
    one, other = (settled(start(DEPLOYMENT | more | {"redis.url": url}), "redis") for _ in range(2))
    first = ask(one, prompt)
    server.wait_for(key_of(first), database)
    second = ask(other, prompt)
    assert where(second) == ("hit", "redis") and second.body == first.body
    for secret in ("p@ss", "p%40ss", "its-password", ":secret"):
        assert secret not in one.log_text()


@pytest.mark.parametrize("wrong", ["password", "authority", "no client certificate", "nobody there"])
def test_a_redis_that_lets_nobody_in(servers, start, model, prompt, certificates, wrong):
    """Answers come all the same, and the log says why Redis gives none."""
    more = {}
    if wrong == "password":
        server = servers(Redis(password="right"))
        url = f"redis://:wrong@127.0.0.1:{server.port}"
    elif wrong == "nobody there":
        url = "redis://127.0.0.1:1"
    else:
        server = servers(Redis(certificates=certificates))
        url = server.url
        more = {"redis.caFile": certificates["stranger.pem" if wrong == "authority" else "ca.pem"]}
        if wrong == "authority":
            more |= {"redis.certificateFile": certificates["client.pem"], "redis.keyFile": certificates["client.key"]}
    refrain = start({"redis.url": url} | more)
    for number in range(20):
        assert ask(refrain, f"{prompt} {number}").outcome == "miss"
        assert where(ask(refrain, f"{prompt} {number}")) == ("hit", "memory")
    until(lambda: [line for line in refrain.log_lines() if line["level"] in ("warning", "error")
                   and "redis" in json.dumps(line)], "a line about it")
    assert len(refrain.log_lines()) < 40 + 20, "one line a change, not one a request"


@pytest.mark.parametrize("settings, hint", [
    ({"redis.url": "http://h"}, "redis://"), ({"redis.url": "redis://h", "redis.mode": "many"}, "cluster"),
    ({"redis.url": "rediss://h", "redis.caFile": "/nowhere/ca.pem"}, "/nowhere/ca.pem")], ids=["url", "mode", "file"])
def test_bad_settings_stop_the_start(settings, hint):
    line = refusal(settings)
    assert hint in line and "redis" in line.lower() and "no reason" not in line


# A polite stop


@pytest.mark.parametrize("is_slow", [False, True], ids=["at once", "while Redis sleeps"])
def test_a_polite_stop_loses_no_write(join, redis, prompt, is_slow):
    refrain = join()
    keys, sleep = [], None
    if is_slow:
        ask(refrain, prompt)
        # Writes wait meanwhile.
        sleep = redis.begin("debug", "sleep", "0.5")
    lock = threading.Lock()

    def client(number):
        for turn in range(10):
            response = ask(refrain, f"{prompt} {number} {turn}")
            with lock:
                keys.append(key_of(response))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refrain.terminate()
    assert refrain.wait() == 0
    if sleep:
        sleep.wait()
    assert len(keys) == 40
    assert [key for key in keys if not redis.has(key)] == []


def test_counters_tell_what_redis_did(join, redis, prompt):
    one, other = join(), join()
    keep(one, redis, prompt)
    before = other.metrics()
    ask(other, prompt)
    ask(other, prompt)
    metrics = other.metrics()
    for name in ("refrain_tier_lookups_total", "refrain_tier_duration_seconds_count"):
        assert metrics.sum(name, tier="redis") - before.sum(name, tier="redis") == 1
    assert metrics.sum("refrain_tier_lookups_total", tier="redis", result="hit") == 1
    assert metrics.sum("refrain_breaker_state", target="redis") == 0
    until(lambda: one.metrics().sum("refrain_tier_writes_total", tier="redis", result="stored") == 1, "the count")
    assert one.metrics().sum("refrain_fill_dropped_total") == 0
    assert not events(one, "breaker") and not events(other, "breaker")
