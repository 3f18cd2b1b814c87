"""One question, asked of three sidecars at once, is one call of the model; and nobody hangs when the caller dies."""

import asyncio
import json
import signal
import time

import pytest

from support import model as scripted
from support import wire
from support.crowd import Client, Gated, begun, in_flight, run
from support.requests import PATH, STREAMING, body
from support.sidecar import until
from support.tiers import DEPLOYMENT, ask, peek, settled

EACH = 100


@pytest.fixture
def three(start, redis):
    return [settled(start(DEPLOYMENT | {"redis.url": redis.url, "limits.workers": 1}), "redis") for _ in range(3)]


@pytest.fixture
def gated(model):
    gated = Gated()
    model.script = gated
    yield gated
    gated.gate.set()


async def gather(clients):
    await asyncio.gather(*(client.send() for client in clients))


async def finish(clients):
    return await asyncio.gather(*(client.all() for client in clients))


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])
def test_300_identical_requests_cost_one_call(three, model, gated, prompt, capsys, is_stream):
    request = body("chat", prompt, **({"stream": True} if is_stream else {}))
    gated.held_back = not is_stream

    async def crowd():
        groups = [[Client(sidecar, request) for _ in range(EACH)] for sidecar in three]
        await asyncio.gather(*(gather(group) for group in groups))
        await asyncio.gather(*(in_flight(sidecar, EACH) for sidecar in three))
        begun = time.monotonic()
        gated.gate.set()
        clients = [client for group in groups for client in group]
        bodies = await finish(clients)
        return clients, bodies, time.monotonic() - begun

    clients, bodies, seconds = run(crowd())
    with capsys.disabled():
        print(f"\n300 identical requests: all answered {seconds * 1e3:.0f} ms after the model went on")
    assert model.count(prompt) == 1
    assert {client.status for client in clients} == {200} and len(set(bodies)) == 1
    outcomes = [client.outcome for client in clients]
    assert outcomes.count("miss") == 1
    assert set(outcomes) <= {"miss", "coalesced", "hit"}
    assert outcomes.count("coalesced") >= 2 * EACH


@pytest.mark.parametrize("leads", [False, True], ids=["whole leads", "stream leads"])
@pytest.mark.parametrize("dialect", STREAMING)
def test_those_who_wait_elsewhere_may_want_another_form(three, model, gated, prompt, dialect, leads):
    whole, stream = (body(dialect, prompt, **more) for more in ({}, {"stream": True}))

    async def crowd():
        leader = await Client(three[0], stream if leads else whole, PATH[dialect]).send()
        await begun(gated)
        rest = [Client(three[1 + number % 2], request, PATH[dialect])
                for number, request in enumerate([whole, whole, stream, stream] * 3)]
        await gather(rest)
        await asyncio.gather(*(in_flight(sidecar, 6) for sidecar in three[1:]))
        gated.gate.set()
        await leader.all()
        return rest, await finish(rest)

    rest, bodies = run(crowd())
    assert model.count(prompt) == 1
    assert {client.outcome for client in rest} == {"coalesced"}
    wholes = {content for client, content in zip(rest, bodies) if client.request is whole}
    streams = {content for client, content in zip(rest, bodies) if client.request is stream}
    assert len(wholes) == len(streams) == 1
    assert json.loads(wholes.pop()) and wire.events(streams.pop())


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])
def test_the_sidecar_that_called_is_killed(three, model, gated, prompt, capsys, is_stream):
    request = body("chat", prompt, **({"stream": True} if is_stream else {}))

    async def crowd():
        leader = await Client(three[0], request).send()
        await begun(gated)
        groups = [[Client(sidecar, request) for _ in range(EACH)] for sidecar in three[1:]]
        await asyncio.gather(*(gather(group) for group in groups))
        await asyncio.gather(*(in_flight(sidecar, EACH) for sidecar in three[1:]))
        killed = time.monotonic()
        three[0].terminate(signal.SIGKILL)
        three[0].wait()
        clients = [client for group in groups for client in group]
        bodies = await finish(clients)
        leader.kill()
        return clients, bodies, time.monotonic() - killed

    clients, bodies, seconds = run(crowd())
    with capsys.disabled():
        print(f"\nthe sidecar that called was killed: the others had answers {seconds * 1e3:.0f} ms later")
    assert {client.status for client in clients} == {200}
    assert len(set(bodies)) <= 2
    # One call of the dead one, and at most one of each of the others.
    assert 2 <= model.count(prompt) <= 3
    assert all((wire.events(content)[-1] == "[DONE]") if is_stream else json.loads(content)["choices"]
               for content in set(bodies))
    assert seconds < 30


