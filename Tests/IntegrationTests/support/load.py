"""Steady traffic on sidecars in front of the simulated model, whose right answers are known; what fails is counted."""

import json
import random
import threading
import time

from . import wire
from .requests import MODEL, PATH

PROMPTS = 400
CHAT = PATH["chat"]
HEADERS = [("Content-Type", "application/json"), ("Authorization", "Bearer test-key")]


def chat(prompt, is_stream=False):
    members = {"stream": True} if is_stream else {}
    return json.dumps({"model": MODEL, "messages": [{"role": "user", "content": prompt}]} | members).encode()


def text_of(response, is_stream):
    """What the model said, from either form; raises where the answer is not a whole one."""
    if not is_stream:
        return response.json()["choices"][0]["message"]["content"]
    events = wire.events(response.body)
    if events[-1] != "[DONE]":
        raise ValueError("the stream has no end")
    return "".join(event["choices"][0]["delta"].get("content") or "" for event in events[:-1] if event["choices"])


class Answers:
    """What the simulated model says to each of a number of prompts."""

    def __init__(self, model, name, count=PROMPTS):
        self.right = {}
        with wire.Connection(model.port) as connection:
            for number in range(count):
                prompt = f"{name}-{number}"
                self.right[prompt] = text_of(connection.ask("POST", CHAT, HEADERS, chat(prompt)), False)
        self.prompts = list(self.right)


class Load:
    """Clients with a connection each that ask at a steady rate, a quarter of them for streams. Most questions are
    popular ones."""

    def __init__(self, sidecars, answers, rate=120, clients=8, seed=1):
        self.sidecars, self.answers, self.rate, self.clients, self.seed = sidecars, answers, rate, clients, seed
        self.asked = 0
        self.failed, self.wrong, self.seconds = [], [], []
        self._stops = threading.Event()
        self._lock = threading.Lock()
        self._threads = []

    def __enter__(self):
        for number in range(self.clients):
            thread = threading.Thread(target=self._run, args=(number,), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_):
        self._stops.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive(), "a client of the load hangs"

    def go_on(self, seconds):
        time.sleep(seconds)

    def assert_flawless(self):
        print(f"load: {self.asked} asked, {len(self.failed)} failed, {len(self.wrong)} wrong, "
              f"slowest {max(self.seconds) * 1000:.0f} ms")
        assert not self.failed and not self.wrong, (self.failed[:5], self.wrong[:5])
        assert self.asked > 50

    def _run(self, number):
        dice = random.Random(f"{self.seed}-{number}")
        connection = None
        due = time.monotonic() + dice.random() * self.clients / self.rate
        while not self._stops.wait(max(0, due - time.monotonic())):
            due = max(due + self.clients / self.rate, time.monotonic() - 0.1)
            # Half of the questions come from a tenth of the prompts.
            prompts = self.answers.prompts
            count = len(prompts) // 10 if dice.random() < 0.5 else len(prompts)
            prompt, is_stream = prompts[dice.randrange(count)], dice.random() < 0.25
            if connection is None:
                connection = wire.Connection(dice.choice(self.sidecars).port, timeout=20)
            connection = self._ask(connection, prompt, is_stream)
            # Now and then another sidecar.
            if connection and dice.random() < 0.2:
                connection.close()
                connection = None
        if connection:
            connection.close()

    def _ask(self, connection, prompt, is_stream):
        """The connection, None where it is of no use any more."""
        begun = time.monotonic()
        flaw = text = None
        try:
            response = connection.ask("POST", CHAT, HEADERS, chat(prompt, is_stream))
            if response.status != 200 or not response.complete:
                flaw = f"{response.status} {response.complete} {response.body[:200]}"
            else:
                text = text_of(response, is_stream)
        except (OSError, ValueError, KeyError, IndexError, wire.Truncated) as error:
            flaw = repr(error)
        with self._lock:
            self.asked += 1
            self.seconds.append(time.monotonic() - begun)
            if flaw:
                self.failed.append(f"{prompt}: {flaw}")
            elif text != self.answers.right[prompt]:
                self.wrong.append(f"{prompt} stream={is_stream}: {text[:200]!r}")
        if flaw:
            connection.close()
            return None
        return connection
