"""Which requests share an answer, and which never do."""

import json

import pytest

from support import wire
from support.requests import PATH, body

CHAT = PATH["chat"]

# A request spelled as differently as JSON allows.
SPELLINGS = [
    '{"model":"scripted","messages":[{"role":"user","content":"PROMPT é/"}],"temperature":1,"top_p":0.5}',
    '{"top_p":0.5,"temperature":1,"messages":[{"content":"PROMPT é/","role":"user"}],"model":"scripted"}',
    ' {\n\t"model" : "scripted" ,\r\n "messages" : [ { "role" : "user" , "content" : "PROMPT é/" } ] ,'
    ' "temperature" : 1 , "top_p" : 0.5 } \n',
    '{"model":"scripted","messages":[{"role":"user","content":"PROMPT é/"}],"temperature":1.0,"top_p":5e-1}',
    '{"model":"scripted","messages":[{"role":"user","content":"PROMPT é/"}],"temperature":1e0,"top_p":0.50}',
    '{"model":"scripted","messages":[{"role":"user","content":"PROMPT é/"}],"temperature":10E-1,"top_p":50e-2}',
    '{"mod\\u0065l":"\\u0073cripted","messages":[{"role":"user","content":"PROMPT \\u00e9\\/"}],'
    '"temperature":1,"top_p":0.5}',
    '{"model":"scripted","messages":[{"role":"user","content":"PROMPT \\u00E9/"}],"temperature":1,"top_p":0.5}',
]

# What the upstream does not answer differently for.
LEFT_OUT = [
    {"user": "somebody"}, {"metadata": {"run": "7"}}, {"store": True}, {"service_tier": "flex"},
    {"prompt_cache_key": "k"}, {"safety_identifier": "s"}, {"stream": False}, {"stream": None},
    {"stream_options": {"include_usage": True}}, {"user": None},
]

CHANGES = [
    {"model": "scripted-2"}, {"temperature": 0.1}, {"temperature": None}, {"max_tokens": 5}, {"seed": 1}, {"seed": 1.5},
    {"n": 2}, {"stop": ["a"]}, {"stop": "a"}, {"tools": [{"type": "function", "function": {"name": "weather"}}]},
    {"response_format": {"type": "json_object"}}, {"logprobs": True}, {"a_parameter_of_tomorrow": False},
    {"User": "somebody"}, {"metadata ": 1}, {"extra": {"user": "x"}},
]


def outcomes(refrain, requests, **options):
    answers = [refrain.post(CHAT, request, **options) for request in requests]
    assert all(answer.status == 200 for answer in answers)
    return [answer.outcome for answer in answers]


@pytest.mark.parametrize("number", range(1, len(SPELLINGS)))
def test_spelling_does_not_matter(refrain, model, prompt, number):
    pair = [SPELLINGS[index].replace("PROMPT", prompt).encode() for index in (0, number)]
    first, second = (refrain.post(CHAT, request) for request in pair)
    assert (first.outcome, second.outcome) == ("miss", "hit")
    assert first.body == second.body
    assert model.count(prompt) == 1


@pytest.mark.parametrize("members", LEFT_OUT, ids=json.dumps)
def test_members_left_out_of_the_key(refrain, model, prompt, members):
    assert outcomes(refrain, [body("chat", prompt), body("chat", prompt, **members)]) == ["miss", "hit"]
    assert model.count(prompt) == 1


@pytest.mark.parametrize("members", LEFT_OUT, ids=json.dumps)
def test_members_left_out_of_the_key_still_reach_the_upstream(refrain, model, prompt, members):
    refrain.post(CHAT, body("chat", prompt, **members))
    sent = model.last(prompt).json()
    assert {name: sent[name] for name in members} == members


@pytest.mark.parametrize("members", CHANGES, ids=json.dumps)
def test_any_other_change_is_another_question(refrain, prompt, members):
    requests = [body("chat", prompt), body("chat", prompt, **members)]
    assert outcomes(refrain, requests + requests) == ["miss", "miss", "hit", "hit"]


@pytest.mark.parametrize("change", [
    "trailing ", " leading", "UPPER", "e\u0301", "\u00e9", "line\n", "line\r\n", "\u200b", "1", "1.0", "null", ""])
def test_text_is_never_made_equal(refrain, prompt, change):
    requests = [body("chat", prompt), body("chat", prompt + change + "x")]
    assert outcomes(refrain, requests) == ["miss", "miss"]


@pytest.mark.parametrize("dialect", PATH)
def test_dialects_do_not_share(refrain, prompt, dialect):
    """A body that all dialects would take, sent to two of them."""
    both = {"model": "scripted", "messages": [{"role": "user", "content": prompt}], "prompt": prompt, "input": prompt,
            "max_tokens": 9}
    other = "chat" if dialect != "chat" else "completions"
    answers = [refrain.post(PATH[one], both) for one in (dialect, other, dialect)]
    assert [answer.outcome for answer in answers] == ["miss", "miss", "hit"]


CREDENTIALS = [
    [("Authorization", "Bearer a")], [("Authorization", "Bearer b")], [("Authorization", "bearer a")],
    [("x-api-key", "a")], [("x-api-key", "b")], [("api-key", "a")], [("Authorization", "Bearer a"), ("x-api-key", "a")],
    [("Authorization", "")],
]


