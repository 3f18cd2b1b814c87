"""Questions that mean the same, asked by the real clients: with the default settings, but for the time that encoding may take."""

import re

import anthropic
import openai
import pytest

from support.requests import MODEL
from support.sidecar import until

# The encoder may share its core with everything else that runs.
SETTINGS = {"semantic.mode": "serve", "semantic.budget": "5s"}

SAME = [
    ("How do I reset my password?", "How can I reset my password?"),
    ("What is the capital of France?", "What's the capital of France?"),
    ("Why is the sky blue?", "Can you tell me why the sky is blue?"),
    ("How do I boil an egg?", "Please tell me how to boil an egg."),
    ("怎么重置我的密码?", "请问怎么重置我的密码?"),
    ("今天天气怎么样?", "请问今天天气怎么样"),
]
OPPOSITE = [
    ("How do I turn on the lights in the kitchen?", "How do I turn off the lights in the kitchen?"),
    ("How do I install Python 3.9 on Ubuntu?", "How do I install Python 3.11 on Ubuntu?"),
    ("What were the results of the election in 2014?", "What were the results of the election in 2018?"),
    ("What is the capital of France?", "What is the capital of Germany?"),
    ("How do I convert miles to kilometres?", "How do I convert kilometres to miles?"),
    ("法国的首都是哪里?", "德国的首都是哪里?"),
    ("我可以带手机进考场吗?", "我不可以带手机进考场吗?"),
]


@pytest.fixture(scope="module")
def semantic(session_model):
    from conftest import launch, retire
    sidecar = launch(session_model.port, SETTINGS)
    yield sidecar
    retire(sidecar)


class OpenAI:
    """Asks through the `openai` package."""

    def __init__(self, sidecar, line, key="k"):
        self.client = openai.OpenAI(
            base_url=f"{sidecar.base}/v1", api_key=key, max_retries=0, default_headers=dict([line]))

    def ask(self, text, system=None, stream=False):
        """What came of it, and the answer's text."""
        messages = [{"role": "system", "content": system}] if system else []
        reply = self.client.chat.completions.with_raw_response.create(
            model=MODEL, messages=messages + [{"role": "user", "content": text}], stream=stream)
        answer = reply.parse()
        if not stream:
            return reply.headers["x-refrain-cache"], answer.choices[0].message.content
        pieces = [chunk.choices[0].delta.content or "" for chunk in answer if chunk.choices]
        return reply.headers["x-refrain-cache"], "".join(pieces)


class Anthropic:
    """Asks through the `anthropic` package."""

    def __init__(self, sidecar, line, key="k"):
        self.client = anthropic.Anthropic(
            base_url=sidecar.base, api_key=key, max_retries=0, default_headers=dict([line]))

    def ask(self, text, system=None, stream=False):
        reply = self.client.messages.with_raw_response.create(
            model=MODEL, max_tokens=64, messages=[{"role": "user", "content": text}], stream=stream,
            system=system or anthropic.NOT_GIVEN)
        answer = reply.parse()
        if not stream:
            return reply.headers["x-refrain-cache"], answer.content[0].text
        pieces = [event.delta.text for event in answer if event.type == "content_block_delta"]
        return reply.headers["x-refrain-cache"], "".join(pieces)


CLIENTS = pytest.mark.parametrize("client", [OpenAI, Anthropic])


def line_of(request):
    return "x-refrain-namespace", re.sub(r"\W", "-", request.node.name)[:200]


def settled(sidecar, client, text, **more):
    """The answer of the model to a question that can be found by meaning afterwards."""
    before = sidecar.metrics().sum("refrain_semantic_questions")
    outcome, answer = client.ask(text, **more)
    assert outcome == "miss"
    until(lambda: sidecar.metrics().sum("refrain_semantic_questions") > before, "the question to be learnt")
    return answer


@CLIENTS
@pytest.mark.parametrize("one, other", SAME)
def test_two_paraphrases_cost_one_call(semantic, model, request, client, one, other):
    asking = client(semantic, line_of(request))
    before = model.count()
    answer = settled(semantic, asking, one)
    assert asking.ask(other) == ("hit-semantic", answer)
    assert model.count() - before == 1


@CLIENTS
@pytest.mark.parametrize("one, other", OPPOSITE)
def test_two_opposites_cost_two(semantic, model, request, client, one, other):
    asking = client(semantic, line_of(request))
    before = model.count()
    settled(semantic, asking, one)
    settled(semantic, asking, other)
    assert model.count() - before == 2


@CLIENTS
@pytest.mark.parametrize("first, second", [(False, True), (True, False), (True, True)])
def test_streams_and_whole_answers_stand_for_each_other(semantic, model, request, client, first, second):
    asking = client(semantic, line_of(request))
    before = model.count()
    answer = settled(semantic, asking, SAME[0][0], stream=first)
    assert answer and asking.ask(SAME[0][1], stream=second) == ("hit-semantic", answer)
    assert model.count() - before == 1


@CLIENTS
def test_tenants_are_apart(semantic, model, request, client):
    before = model.count()
    for key in ("one", "two"):
        settled(semantic, client(semantic, line_of(request), key), SAME[0][0])
    for key in ("one", "two"):
        assert client(semantic, line_of(request), key).ask(SAME[0][1])[0] == "hit-semantic"
    settled(semantic, client(semantic, line_of(request), "three"), SAME[0][1])
    assert model.count() - before == 3


@CLIENTS
def test_system_prompts_are_apart(semantic, model, request, client):
    asking = client(semantic, line_of(request))
    before = model.count()
    answer = settled(semantic, asking, SAME[0][0], system="Be brief.")
    settled(semantic, asking, SAME[0][1], system="Explain everything.")
    assert asking.ask(SAME[0][1], system="Be brief.") == ("hit-semantic", answer)
    assert model.count() - before == 2
