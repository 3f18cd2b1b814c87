"""Simultaneous identical requests cost one call, and nobody hangs, whatever becomes of it."""

import asyncio
import json
import threading

import pytest

from support import model as scripted
from support import wire
from support.crowd import LIMIT, Client, Gated, begun, in_flight, run
from support.requests import PATH, STREAMING, body
from support.sidecar import until

COUNT = 200


@pytest.fixture
def refrain(refrain):
    """The gauge of requests in flight is up to a second old: the test before must not be counted."""
    until(lambda: refrain.metrics().sum("refrain_inflight_requests") == 0, "the requests of the test before to go")
    return refrain


@pytest.fixture
def gated(model):
    gated = Gated()
    model.script = gated
    yield gated
    gated.gate.set()


@pytest.mark.parametrize("held_back", [False, True], ids=["while it streams", "before its head"])
def test_200_identical_streams_cost_one_call(refrain, model, gated, prompt, held_back):
    gated.held_back = held_back
    before = refrain.metrics()

    async def crowd():
        clients = [Client(refrain, body("chat", prompt, stream=True)) for _ in range(COUNT)]
        await asyncio.gather(*(client.send() for client in clients))
        await in_flight(refrain, COUNT)
        gated.gate.set()
        return clients, await asyncio.gather(*(client.all() for client in clients))

    clients, bodies = run(crowd())
    assert model.count(prompt) == 1
    assert len(set(bodies)) == 1 and bodies[0].endswith(b"data: [DONE]\n\n")
    assert [client.outcome for client in clients].count("miss") == 1
    assert [client.outcome for client in clients].count("coalesced") == COUNT - 1
    after = refrain.metrics()
    assert after.sum("refrain_coalesced_total") - before.sum("refrain_coalesced_total") == COUNT - 1
    assert refrain.post(PATH["chat"], body("chat", prompt, stream=True)).body == bodies[0]


@pytest.mark.parametrize("on_abort", ["finish", "cancel"])
def test_200_identical_streams_whose_leader_is_killed_half_way(start, model, gated, prompt, on_abort):
    refrain = start({"limits.workers": 2, "cache.onAbort": on_abort})

    async def crowd():
        leader = await Client(refrain, body("chat", prompt, stream=True)).send()
        await begun(gated)
        await leader.head()
        assert leader.outcome == "miss"
        assert await leader.chunk()
        clients = [Client(refrain, body("chat", prompt, stream=True)) for _ in range(COUNT - 1)]
        await asyncio.gather(*(client.send() for client in clients))
        await in_flight(refrain, COUNT)
        leader.kill()
        await in_flight(refrain, COUNT - 1)
        gated.gate.set()
        return clients, await asyncio.gather(*(client.all() for client in clients))

    clients, bodies = run(crowd())
    assert model.count(prompt) == 1
    assert len(set(bodies)) == 1 and bodies[0].endswith(b"data: [DONE]\n\n")
    assert {client.outcome for client in clients} == {"coalesced"}
    assert refrain.post(PATH["chat"], body("chat", prompt, stream=True)).outcome == "hit"


@pytest.mark.parametrize("leader_streams", [False, True], ids=["whole leads", "stream leads"])
@pytest.mark.parametrize("dialect", STREAMING)
def test_followers_may_want_another_form(refrain, model, gated, prompt, dialect, leader_streams):
    whole, stream = (body(dialect, prompt, **more) for more in ({}, {"stream": True}))

    async def crowd():
        leader = await Client(refrain, stream if leader_streams else whole, PATH[dialect]).send()
        await begun(gated)
        rest = [Client(refrain, request, PATH[dialect]) for request in [whole, stream] * 10]
        await asyncio.gather(*(client.send() for client in rest))
        await in_flight(refrain, 21)
        gated.gate.set()
        return rest, await asyncio.gather(leader.all(), *(client.all() for client in rest))

    rest, bodies = run(crowd())
    assert model.count(prompt) == 1
    assert {client.outcome for client in rest} == {"coalesced"}
    wholes, streams = set(bodies[1::2]), set(bodies[2::2])
    assert len(wholes) == len(streams) == 1
    assert json.loads(wholes.pop()) and wire.events(streams.pop())
    for client, wants in zip(rest, ["application/json", "text/event-stream"] * 10):
        assert client.headers["content-type"].startswith(wants)
    hit = refrain.post(PATH[dialect], whole)
    assert (hit.outcome, hit.body) == ("hit", bodies[1])