@pytest.mark.parametrize("kind", ["error", "not kept", "uncacheable"])
def test_an_answer_that_is_not_kept_makes_those_who_wait_go_on(three, model, gated, prompt, capsys, kind):
    """At once, and not when the wait is over."""
    def ending(call, peer):
        gated._wait()
        if kind == "error":
            peer.respond(500, {"error": {"message": "no", "type": "server_error"}})
            return
        document = scripted.answer_to(call).whole
        if kind == "not kept":
            document["choices"][0]["finish_reason"] = "content_filter"
        peer.respond(200, document, [("Cache-Control", "no-store")] if kind == "uncacheable" else [])

    calls = []

    def script(call, peer):
        calls.append(call)
        if len(calls) == 1:
            ending(call, peer)
        else:
            scripted.script(call, peer)

    model.script = script

    async def crowd():
        leader = await Client(three[0], body("chat", prompt)).send()
        await begun(gated)
        rest = [Client(sidecar, body("chat", prompt)) for sidecar in three[1:] for _ in range(10)]
        await gather(rest)
        await asyncio.gather(*(in_flight(sidecar, 10) for sidecar in three[1:]))
        released = time.monotonic()
        gated.gate.set()
        await leader.all()
        bodies = await finish(rest)
        return leader, rest, bodies, time.monotonic() - released

    leader, rest, bodies, seconds = run(crowd())
    with capsys.disabled():
        print(f"\nthe answer was not to be kept ({kind}): the others had theirs {seconds * 1e3:.0f} ms later")
    assert leader.status == (500 if kind == "error" else 200)
    assert {client.status for client in rest} == {200}
    assert seconds < 10
    assert 2 <= len(calls) <= 3 and len(set(bodies)) <= 2


def test_waiting_elsewhere_is_bounded(start, redis, model, gated, prompt):
    settings = DEPLOYMENT | {"redis.url": redis.url, "redis.coalesceTimeout": "500ms"}
    pair = [settled(start(settings), "redis") for _ in range(2)]

    async def crowd():
        leader = await Client(pair[0], body("chat", prompt)).send()
        await begun(gated)
        other = await Client(pair[1], body("chat", prompt)).send()
        await other.all()
        assert (other.status, other.outcome) == (200, "miss")
        gated.gate.set()
        await leader.all()

    run(crowd())
    assert model.count(prompt) == 2


def test_coalescing_across_sidecars_can_be_off(start, redis, model, gated, prompt):
    settings = DEPLOYMENT | {"redis.url": redis.url, "redis.coalesce": False}
    pair = [settled(start(settings), "redis") for _ in range(2)]

    async def crowd():
        leader = await Client(pair[0], body("chat", prompt)).send()
        await begun(gated)
        other = await Client(pair[1], body("chat", prompt)).send()
        await other.all()
        assert other.outcome == "miss"
        gated.gate.set()
        await leader.all()

    run(crowd())
    assert model.count(prompt) == 2


def test_only_if_cached_waits_for_nobody(three, model, gated, prompt):
    async def crowd():
        leader = await Client(three[0], body("chat", prompt)).send()
        await begun(gated)
        assert await asyncio.to_thread(peek, three[1], prompt) is None
        gated.gate.set()
        await leader.all()

    run(crowd())


def test_leases_are_given_back(three, redis, model, prompt):
    for number in range(5):
        ask(three[number % 3], f"{prompt} {number}")
    until(lambda: not redis.cli("--scan", "--pattern", "refrain:v1:lease:*"), "the leases to go", 5)
