"""A shared cache: nobody is served from it whom the upstream has not accepted."""

import threading

import pytest

from support import model as scripted
from support import wire
from support.requests import PATH, body
from support.sidecar import until

CHAT = PATH["chat"]


def guarded(call, peer):
    """The model, for those whose key is good."""
    key = call.header("authorization") or call.header("x-api-key") or ""
    if "good" in key:
        scripted.script(call, peer)
    else:
        peer.respond(401, {"error": {"message": "bad key", "type": "authentication_error"}})


@pytest.fixture
def shared(start, model):
    model.script = guarded
    return start({"cache.partition": "shared"})


def ask(refrain, prompt, key, **members):
    return refrain.post(CHAT, body("chat", prompt, **members), [("Authorization", f"Bearer {key}")])


def trust(refrain, key, prompt):
    assert ask(refrain, f"trust of {key} for {prompt[::-1]}", key).status == 200


def test_first_request_of_a_credential_is_passed_on(shared, model, prompt):
    first = ask(shared, prompt, "good-1")
    assert (first.outcome, first.header("x-refrain-reason")) == ("bypass", "untrusted")
    assert [ask(shared, prompt, "good-1").outcome for _ in range(2)] == ["miss", "hit"]


def test_trusted_credentials_share(shared, model, prompt):
    for key in ("good-1", "good-2"):
        trust(shared, key, prompt)
    first = ask(shared, prompt, "good-1")
    second = ask(shared, prompt, "good-2")
    assert (first.outcome, second.outcome) == ("miss", "hit")
    assert first.body == second.body and model.count(prompt) == 1


@pytest.mark.parametrize("members", [{}, {"stream": True}], ids=["whole", "stream"])
def test_a_refused_credential_never_sees_a_hit(shared, model, prompt, members):
    trust(shared, "good-1", prompt)
    kept = ask(shared, prompt, "good-1", **members)
    assert ask(shared, prompt, "good-1", **members).outcome == "hit"
    for key in ("bad", "", "GOOD-1".lower()[:-1].replace("good", "g00d")):
        for _ in range(5):
            answer = ask(shared, prompt, key, **members)
            assert (answer.status, answer.outcome) == (401, "bypass")
            assert answer.body != kept.body and answer.json()["error"]["message"] == "bad key"


def test_no_credential_is_a_credential_too(shared, model, prompt):
    trust(shared, "good-1", prompt)
    ask(shared, prompt, "good-1")
    for _ in range(3):
        answer = shared.get(CHAT, method="POST")
        assert answer.outcome == "bypass"
        answer = wire.request(shared.port, "POST", CHAT, [("Content-Type", "application/json")],
                              scripted.dumps(body("chat", prompt)).encode())
        assert answer.status == 401


def test_the_place_of_a_credential_matters(shared, model, prompt):
    """A key that is good as a bearer token is not trusted as another header."""
    trust(shared, "good-1", prompt)
    ask(shared, prompt, "good-1")
    answer = shared.post(CHAT, body("chat", prompt), [("api-key", "good-1"), ("Authorization", "")])
    assert (answer.status, answer.outcome) == (401, "bypass")


def test_trust_ends_when_the_upstream_refuses(shared, model, prompt):
    trust(shared, "good-1", prompt)
    ask(shared, prompt, "good-1")
    assert ask(shared, prompt, "good-1").outcome == "hit"
    model.script = lambda call, peer: peer.respond(401, {"error": {"message": "revoked"}})
    assert ask(shared, prompt + " other", "good-1").status == 401
    answer = ask(shared, prompt, "good-1")
    assert (answer.status, answer.outcome, answer.header("x-refrain-reason")) == (401, "bypass", "untrusted")


@pytest.mark.parametrize("status", [400, 404, 429, 500])
def test_an_answer_that_is_no_success_earns_no_trust(shared, model, prompt, status):
    trust(shared, "good-1", prompt)
    ask(shared, prompt, "good-1")
    model.script = lambda call, peer: peer.respond(status, {"error": {"message": "whatever"}})
    for _ in range(3):
        answer = ask(shared, prompt, "good-2")
        assert (answer.status, answer.outcome) == (status, "bypass")


def test_trust_runs_out(start, model, prompt):
    model.script = guarded
    refrain = start({"cache.partition": "shared", "cache.trustFor": "1s"})
    trust(refrain, "good-1", prompt)
    until(lambda: ask(refrain, prompt, "good-1").outcome == "bypass", "trust to run out", 10)
    # Which was a question to the upstream, so that there is trust again.
    assert ask(refrain, prompt, "good-1").outcome in ("miss", "hit")


def test_success_on_a_path_that_asks_for_no_credential_earns_no_trust(shared, model, prompt):
    """`GET /v1/models` is public on some servers."""
    trust(shared, "good-1", prompt)
    ask(shared, prompt, "good-1")

    def script(call, peer):
        if call.method == "GET":
            peer.respond(200, b'{"data":[]}')
        else:
            guarded(call, peer)

    model.script = script
    assert shared.get("/v1/models", [("Authorization", "Bearer bad")]).status == 200
    assert ask(shared, prompt, "bad").status == 401


def test_untrusted_do_not_join_a_flight(shared, model, prompt):
    trust(shared, "good-1", prompt)
    gate, begun = threading.Event(), threading.Event()

    def script(call, peer):
        if "good" in call.header("authorization"):
            begun.set()
            assert gate.wait(20)
        guarded(call, peer)

    model.script = script
    answers = []
    leader = threading.Thread(target=lambda: answers.append(ask(shared, prompt, "good-1")))
    leader.start()
    assert begun.wait(20)
    assert ask(shared, prompt, "bad").status == 401
    gate.set()
    leader.join(20)
    assert answers[0].status == 200
