"""The dashboard in a real browser; the pictures are kept in `artifacts/dashboard`."""

import json
import random
import threading

import pytest

from support import model as scripted
from support import wire
from support.browser import Browser
from support.requests import PATH, body
from support.sidecar import ROOT, until

CHAT = PATH["chat"]
PICTURES = ROOT / "artifacts" / "dashboard"
PRICES = [{"model": model, "input": 2, "output": 10} for model in ("gpt-4o", "claude-sonnet-4", "deepseek-chat")]
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def browser():
    one = Browser()
    yield one
    one.close()


@pytest.fixture
def visit(browser):
    mine = []

    def visit(sidecar, **look):
        mine.append(browser.page(f"http://127.0.0.1:{sidecar.admin_port}/", **look))
        return mine[-1]

    yield visit
    for page in mine:
        problems = page.problems
        page.close()
        assert not problems, problems


def traffic(sidecar, prompt, dice, count=300):
    for _ in range(count):
        model = dice.choice(["gpt-4o", "gpt-4o", "claude-sonnet-4", "deepseek-chat", EVIL])
        number = dice.random() if dice.random() < 0.2 else int(dice.paretovariate(0.9)) % 60
        request = body("chat", f"{prompt} {number}", model=model)
        headers = [("Authorization", f"Bearer {dice.randrange(3)}"), ("Content-Type", "application/json"),
                   ("x-refrain-namespace", dice.choice(["shop", "help"]))]
        if dice.random() < 0.03:
            headers.append(("Cache-Control", "no-store"))
        sidecar.post(CHAT, request, headers)


def shown(page):
    page.until("document.querySelector('#share-chart svg') && document.querySelector('#keys tbody tr')")


LOOKS = {
    "light": {"width": 1280, "height": 1000},
    "dark": {"width": 1280, "height": 1000, "dark": True},
    "phone": {"width": 390, "height": 844, "scale": 2},
    "phone-dark": {"width": 390, "height": 844, "scale": 2, "dark": True},
}


def test_it_shows_what_happens(start, model, visit, prompt):
    sidecar = start({"prices": PRICES, "limits.workers": 2})
    finished, dice = threading.Event(), random.Random(7)

    def script(call, peer):
        if b"slow" in call.body:
            finished.wait(60)
        scripted.script(call, peer)

    def keep_asking():
        while not finished.is_set():
            traffic(sidecar, prompt, dice, 40)
            finished.wait(0.3)

    model.script = script
    clients = [threading.Thread(target=keep_asking)]
    clients += [threading.Thread(target=sidecar.post, args=(CHAT, body("chat", f"{prompt} slow {number}", model="gpt-4o")))
                for number in range(2)]
    for client in clients:
        client.start()
    try:
        traffic(sidecar, prompt, dice)
        # Two intervals of the history, so that there are columns.
        until(lambda: len(sidecar.admin("/api/history").json()["rows"]) >= 4, "a history", 40)
        for name, look in LOOKS.items():
            page = visit(sidecar, **look)
            shown(page)
            page.until("document.querySelectorAll('#share-chart .fill-memory').length > 0")
            # Two rounds, so that rates are known.
            page.until("document.querySelector('#tile-rate').textContent.includes('/s')")
            page.until("document.querySelectorAll('#live tbody tr').length >= 2")
            text = page.text()
            assert EVIL in text and page.run("document.querySelectorAll('img').length") == 0
            assert prompt not in text and page.run("document.querySelectorAll('#live tbody tr').length") >= 2
            assert page.run("document.documentElement.scrollWidth <= innerWidth"), f"{name}: wider than its window"
            page.screenshot(PICTURES / f"{name}.png")
            assert all(url.startswith(f"http://127.0.0.1:{sidecar.admin_port}/") for url in page.requests
                       if not url.startswith(("data:", "about:")))
    finally:
        finished.set()
        for client in clients:
            client.join()


# The encoder may share its core with everything else that runs.
SERVE = {"semantic.mode": "serve", "semantic.maxError": 0.05, "semantic.budget": "5s"}
RESET = "How do I reset my password?"


def meaning(sidecar):
    return sidecar.admin("/api/stats").json()["semantic"]


def questions(sidecar):
    """One answered by meaning, which somebody calls right, and one that a guard keeps apart."""
    for number, text in enumerate([RESET, "How do I turn on the lights?"], 1):
        sidecar.post(CHAT, body("chat", text))
        until(lambda: meaning(sidecar)["questions"] == number, "the question to be learnt")
    hit = sidecar.post(CHAT, body("chat", "How can I reset my password?"))
    assert hit.outcome == "hit-semantic"
    assert sidecar.post(CHAT, body("chat", "How do I turn off the lights?")).outcome == "miss"
    number = hit.header("x-refrain-request-id")
    assert sidecar.admin("/api/feedback", "POST", {"id": number, "verdict": "up"}).status == 200