def test_a_late_follower_gets_what_came_and_then_the_rest(refrain, model, gated, prompt):
    async def crowd():
        leader = await Client(refrain, body("chat", prompt, stream=True)).send()
        await begun(gated)
        await leader.head()
        late = await Client(refrain, body("chat", prompt, stream=True)).send()
        await late.head()
        # Before the model goes on.
        first = await late.chunk()
        assert b"assistant" in first and late.outcome == "coalesced"
        gated.gate.set()
        return await leader.body(), first + await late.body()

    leader, late = run(crowd())
    assert leader == late and late.endswith(b"data: [DONE]\n\n")
    assert model.count(prompt) == 1


def failing(model, gated, ending):
    """The first call fails behind the gate; so does every later one, at once."""
    gated.ending = ending

    def script(call, peer):
        if gated.calls:
            gated.calls += 1
            peer.reset()
        else:
            gated(call, peer)

    model.script = script


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])
def test_the_leader_fails(refrain, model, gated, prompt, is_stream):
    """Nobody hangs: whoever has seen nothing yet gets an error of its own, the others a cut stream."""
    failing(model, gated, lambda peer: peer.reset())
    request = body("chat", prompt, **({"stream": True} if is_stream else {}))

    async def one(client):
        try:
            return client, await client.all()
        except (asyncio.IncompleteReadError, ConnectionError):
            return client, None

    async def crowd():
        clients = [Client(refrain, request) for _ in range(20)]
        await asyncio.gather(*(client.send() for client in clients))
        await begun(gated)
        await in_flight(refrain, 20)
        gated.gate.set()
        return await asyncio.gather(*(one(client) for client in clients))

    for client, content in run(crowd()):
        if is_stream:
            assert content is None and client.status == 200
        else:
            assert client.status == 502
            assert json.loads(content)["error"]["code"] == "upstream-reset"
    # Followers of a failed whole answer try once more together, so two calls, perhaps three.
    assert gated.calls <= 4
    model.script = scripted.script
    assert refrain.post(PATH["chat"], request).outcome == "miss"


def test_followers_of_a_failed_leader_succeed_together(refrain, model, gated, prompt):
    gated.ending = lambda peer: peer.reset()

    async def crowd():
        clients = [Client(refrain, body("chat", prompt)) for _ in range(50)]
        await clients[0].send()
        await begun(gated)
        await asyncio.gather(*(client.send() for client in clients[1:]))
        await in_flight(refrain, 50)
        gated.gate.set()
        return clients, await asyncio.gather(*(client.all() for client in clients))

    clients, bodies = run(crowd())
    assert clients[0].status == 502
    assert {client.status for client in clients[1:]} == {200}
    assert len(set(bodies[1:])) == 1
    assert model.count(prompt) == 2


@pytest.mark.parametrize("status", [401, 429, 500])
def test_an_error_of_the_upstream_is_shared(refrain, model, gated, prompt, status):
    calls = []

    def script(call, peer):
        calls.append(call)
        gated._wait()
        peer.respond(status, {"error": {"message": "no", "type": "t"}}, [("Retry-After", "7")])

    model.script = script

    async def crowd():
        clients = [Client(refrain, body("chat", prompt)) for _ in range(30)]
        await asyncio.gather(*(client.send() for client in clients))
        await in_flight(refrain, 30)
        gated.gate.set()
        return clients, await asyncio.gather(*(client.all() for client in clients))

    clients, bodies = run(crowd())
    assert {client.status for client in clients} == {status}
    assert {client.headers["retry-after"] for client in clients} == {"7"}
    assert len(set(bodies)) == 1 and len(calls) == 1
    model.script = scripted.script
    assert refrain.post(PATH["chat"], body("chat", prompt)).outcome == "miss"


