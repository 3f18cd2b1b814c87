"""Answers kept as objects: in a directory and in buckets, shared, outliving restarts, and failing softly."""

import json
import time

import pytest

from support import wire
from support.requests import PATH, STREAMING
from support.s3 import FaultyS3, Folder
from support.sidecar import until
from support.tiers import DEPLOYMENT, ask, events, key_of, peek, refusal, settled, where, written

PLACES = ["file", "s3", "s3 over TLS", "s3 on OpenStack Swift", "s3+v2 on OpenStack Swift"]


@pytest.fixture(params=PLACES)
def place(request, folder):
    """Each kind of place where objects can be."""
    if request.param == "file":
        return folder
    name, signature = {
        "s3": ("rclone", ""), "s3 over TLS": ("rclone_tls", ""), "s3 on OpenStack Swift": ("open_stack", ""),
        "s3+v2 on OpenStack Swift": ("open_stack", "+v2"),
    }[request.param]
    return request.getfixturevalue(name).make_place(signature)


@pytest.fixture
def join(start):
    """Starts a sidecar that keeps objects in a place."""
    def join(place, settings=None, works=True):
        sidecar = start(DEPLOYMENT | place.settings | (settings or {}), environment=place.environment)
        return settled(sidecar, "objects") if works else sidecar

    return join


def test_shared_and_outliving_restarts(join, model, prompt, place):
    cases = [(dialect, is_stream) for dialect in PATH for is_stream in (False, True)
             if dialect in STREAMING or not is_stream]
    one = join(place)

    def all(sidecar):
        return [ask(sidecar, f"{prompt} {dialect} {is_stream}", dialect=dialect,
                    **({"stream": True} if is_stream else {})) for dialect, is_stream in cases]

    first = all(one)
    written(one, "objects", len(cases))
    other = join(place)
    second = all(other)
    assert {where(response) for response in second} == {("hit", "objects")}
    again = all(other)
    assert {where(response) for response in again} == {("hit", "memory")}
    ping = b'event: ping\ndata: {"type":"ping"}\n\n'
    assert [response.body for response in second] == [response.body.replace(ping, b"") for response in first]
    assert [response.body for response in again] == [response.body for response in second]
    for sidecar in (one, other):
        sidecar.terminate()
        assert sidecar.wait() == 0
    later = join(place, {"cache.warmRestart": 0})
    assert {where(response) for response in all(later)} == {("hit", "objects")}
    assert model.count(prompt) == len(cases)


def test_promotion_keeps_what_is_left_of_the_lifetime(join, prompt, folder):
    one, other = join(folder), join(folder)
    ask(one, prompt, ("x-refrain-ttl", "100"))
    written(one, "objects", 1)
    until(lambda: int(peek(one, prompt).header("age")) >= 2, "the answer to age")
    responses = [ask(other, prompt) for _ in range(2)]
    assert [where(response) for response in responses] == [("hit", "objects"), ("hit", "memory")]
    assert all(0 < wire.cache_status(response)["ttl"] <= 98 for response in responses)


def test_stale_from_objects_while_the_upstream_fails(join, model, prompt, folder):
    one, other = join(folder), join(folder)
    first = ask(one, prompt, ("x-refrain-ttl", "1"))
    written(one, "objects", 1)
    until(lambda: peek(one, prompt) is None, "the answer to expire")
    model.script = lambda call, peer: peer.respond(503, {"error": {"message": "down"}})
    stale = ask(other, prompt)
    assert where(stale) == ("stale", "objects") and stale.body == first.body


def test_redis_is_filled_from_objects(join, redis, prompt, folder):
    settings = {"redis.url": redis.url}
    first = ask(one := join(folder, settings), prompt)
    written(one, "objects", 1)
    written(one, "redis", 1)
    redis.cli("flushall")
    assert where(ask(join(folder, settings), prompt)) == ("hit", "objects")
    redis.wait_for(key_of(first))
    assert where(ask(join(folder, settings), prompt)) == ("hit", "redis")


