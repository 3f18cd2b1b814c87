"""The simulated model that ships with Refrain, seen through Refrain by the real client packages."""

import anthropic
import openai
import pytest

from support import wire
from support.requests import PATH, STREAMING, body
from support.simulated import Simulated


@pytest.fixture(scope="module")
def simulated():
    model = Simulated()
    yield model
    model.close()


@pytest.fixture
def refrain(start, simulated):
    return start(port=simulated.port)


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("dialect", PATH)
def test_packages_get_the_same_answer_twice(refrain, simulated, prompt, dialect, is_stream):
    is_stream = is_stream and dialect in STREAMING
    arguments = body(dialect, prompt) | {"model": "simulated-chat"} | ({"stream": True} if is_stream else {})
    package = anthropic.Anthropic if dialect == "messages" else openai.OpenAI
    base = refrain.base + ("" if dialect == "messages" else "/v1")
    calls = simulated.calls()
    with package(base_url=base, api_key="k", max_retries=0) as client:
        create = {
            "chat": lambda: client.chat.completions, "completions": lambda: client.completions,
            "embeddings": lambda: client.embeddings, "responses": lambda: client.responses,
            "messages": lambda: client.messages,
        }[dialect]().create
        first, second = (
            [part.model_dump() for part in answer] if is_stream else answer.model_dump()
            for answer in (create(**arguments) for _ in range(2)))
    assert first == second
    assert simulated.calls() == calls + 1


FAULTS = [
    "reset", "half-event", "short-body", "truncated", "error-event", "status=429;retry-after=2", "status=500",
    "status=503"]


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("dialect", STREAMING)
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_never_kept(refrain, simulated, prompt, dialect, fault, is_stream):
    if not is_stream and fault in ("truncated", "error-event"):
        # Of a whole answer there is no such thing: the model answers well.
        fault = "status=503"
    members = {"stream": True} if is_stream else {}
    calls = simulated.calls()
    answers = [refrain.post(PATH[dialect], body(dialect, prompt, **members), [("x-sim-fail", fault)]) for _ in range(2)]
    assert "hit" not in [answer.outcome for answer in answers]
    assert simulated.calls() == calls + 2
    if fault.startswith("status"):
        assert answers[0].status == int(fault[7:10])
        assert answers[0].header("retry-after") == ("2" if "retry" in fault else None)
    well = refrain.post(PATH[dialect], body(dialect, prompt, **members))
    assert (well.status, well.outcome, well.complete) == (200, "miss", True)


@pytest.mark.parametrize("fault", ["gzip", "no-done"])
def test_oddities_are_kept(refrain, simulated, prompt, fault):
    answers = [
        refrain.post(PATH["chat"], body("chat", prompt, stream=True), [("x-sim-fail", fault)]) for _ in range(2)]
    assert [answer.outcome for answer in answers] == ["miss", "hit"]
    assert wire.events(answers[1].body)