def test_answers_by_meaning(start, visit):
    sidecar = start(SERVE)
    questions(sidecar)
    until(lambda: len(sidecar.admin("/api/history").json()["rows"]) >= 3, "a history", 40)
    for name, look in LOOKS.items():
        page = visit(sidecar, **look)
        shown(page)
        text = page.text("#semantic")
        assert "Served" in text and "1 (25.0 %)" in text and "Kept apart" in text
        assert "People" in text and "100.0 % right of 1" in text and "0.0 % wrong; between 0.0 % and" in text
        assert "antonym" in page.text("#rejections")
        assert page.run("document.documentElement.scrollWidth <= innerWidth"), f"{name}: wider than its window"
        page.screenshot(PICTURES / f"semantic-{name}.png")
    page = visit(sidecar)
    shown(page)
    page.fill("#explain-body", json.dumps(body("chat", "How do I turn off the lights")))
    page.fill("#explain-key", "test-key")
    page.press("Enter")
    page.until("document.querySelector('#explanation dl')")
    assert "Neighbour" in page.text("#explanation")


def test_near_questions(start, visit):
    sidecar = start(SERVE | {"log.bodies": True})
    questions(sidecar)
    evil = f"How do I turn on the lights {EVIL}"
    assert sidecar.post(CHAT, body("chat", evil)).outcome == "miss"
    for name, look in LOOKS.items():
        page = visit(sidecar, **look)
        shown(page)
        assert RESET not in page.text(), "texts are shown to those who ask for them"
        page.run("document.querySelector('#neighbours-show').focus()")
        page.press("Enter")
        page.until("document.querySelectorAll('#neighbours tbody tr').length >= 3")
        text = page.text("#neighbours")
        assert RESET in text and "How can I reset my password?" in text and "right: people" in text
        assert "antonym" in text and evil in text and page.run("document.querySelectorAll('img').length") == 0
        assert page.run("document.documentElement.scrollWidth <= innerWidth"), f"{name}: wider than its window"
        page.screenshot(PICTURES / f"neighbours-{name}.png")


def test_near_questions_are_not_shown_without_bodies(start, visit):
    sidecar = start(SERVE)
    questions(sidecar)
    page = visit(sidecar)
    shown(page)
    page.click("#neighbours-show")
    page.until("document.querySelector('#neighbours-status').innerText.includes('log.bodies is on')")
    assert RESET not in page.text() and not page.run("document.querySelector('#neighbours tbody')")
    assert all("403" in problem for problem in page.problems)
    page.problems.clear()


def test_hits_by_meaning_are_in_the_chart(start, visit):
    sidecar = start(SERVE)
    until(lambda: sidecar.admin("/api/history").json()["rows"], "a first sample", 20)
    questions(sidecar)
    page = visit(sidecar)
    page.until("document.querySelector('#share-chart .fill-semantic')", 40)
    assert "By meaning" in page.text("#share-legend") and "Stale" not in page.text("#share-legend")


def test_nothing_of_meaning_where_it_is_off(refrain, visit, prompt):
    refrain.post(CHAT, body("chat", prompt))
    page = visit(refrain)
    shown(page)
    for card in ("semantic-card", "rejections-card", "neighbours-card"):
        assert page.run(f"document.querySelector('#{card}').hidden")


def test_upstreams_and_the_queue(start, model, visit, prompt):
    opened = threading.Event()

    def script(call, peer):
        opened.wait(60)
        scripted.script(call, peer)

    model.script = script
    sidecar = start({
        "limits.queue": 2,
        "upstreams": [{"name": "held", "url": f"http://127.0.0.1:{model.port}", "concurrency": 1}]})
    clients = [threading.Thread(target=sidecar.post, args=(CHAT, body("chat", f"{prompt} {number}"))) for number in range(4)]
    for client in clients:
        client.start()
    try:
        page = visit(sidecar)
        # One is asked, two wait, and there is no room for the fourth.
        page.until("document.querySelector('#queue').innerText.includes('2 standard')")
        page.until("document.querySelector('#queue').innerText.includes('1 queue-full')")
        fleet = page.text("#fleet")
        assert "held" in fleet and "healthy" in fleet and "1 of 1" in fleet
    finally:
        opened.set()
        for client in clients:
            client.join()


def test_the_policy_is_strict(refrain):
    for path in ("/", "/assets/style.css", "/assets/charts.js", "/assets/semantic.js", "/assets/dashboard.js"):
        answer = refrain.admin(path)
        policy = dict(part.split(" ", 1) for part in answer.header("content-security-policy").split("; "))
        assert policy["default-src"] == "'none'" and policy["script-src"] == policy["style-src"] == "'self'"
        assert policy["connect-src"] == "'self'" and policy["frame-ancestors"] == "'none'"
        assert answer.header("x-content-type-options") == "nosniff"
    page = refrain.admin("/").body.decode()
    for mark in ("style=", "onclick", "<style", "http://", "https://"):
        assert mark not in page.replace("xmlns='http://www.w3.org/2000/svg'", ""), mark
    assert all("src=" in line for line in page.splitlines() if "<script" in line)