def test_a_damaged_file_is_a_miss_and_deleted(join, model, prompt, folder):
    one, other = join(folder), join(folder)
    for number in range(4):
        ask(one, f"{prompt} {number}")
    written(one, "objects", 4)
    for number, file in enumerate(sorted(folder.entries())):
        content = file.read_bytes()
        half = len(content) // 2
        file.write_bytes([content[:half], content[:half] + b"\xff" + content[half + 1:], b"", b"x" * 100][number])
    assert [peek(other, f"{prompt} {number}") for number in range(4)] == [None] * 4
    until(lambda: not folder.entries(), "the damaged files to go")
    assert [ask(other, f"{prompt} {number}").outcome for number in range(4)] == ["miss"] * 4
    assert model.count(prompt) == 8


# What is written


def test_on_second_hit(join, prompt, folder):
    refrain = join(folder, {"objects.write": "on-second-hit"})
    ask(refrain, prompt, ("x-refrain-ttl", "1"))
    ask(refrain, prompt + " once")
    written(refrain, "objects", 2, "refused")
    assert not folder.entries()
    until(lambda: peek(refrain, prompt) is None, "the answer to expire")
    assert ask(refrain, prompt).outcome == "miss"
    written(refrain, "objects", 1)
    assert len(folder.entries()) == 1


@pytest.mark.parametrize("settings", [
    {"objects.floor": "100KiB"}, {"objects.ceiling": "1KiB"}, {"objects.write": "off"}], ids=["floor", "ceiling", "off"])
def test_what_is_not_written(join, prompt, folder, settings):
    refrain = join(folder, settings)
    # More than a few KiB, if compressed.
    ask(refrain, prompt, n=100)
    assert where(ask(refrain, prompt, n=100)) == ("hit", "memory")
    refrain.terminate()
    assert refrain.wait() == 0
    assert not folder.entries()


def test_a_folder_is_bounded(join, prompt, folder):
    """Files count in blocks of 4 KiB."""
    refrain = join(folder, {"objects.capacity": "1MiB"})
    for number in range(300):
        ask(refrain, f"{prompt} {number}")
    written(refrain, "objects", 300)
    until(lambda: len(folder.entries()) <= 256, "the oldest files to go")
    assert len(folder.entries()) > 100
    fresh = join(folder)
    assert where(peek(fresh, f"{prompt} 299")) == ("hit", "objects")


# Faults


@pytest.fixture
def faulty(rclone, servers):
    return servers(FaultyS3(rclone))


def test_an_empty_bucket_costs_nothing_but_a_look(join, rclone, prompt):
    refrain = join(rclone.make_place())
    assert ask(refrain, prompt).outcome == "miss"
    assert not [line for line in refrain.log_lines() if line["level"] in ("warning", "error")]


@pytest.mark.parametrize("fault", ["status", "timeout", "slow", "truncated"])
def test_a_failing_store_is_a_miss(join, rclone, faulty, model, prompt, fault):
    """The model's answer comes after the deadline of look-ups at the latest, and hits come back."""
    straight = rclone.make_place(prefix=prompt)
    behind = rclone.make_place(prefix=prompt, port=faulty.port)
    one = join(straight)
    for number in range(12):
        ask(one, f"{prompt} {number}")
    written(one, "objects", 12)
    other = join(behind, {"objects.deadline": "300ms"})
    assert where(ask(other, f"{prompt} 0")) == ("hit", "objects")
    mark = other.log_size()
    with faulty.failing(fault):
        for number in range(1, 9):
            begun = time.monotonic()
            response = ask(other, f"{prompt} {number}")
            seconds = time.monotonic() - begun
            assert response.outcome == "miss" and response.json()["choices"]
            assert seconds < 5, "far from what a store may take"
            assert where(ask(other, f"{prompt} {number}")) == ("hit", "memory")
    said = [line for line in other.log_lines(mark) if line["level"] in ("warning", "error")]
    assert 1 <= len(said) <= 6, said
    number = until(
        lambda: next((n for n in (9, 10, 11) if (found := peek(other, f"{prompt} {n}"))
                      and where(found)[1] == "objects"), None), "hits to come back")
    assert number
    assert model.count(f"{prompt} {number}") == 1