def test_an_answer_that_is_not_kept_is_shared_or_asked_anew(refrain, model, gated, prompt):
    """`content_filter` is no answer to keep; followers must not hang on it."""
    request = body("chat", prompt, x_finish="content_filter", stream=True)

    async def crowd():
        clients = [Client(refrain, request) for _ in range(10)]
        await asyncio.gather(*(client.send() for client in clients))
        await in_flight(refrain, 10)
        gated.gate.set()
        return await asyncio.gather(*(client.all() for client in clients))

    assert all(content.endswith(b"data: [DONE]\n\n") for content in run(crowd()))
    assert refrain.post(PATH["chat"], request).outcome == "miss"


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])
def test_on_abort_finish_keeps_the_answer(refrain, model, gated, prompt, is_stream):
    request = body("chat", prompt, **({"stream": True} if is_stream else {}))

    async def leave():
        client = await Client(refrain, request).send()
        await begun(gated)
        if is_stream:
            await client.head()
        client.kill()
        await in_flight(refrain, 0)
        gated.gate.set()

    run(leave())
    until(lambda: refrain.metrics().sum("refrain_flights") == 0, "the flight to land")
    assert refrain.post(PATH["chat"], request).outcome == "hit"
    assert model.count(prompt) == 1


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])
def test_on_abort_cancel_hangs_up_on_the_upstream(start, model, gated, prompt, is_stream):
    refrain = start({"cache.onAbort": "cancel"})
    request = body("chat", prompt, **({"stream": True} if is_stream else {}))
    noticed = threading.Event()

    def ending(peer):
        if peer.wait_for_close():
            noticed.set()
        peer.close()

    gated.ending = ending

    async def leave():
        client = await Client(refrain, request).send()
        await begun(gated)
        if is_stream:
            await client.head()
        client.kill()
        gated.gate.set()
        assert await asyncio.to_thread(noticed.wait, LIMIT)

    run(leave())
    until(lambda: refrain.metrics().sum("refrain_not_stored_total", reason="abandoned") == 1, "the count")
    assert refrain.post(PATH["chat"], request).outcome == "miss"
    assert model.count(prompt) == 2


def test_on_abort_finish_is_bounded_in_time(start, model, gated, prompt):
    refrain = start({"cache.abortTimeout": "300ms"})
    noticed = threading.Event()
    gated.ending = lambda peer: noticed.set() if peer.wait_for_close() else None

    async def leave():
        client = await Client(refrain, body("chat", prompt, stream=True)).send()
        await begun(gated)
        client.kill()
        gated.gate.set()
        assert await asyncio.to_thread(noticed.wait, LIMIT)

    run(leave())


def test_a_follower_does_not_wait_for_ever(start, model, gated, prompt):
    refrain = start({"cache.followerTimeout": "200ms"})
    gated.held_back = True

    async def crowd():
        leader = await Client(refrain, body("chat", prompt)).send()
        await begun(gated)
        follower = await Client(refrain, body("chat", prompt)).send()
        content = await follower.all()
        assert follower.status == 200 and json.loads(content)
        gated.gate.set()
        await leader.all()

    run(crowd())
    assert model.count(prompt) == 2


@pytest.mark.parametrize("header", [("Cache-Control", "no-cache"), ("Authorization", "Bearer other")],
                         ids=["no-cache", "another tenant"])
def test_who_does_not_join(refrain, model, gated, prompt, header):
    async def crowd():
        leader = await Client(refrain, body("chat", prompt)).send()
        await begun(gated)
        other = await asyncio.to_thread(refrain.post, PATH["chat"], body("chat", prompt), [header])
        assert other.outcome == "miss"
        gated.gate.set()
        await leader.all()

    run(crowd())
    assert model.count(prompt) == 2


def test_purged_while_in_flight_is_not_kept(start, model, gated, prompt):
    refrain = start()

    async def crowd():
        leader = await Client(refrain, body("chat", prompt)).send()
        await begun(gated)
        assert (await asyncio.to_thread(refrain.admin, "/api/purge", "POST", {"all": True})).status == 200
        gated.gate.set()
        await leader.all()
        assert leader.status == 200

    run(crowd())
    assert refrain.post(PATH["chat"], body("chat", prompt)).outcome == "miss"
