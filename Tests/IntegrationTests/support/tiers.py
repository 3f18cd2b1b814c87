"""Sidecars that share what they keep, and what their answers and counters say about it."""

import os
import subprocess

from . import wire
from .requests import PATH, body, headers
from .sidecar import binary, until

# Credentials are digested alike by all of a deployment. Look-ups may take long, because the tests' machine may be busy;
# what deadlines are for is tested with those that ship.
# Expired answers are for when the model fails; test_stale.py has the others.
DEPLOYMENT = {"cache.secret": "the-same-for-all", "redis.deadline": "5s", "objects.deadline": "10s",
              "cache.staleWhileRevalidate": "0s"}
ONLY_IF_CACHED = ("Cache-Control", "only-if-cached")


def ask(refrain, prompt, *lines, dialect="chat", key="test-key", **members):
    """An answer that came well and whole."""
    response = refrain.post(PATH[dialect], body(dialect, prompt, **members), [*headers(dialect, key), *lines])
    assert (response.status, response.complete) == (200, True), (response.status, response.body[:300])
    return response


def peek(refrain, prompt, *lines, dialect="chat", key="test-key", **members):
    """The kept answer, None where there is none; the model is not asked."""
    response = refrain.post(
        PATH[dialect], body(dialect, prompt, **members), [*headers(dialect, key), ONLY_IF_CACHED, *lines])
    assert response.status in (200, 504), (response.status, response.body[:300])
    return response if response.status == 200 else None


def where(response):
    """The outcome and the tier; Cache-Status agrees with them."""
    status = wire.cache_status(response)
    tier = response.header("x-refrain-tier")
    if response.outcome == "hit":
        assert "hit" in status and status["detail"] == tier
    return response.outcome, tier


def key_of(response):
    return wire.cache_status(response)["key"]


def written(refrain, tier, count, result="stored"):
    """Waits until that many answers were written to a tier."""
    until(lambda: refrain.metrics().sum("refrain_tier_writes_total", tier=tier, result=result) >= count,
          f"{count} answers {result} in {tier}")


def settled(refrain, *tiers):
    """The sidecar, once it has read the marks of purges: before that it trusts no lower tier, and asks none."""
    def asks():
        peek(refrain, "what nobody has asked")
        metrics = refrain.metrics()
        return all(metrics.sum("refrain_tier_lookups_total", tier=tier) > 0 for tier in tiers)

    until(asks, "the marks of purges to be read")
    return refrain


def events(refrain, name, start=0):
    return [line for line in refrain.log_lines(start) if line["event"] == name]


def refusal(settings, environment=None):
    """The one line for people with which a sidecar refuses to start."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("REFRAIN_", "AWS_"))}
    values = {"listen": "127.0.0.1:0", "admin.listen": "127.0.0.1:0", "upstreams": '[{url: "http://127.0.0.1:1"}]'}
    words = [word for name, value in (values | settings).items() for word in ("--set", f"{name}={value}")]
    result = subprocess.run([str(binary()), "serve", *words], capture_output=True, text=True, timeout=20,
                            env=clean | (environment or {}))
    assert result.returncode == 1, (result.returncode, result.stderr)
    lines = [line for line in result.stderr.splitlines() if not line.startswith("{")]
    assert len(lines) == 1 and lines[0].startswith("refrain: "), result.stderr
    return lines[0]
