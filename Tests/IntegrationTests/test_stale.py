"""Answers past their lifetime: served at once while a fresh one is fetched behind."""

import threading
import time

import pytest

from support import model as scripted
from support import wire
from support.requests import PATH, body
from support.sidecar import until

CHAT = PATH["chat"]
HEADERS = [("Content-Type", "application/json"), ("Authorization", "Bearer test-key")]


def refreshed(sidecar, result="refreshed"):
    return sidecar.metrics().sum("refrain_revalidations_total", result=result)


def expired(sidecar, prompt, **members):
    """A kept answer whose lifetime of a second is over."""
    first = sidecar.post(CHAT, body("chat", prompt, **members))
    assert first.outcome == "miss"
    time.sleep(1.1)
    return first


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_the_old_answer_at_once_and_the_new_one_next(start, model, prompt, stream):
    sidecar = start({"cache.ttl": "1s"})
    first = expired(sidecar, prompt, stream=stream)
    response = sidecar.post(CHAT, body("chat", prompt, stream=stream))
    assert response.outcome == "stale" and response.body == first.body
    assert response.header("x-refrain-tier") == "memory"
    status = wire.cache_status(response)
    assert status["hit"] is True and status["ttl"] < 0 and "fwd" not in status
    assert int(response.header("Age")) >= 1
    until(lambda: refreshed(sidecar) == 1, "the fresh answer")
    response = sidecar.post(CHAT, body("chat", prompt, stream=stream))
    assert response.outcome == "hit" and response.body != first.body
    assert int(response.header("Age")) == 0
    assert model.count(prompt) == 2


@pytest.mark.parametrize("control", ["max-age=3600", "no-cache"])
def test_who_wants_a_fresh_answer_waits_for_it(start, model, prompt, control):
    sidecar = start({"cache.ttl": "1s"})
    first = expired(sidecar, prompt)
    response = sidecar.post(CHAT, body("chat", prompt), [("Cache-Control", control)])
    assert response.outcome == "miss" and response.body != first.body


def test_a_model_that_fails_leaves_the_old_answer(start, model, prompt):
    sidecar = start({"cache.ttl": "1s", "cache.staleWhileRevalidate": "2s"})
    first = expired(sidecar, prompt)
    model.script = lambda call, peer: peer.respond(503, {"error": {"message": "busy"}})
    assert sidecar.post(CHAT, body("chat", prompt)).outcome == "stale"
    until(lambda: refreshed(sidecar, "failed") == 1, "the call to fail")
    for _ in range(20):
        assert sidecar.post(CHAT, body("chat", prompt)).outcome == "stale"
    assert model.count(prompt) <= 4, "a key whose call failed rests for a second"
    # Past the window the model is asked first, and the answer is there for its failure.
    time.sleep(2)
    before = model.count(prompt)
    response = sidecar.post(CHAT, body("chat", prompt))
    assert response.outcome == "stale" and response.body == first.body
    assert model.count(prompt) == before + 1


def test_two_sidecars_make_one_call(start, redis, model, prompt):
    settings = {"cache.ttl": "1s", "cache.secret": "shared", "redis.url": redis.url, "redis.deadline": "1s"}
    sidecars = [start(settings), start(settings)]
    expired(sidecars[0], prompt)
    gate = threading.Event()

    def slow(call, peer):
        gate.wait(30)
        scripted.script(call, peer)

    model.script = slow
    responses = [sidecar.post(CHAT, body("chat", prompt)) for sidecar in sidecars]
    assert [response.outcome for response in responses] == ["stale", "stale"]
    assert [response.header("x-refrain-tier") for response in responses] == ["memory", "redis"]
    until(lambda: model.count(prompt) == 2, "the call")
    gate.set()
    until(lambda: refreshed(sidecars[0]) + refreshed(sidecars[1]) == 1, "the fresh answer")
    until(lambda: refreshed(sidecars[0], "unneeded") + refreshed(sidecars[1], "unneeded") == 1, "the other one's")
    assert all(sidecar.post(CHAT, body("chat", prompt)).outcome == "hit" for sidecar in sidecars)
    assert model.count(prompt) == 2


def test_a_storm_of_expired_answers_reaches_the_model_a_few_at_a_time(start, model, prompt):
    """All answers expire together and the model hangs: nobody notices, and no more calls are made than allowed."""
    count, most = 300, 8
    sidecar = start({
        "cache.ttl": "3s", "limits.workers": 2, "limits.revalidations": most, "limits.revalidationQueue": 200,
        "log.requests": "none"})
    prompts = [f"{prompt}-{number}." for number in range(count)]

    def ask_all():
        with wire.Connection(sidecar.port) as one, wire.Connection(sidecar.port) as other:
            return [
                connection.ask("POST", CHAT, HEADERS, scripted.dumps(body("chat", text)).encode()).outcome
                for number, text in enumerate(prompts) for connection in [one if number % 2 else other]]

    assert set(ask_all()) == {"miss"}
    time.sleep(3.1)
    gate, lock = threading.Event(), threading.Lock()
    running, peak = [0], [0]

    def slow(call, peer):
        with lock:
            running[0] += 1
            peak[0] = max(peak[0], running[0])
        gate.wait(30)
        scripted.script(call, peer)
        with lock:
            running[0] -= 1

    model.script = slow
    # While no call can end: who waited for one would wait for ever.
    assert set(ask_all() + ask_all()) == {"stale"}
    until(lambda: running[0] == most, "as many calls as are allowed")
    metrics = sidecar.metrics()
    assert metrics.sum("refrain_revalidations_running") == most
    assert metrics.sum("refrain_revalidation_queue_depth") == 200
    assert refreshed(sidecar, "dropped") == 2 * (count - most - 200)
    gate.set()
    until(lambda: refreshed(sidecar) == most + 200, "the fresh answers")
    assert peak[0] <= most
    assert model.count(prompt) == count + most + 200
