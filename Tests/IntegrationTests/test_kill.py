"""A sidecar that is killed while it writes leaves nothing behind that is served or that the next one stumbles over."""

import os
import random
import signal
import threading
import time

import pytest

from support import wire
from support.load import CHAT, HEADERS, chat, text_of
from support.simulated import Simulated
from support.sidecar import until
from support.tiers import DEPLOYMENT, ONLY_IF_CACHED

ROUNDS = int(os.environ.get("REFRAIN_KILLS", "200"))
SEED = int(os.environ.get("REFRAIN_SEED", "0")) or random.randrange(1, 1 << 32)
WRITERS = 3


@pytest.fixture(scope="module")
def simulated():
    # Answers of more than one block.
    model = Simulated("--first-token", "0", "--tokens", "1500")
    yield model
    model.close()


class Round:
    """Clients who ask new questions until the sidecar dies under them."""

    def __init__(self, refrain, name):
        self.refrain, self.name = refrain, name
        self.prompts = []
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(WRITERS)]
        for thread in self._threads:
            thread.start()

    def _run(self, number):
        try:
            with wire.Connection(self.refrain.port) as connection:
                for turn in range(1000):
                    prompt = f"{self.name}-{number}-{turn}"
                    self.prompts.append(prompt)
                    connection.ask("POST", CHAT, HEADERS, chat(prompt))
        except (OSError, wire.Truncated, ValueError):
            # The kill, which is what this waits for.
            pass

    def join(self):
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()


def check(refrain, simulated, prompts):
    """How many of the prompts have a kept answer; each of them is right."""
    found = 0
    with wire.Connection(refrain.port) as connection, wire.Connection(simulated.port) as model:
        for prompt in prompts:
            response = connection.ask("POST", CHAT, [*HEADERS, ONLY_IF_CACHED], chat(prompt))
            assert response.status in (200, 504), (prompt, response.status, response.body[:200])
            if response.status == 200:
                found += 1
                right = model.ask("POST", CHAT, HEADERS, chat(prompt))
                assert text_of(response, False) == text_of(right, False), prompt
    return found


def test_killed_while_it_writes(start, simulated, folder, capsys):
    dice = random.Random(SEED)
    settings = DEPLOYMENT | folder.settings | {"log.requests": "none", "limits.workers": 1}
    asked = found = 0
    begun = time.monotonic()
    refrain = start(settings, port=simulated.port)
    for number in range(ROUNDS):
        traffic = Round(refrain, f"kill-{number}")
        time.sleep(dice.random() * 0.1)
        refrain.terminate(signal.SIGKILL)
        refrain.wait()
        traffic.join()
        refrain = start(settings, port=simulated.port)
        asked += len(traffic.prompts)
        found += check(refrain, simulated, traffic.prompts)
        bad = [line for line in refrain.log_lines() if line["level"] in ("warning", "error")]
        assert not bad, f"seed {SEED}, round {number}: {bad}"
    with capsys.disabled():
        print(f"\nkilled {ROUNDS} times in {time.monotonic() - begun:.0f} s, seed {SEED}: "
              f"{found} of {asked} answers were kept, all of them right")
    # Some were written, or this has shown nothing.
    assert found > ROUNDS // 2
    until(lambda: not unfinished(folder), "the files that were never finished to go")


def unfinished(folder):
    return {file for file in (folder.path / "v1").rglob("*") if file.is_file()} - folder.entries()
