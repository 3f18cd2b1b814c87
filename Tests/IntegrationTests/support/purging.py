"""Purges of one sidecar, and how long the others take to see them."""

import time

from .tiers import key_of, peek

SEEN_LIMIT = 2.0
TAGGED = ("x-refrain-tags", "weekly, draft")
TEAM = ("x-refrain-namespace", "team")

# For each kind of purge: what makes an answer belong to the group, and what makes another one not.
GROUPS = {
    "key": ({}, {}),
    "model": ({"model": "purged"}, {"model": "purged-not"}),
    "tag": ({"lines": [TAGGED]}, {"lines": [("x-refrain-tags", "weekly")]}),
    "namespace": ({"lines": [TEAM]}, {"lines": [("x-refrain-namespace", "teams")]}),
    "tenant": ({"key": "their-key"}, {}),
    "olderThan": ({}, {}),
    "all": ({}, None),
}


def order(group, victim, tenant=None):
    """The body of `/api/purge`; `victim` is an answer of the group."""
    return {
        "key": {"key": key_of(victim)}, "model": {"model": "purged"}, "tag": {"tag": "draft"},
        "namespace": {"namespace": "team"}, "tenant": {"tenant": tenant}, "olderThan": {"olderThan": "1s"},
        "all": {"all": True},
    }[group]


def purge(refrain, body):
    answer = refrain.admin("/api/purge", "POST", body)
    assert answer.status == 200, answer.body
    return answer.json()


def seconds_until_gone(sidecar, prompt, *lines, **options):
    """How long it still serves an answer."""
    begun = time.monotonic()
    while peek(sidecar, prompt, *lines, **options) is not None:
        assert time.monotonic() - begun < SEEN_LIMIT, f"the sidecar on port {sidecar.port} still serves {prompt}"
        time.sleep(0.001)
    return time.monotonic() - begun