def test_no_answer_crosses_credentials(refrain, model, prompt):
    def ask(headers):
        return refrain.post(CHAT, body("chat", prompt), headers)

    firsts = [ask(headers) for headers in CREDENTIALS]
    seconds = [ask(headers) for headers in CREDENTIALS]
    assert [answer.outcome for answer in firsts] == ["miss"] * len(CREDENTIALS)
    assert [answer.outcome for answer in seconds] == ["hit"] * len(CREDENTIALS)
    assert [answer.body for answer in firsts] == [answer.body for answer in seconds]
    assert len({answer.body for answer in firsts}) == len(CREDENTIALS)
    assert model.count(prompt) == len(CREDENTIALS)


def test_requests_without_a_credential_share(refrain, model, prompt):
    lines = [("Content-Type", "application/json")]
    content = json.dumps(body("chat", prompt)).encode()
    answers = [wire.request(refrain.port, "POST", CHAT, lines, content) for _ in range(2)]
    assert [answer.outcome for answer in answers] == ["miss", "hit"]
    assert model.last(prompt).header("authorization") is None


@pytest.mark.parametrize("name", ["Ocp-Apim-Subscription-Key", "x-goog-api-key"])
def test_credentials_of_gateways_part_tenants(refrain, prompt, name):
    def outcome(value):
        return refrain.post(PATH["chat"], body("chat", prompt), [(name, value)]).outcome

    assert [outcome("a"), outcome("b"), outcome("a"), outcome("b")] == ["miss", "miss", "hit", "hit"]


def test_namespaces_that_are_no_text_are_apart(refrain, prompt):
    def outcome(value):
        return refrain.post(PATH["chat"], body("chat", prompt), [("x-refrain-namespace", value)]).outcome

    assert [outcome("\xe9"), outcome("\xe8"), outcome("\xe9")] == ["miss", "miss", "hit"]


KEY_HEADERS = [
    [], [("x-refrain-namespace", "a")], [("x-refrain-namespace", "b")], [("anthropic-version", "2023-06-01")],
    [("anthropic-version", "2024-01-01")], [("anthropic-beta", "tools")], [("OpenAI-Beta", "x")],
    [("OpenAI-Organization", "o")], [("OpenAI-Project", "o")],
]


@pytest.mark.parametrize("dialect", ["chat", "messages"])
def test_headers_that_are_part_of_the_key(refrain, prompt, dialect):
    def round():
        return [refrain.post(PATH[dialect], body(dialect, prompt), headers).outcome for headers in KEY_HEADERS]

    assert round() == ["miss"] * len(KEY_HEADERS)
    assert round() == ["hit"] * len(KEY_HEADERS)


@pytest.mark.parametrize("headers", [
    [("User-Agent", "x")], [("x-stainless-retry-count", "1")], [("x-request-id", "1")], [("Accept", "*/*")],
    [("x-refrain-tags", "a,b")], [("x-refrain-priority", "2")], [("x-refrain-semantic", "off")]],
    ids=lambda lines: lines[0][0])
def test_headers_that_are_no_part_of_the_key(refrain, prompt, headers):
    answers = [refrain.post(CHAT, body("chat", prompt), more) for more in ([], headers)]
    assert [answer.outcome for answer in answers] == ["miss", "hit"]


def test_query_is_part_of_the_key(refrain, model, prompt):
    paths = [CHAT, CHAT + "?api-version=1", CHAT + "?api-version=2"]
    assert [refrain.post(path, body("chat", prompt)).outcome for path in paths] == ["miss"] * 3
    assert [refrain.post(path, body("chat", prompt)).outcome for path in paths] == ["hit"] * 3
    assert model.last(prompt).target == CHAT + "?api-version=2"


def test_left_out_is_a_setting(start, prompt):
    refrain = start({"cache.leftOut": ["stream", "stream_options", "seed"]})
    first, same, other = (
        body("chat", prompt, **more) for more in ({"seed": 1}, {"seed": 2}, {"seed": 1, "user": "u"}))
    assert outcomes(refrain, [first, same, other]) == ["miss", "hit", "miss"]


def test_responses_that_the_provider_keeps(refrain, model, prompt):
    """A client that wants the answer stored under its id cannot be served one that was not stored."""
    unstored, stored = (body("responses", prompt, store=store) for store in (False, True))
    answers = [refrain.post(PATH["responses"], one) for one in (unstored, stored, unstored, stored)]
    assert [answer.outcome for answer in answers] == ["miss", "miss", "hit", "hit"]
    assert model.count(prompt) == 2


@pytest.mark.parametrize("order", [0, 1])
def test_header_partition(start, model, prompt, order):
    refrain = start({"cache.partition": "header:x-team"})

    def ask(team, key):
        headers = [("Authorization", f"Bearer {key}")] + ([("X-Team", team)] if team is not None else [])
        return refrain.post(CHAT, body("chat", prompt), headers).outcome

    # A credential is trusted only after the upstream took it.
    keys = ["one", "two"][:: -1 if order else 1]
    for key in keys:
        assert ask("blue", key) == "bypass"
    assert ask("blue", keys[0]) == "miss"
    assert ask("blue", keys[1]) == "hit"
    assert ask("red", keys[1]) == "miss"
    assert ask(None, keys[1]) == "miss"
    assert ask("", keys[1]) == "miss"
    assert ask(None, keys[0]) == "hit"
    # Partition headers belong to the application and go on to the upstream.
    assert model.last(prompt).header("x-team") == ""