def test_a_wrong_secret_is_said_in_the_log(join, rclone, open_stack, model, prompt):
    for place in (rclone.make_place(secret="hush-hush-wrong"), open_stack.make_place(secret="hush-hush-wrong"),
                  open_stack.make_place("+v2", secret="hush-hush-wrong")):
        refrain = join(place, works=False)
        assert ask(refrain, prompt).outcome == "miss"
        assert where(ask(refrain, prompt)) == ("hit", "memory")
        line = until(lambda: next((line for line in refrain.log_lines() if line["level"] in ("warning", "error")
                                   and "denied" in json.dumps(line)), None), "the refusal in the log")
        assert "objects" in json.dumps(line)
        assert "hush" not in refrain.log_text() and place.environment["AWS_ACCESS_KEY_ID"] not in refrain.log_text()


def test_no_bucket_of_that_name(join, rclone, prompt):
    place = rclone.make_place()
    place.url = place.url.replace("://bucket/", "://no-such-bucket/")
    refrain = join(place, works=False)
    assert ask(refrain, prompt).outcome == "miss"
    assert where(ask(refrain, prompt)) == ("hit", "memory")


def test_an_authority_that_is_not_trusted(join, rclone_tls, certificates, prompt):
    place = rclone_tls.make_place(ca=certificates["stranger.pem"])
    refrain = join(place, works=False)
    assert ask(refrain, prompt).outcome == "miss"
    until(lambda: "certificate" in refrain.log_text().lower(), "a line about the certificate")


@pytest.mark.parametrize("settings, hint", [
    ({"objects.url": "ftp://h/x"}, "s3"), ({"objects.url": "s3://bucket"}, "AWS_ACCESS_KEY_ID"),
    ({"objects.url": "file://relative"}, "file:///"), ({"objects.url": "file:///proc/nowhere/dir"}, "/proc/nowhere"),
    ({"objects.url": "s3+v2://bucket"}, "endpoint")], ids=["scheme", "credentials", "relative", "folder", "endpoint"])
def test_bad_settings_stop_the_start(settings, hint):
    assert hint in refusal(settings)


# Warm restart


@pytest.mark.parametrize("kind", ["file", "s3", "redis and file"])
def test_the_hottest_answers_are_in_memory_again(join, start, rclone, redis, model, prompt, folder, kind):
    place = rclone.make_place() if kind == "s3" else folder
    settings = {"redis.url": redis.url} if kind.startswith("redis") else {}
    settings |= {"cache.warmRestart": 10, "memory.shards": 1}
    refrain = join(place, settings)
    for number in range(30):
        ask(refrain, f"{prompt} {number}.")
    hot = [7, 11, 13, 17, 19, 23, 2, 3, 5, 29]
    for _ in range(5):
        for number in hot:
            assert where(ask(refrain, f"{prompt} {number}.")) == ("hit", "memory")
    refrain.terminate()
    assert refrain.wait() == 0
    again = join(place, settings)
    until(lambda: events(again, "refilled"), "the hottest answers")
    tiers = {number: where(peek(again, f"{prompt} {number}."))[1] for number in range(30)}
    assert sorted(number for number, tier in tiers.items() if tier == "memory") == sorted(hot)
    assert set(tiers.values()) == {"memory", "redis" if settings.get("redis.url") else "objects"}
    assert model.count(prompt) == 30
    assert not events(again, "breaker")


def test_a_warm_restart_does_not_delay_readiness(join, rclone, servers, prompt):
    """The store takes longer than a start may."""
    faulty = servers(FaultyS3(rclone))
    place = rclone.make_place(port=faulty.port)
    refrain = join(place)
    ask(refrain, prompt)
    refrain.terminate()
    assert refrain.wait() == 0
    with faulty.failing("timeout"):
        again = join(place, {"objects.deadline": "200ms"}, works=False)
        assert again.admin("/readyz").status == 200
        assert ask(again, prompt).outcome == "miss"


def test_a_folder_that_is_shared_with_other_files(join, prompt, folder):
    folder.path.mkdir()
    (folder.path / "notes.txt").write_text("mine")
    (folder.path / "v1").mkdir()
    (folder.path / "v1/zz").write_text("mine too")
    refrain = join(Folder(folder.path))
    ask(refrain, prompt)
    written(refrain, "objects", 1)
    assert (folder.path / "notes.txt").read_text() == "mine"
    assert (folder.path / "v1/zz").read_text() == "mine too"
