"""How urgent requests are, by the operator's rules and their own word, seen in the queue before a busy model."""

import threading

import pytest

from support import model as scripted
from support.requests import PATH, body
from support.sidecar import until

CHAT = PATH["chat"]
WORDS = ["interactive", "standard", "batch"]
RULES = {
    "limits.highestPriority": 1,
    "limits.priorities": [
        {"header": "x-team=search*", "highest": 0},
        {"path": "/embeddings", "priority": 2, "highest": 2},
        {"model": "*-now", "priority": 0},
    ],
}


class Busy:
    """A model that takes one call at a time, and has one."""

    def __init__(self, start, model, prompt, settings):
        self.gate, self.model = threading.Event(), model

        def script(call, peer):
            self.gate.wait(30)
            scripted.script(call, peer)

        model.script = script
        self.sidecar = start(settings, {"concurrency": 1})
        self.threads = []
        self.ask(CHAT, body("chat", f"{prompt}-first"))
        until(lambda: model.count(f"{prompt}-first") == 1, "the call")

    def ask(self, path, request, headers=()):
        thread = threading.Thread(target=self.sidecar.post, args=(path, request, headers))
        thread.start()
        self.threads.append(thread)

    def waiting(self):
        metrics = self.sidecar.metrics()
        return [int(metrics.sum("refrain_queue_depth", priority=word)) for word in WORDS]

    def end(self):
        self.gate.set()
        for thread in self.threads:
            thread.join(30)


CASES = {
    "nothing said": (CHAT, {}, [], 1),
    "said": (CHAT, {}, [("x-refrain-priority", "2")], 2),
    "more than allowed": (CHAT, {}, [("x-refrain-priority", "0")], 1),
    "allowed by a header": (CHAT, {}, [("x-refrain-priority", "0"), ("X-Team", "search-1")], 0),
    "a path": (PATH["embeddings"], {}, [], 2),
    "a path, and more than allowed": (PATH["embeddings"], {}, [("x-refrain-priority", "0")], 2),
    "a model": (CHAT, {"model": "m-now"}, [], 0),
    "a model, and less said": (CHAT, {"model": "m-now"}, [("x-refrain-priority", "2")], 2),
    "not cached": (CHAT, {}, [("x-refrain-priority", "2"), ("Cache-Control", "no-store")], 2),
    "not cached, by a header": (CHAT, {}, [("x-refrain-priority", "0"), ("x-team", "search"),
                                           ("Cache-Control", "no-store")], 0),
}


@pytest.mark.parametrize("case", CASES)
def test_classes(start, model, prompt, case):
    path, members, headers, expected = CASES[case]
    busy = Busy(start, model, prompt, RULES)
    try:
        dialect = next(name for name, value in PATH.items() if value == path)
        busy.ask(path, body(dialect, prompt, **members), headers)
        until(lambda: sum(busy.waiting()) == 1, "the request to wait")
        assert busy.waiting()[expected] == 1
    finally:
        busy.end()


def test_by_tenant_and_in_order(start, model, prompt):
    plain = start({"cache.secret": "same"})
    explained = plain.admin(
        "/api/explain", "POST", body("chat", prompt), [("x-explain-authorization", "Bearer vip")]).json()
    rules = {"cache.secret": "same", "limits.highestPriority": 2,
             "limits.priorities": [{"tenant": explained["tenant"], "highest": 0}]}
    busy = Busy(start, model, prompt, rules)
    try:
        urgent = ("x-refrain-priority", "0")
        busy.ask(CHAT, body("chat", f"{prompt}-other"), [urgent])
        until(lambda: busy.waiting() == [0, 0, 1], "the one to wait")
        busy.ask(CHAT, body("chat", f"{prompt}-vip"), [urgent, ("Authorization", "Bearer vip")])
        until(lambda: busy.waiting() == [1, 0, 1], "the other to wait")
    finally:
        busy.end()
    bodies = [call.body.decode() for call in model.calls if prompt.encode() in call.body]
    assert [name for text in bodies for name in ("first", "other", "vip") if f"{prompt}-{name}" in text] == [
        "first", "vip", "other"]