def test_the_token_stays_in_the_tab(start, visit, prompt):
    sidecar = start({"admin.token": "the-token"})
    sidecar.post(CHAT, body("chat", prompt))
    browser_head = [("Accept", "text/html,*/*")]
    assert sidecar.admin("/", headers=browser_head, authorised=False).status == 401
    page = visit(sidecar)
    page.until("!document.querySelector('#token-form').hidden")
    assert page.run("document.querySelector('#main').hidden")
    page.fill("#token", "wrong")
    page.press("Enter")
    page.until("document.querySelector('#token-problem').textContent")
    page.fill("#token", "the-token")
    page.press("Enter")
    shown(page)
    assert page.run("[sessionStorage.length, localStorage.length, document.cookie]") == [1, 0, ""]
    assert "the-token" not in page.run("document.documentElement.outerHTML") and "the-token" not in page.run("location.href")
    # The refusals above are expected to be complained of.
    assert all("401" in problem for problem in page.problems)
    page.problems.clear()


def test_explain(start, visit, prompt):
    sidecar = start()
    request = body("chat", prompt, user="me")
    key = wire.cache_status(sidecar.post(CHAT, request))["key"]
    page = visit(sidecar)
    shown(page)
    page.fill("#explain-body", json.dumps(request))
    page.fill("#explain-key", "test-key")
    page.press("Enter")
    page.until("document.querySelector('#explanation dl')")
    text = page.text("#explanation")
    assert key in text and "held: memory" in text and "user" in text
    page.fill("#explain-body", "{")
    page.click("#explain-form button")
    page.until("document.querySelector('#explanation').innerText.includes('not-json')")


def test_purge_counts_before_it_purges(start, visit, prompt):
    sidecar = start()
    for number in range(3):
        sidecar.post(CHAT, body("chat", f"{prompt} {number}"))
    page = visit(sidecar)
    shown(page)
    assert page.run("document.querySelector('#purge-now').disabled")
    page.run("document.querySelector('#purge-kind').value = 'model'")
    page.run("document.querySelector('#purge-kind').dispatchEvent(new Event('change'))")
    page.fill("#purge-subject", "scripted")
    page.press("Enter")
    page.until("!document.querySelector('#purge-now').disabled")
    assert "3 answers" in page.text("#purge-result") and "Nothing was purged" in page.text("#purge-result")
    assert sidecar.metrics().sum("refrain_entries", tier="memory") == 3
    # Another subject was not counted.
    page.fill("#purge-subject", "other")
    assert page.run("document.querySelector('#purge-now').disabled")
    page.fill("#purge-subject", "scripted")
    page.press("Enter")
    page.until("!document.querySelector('#purge-now').disabled")
    page.click("#purge-now")
    page.until("document.querySelector('#purge-result').innerText.startsWith('Purged 3')")
    assert sidecar.metrics().sum("refrain_entries", tier="memory") == 0
    page.run("document.querySelector('#purge-kind').value = 'tenant'")
    page.run("document.querySelector('#purge-kind').dispatchEvent(new Event('change'))")
    page.fill("#purge-subject", "nonsense")
    page.press("Enter")
    page.until("document.querySelector('#purge-result').innerText.includes('16 hexadecimal digits')")
    page.problems.clear()


def test_the_keyboard_reaches_everything(start, visit, prompt):
    sidecar = start()
    for _ in range(3):
        sidecar.post(CHAT, body("chat", prompt))
    until(lambda: len(sidecar.admin("/api/history").json()["rows"]) >= 2, "a history", 30)
    page = visit(sidecar)
    shown(page)
    reached = []
    for _ in range(60):
        page.press("Tab")
        reached.append(page.run("(e => e.id || e.dataset.minutes || e.dataset.names || e.dataset.key || e.className || e.textContent)(document.activeElement)"))
        # The place must be seen.
        assert page.run("document.activeElement === document.body || getComputedStyle(document.activeElement).outlineStyle !== 'none'")
    for wanted in ("skip", "5", "60", "share-chart", "cost-chart", "models", "namespaces", "explain-body", "purge-kind", "purge-subject"):
        assert wanted in reached, f"{wanted} is not reached by Tab: {reached}"
    page.run("document.querySelector('#share-chart').focus()")
    page.press("ArrowLeft")
    assert "%" in page.text("#share-chart .tip") or "no requests" in page.text("#share-chart .tip")
    assert page.run("document.querySelector('#share-text').textContent.length") > 10
    page.press("Escape")
    assert page.run("document.querySelector('#share-chart .tip') === null")


def test_it_says_when_the_sidecar_is_gone(start, visit, prompt):
    sidecar = start()
    sidecar.post(CHAT, body("chat", prompt))
    page = visit(sidecar)
    shown(page)
    sidecar.terminate()
    sidecar.wait()
    page.until("document.querySelector('#status').className === 'down'")
    page.problems.clear()
