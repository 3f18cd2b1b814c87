"""A headless Chromium, driven over its debugging pipe (the Chrome DevTools Protocol)."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

LIMIT = 20.0


class Browser:
    def __init__(self):
        program = shutil.which("chromium")
        if program is None:
            raise FileNotFoundError("chromium is not there: `make setup-test` installs it")
        self._profile = tempfile.TemporaryDirectory(prefix="refrain-browser-")
        self._log = tempfile.TemporaryFile()
        (theirs_in, self._write), (self._read, theirs_out) = os.pipe(), os.pipe()
        # Above those that the browser expects, so that placing one does not close the other.
        high_in, high_out = (fcntl.fcntl(each, fcntl.F_DUPFD, 100) for each in (theirs_in, theirs_out))

        def place():
            os.dup2(high_in, 3)
            os.dup2(high_out, 4)

        self._process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--hide-scrollbars", "--force-color-profile=srgb", f"--user-data-dir={self._profile.name}",
             "--remote-debugging-pipe"],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, preexec_fn=place, pass_fds=(3, 4))
        for each in (theirs_in, theirs_out, high_in, high_out):
            os.close(each)
        self._number = 0
        self._buffer = b""
        self._events = []

    def call(self, method, session=None, **parameters):
        """The result of a command; what happens meanwhile is kept for `events`."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + LIMIT
        while True:
            answer = self._next(end)
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self._events.append(answer)

    def _next(self, end):
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0, end - time.monotonic()))
            piece = os.read(self._read, 1 << 20) if ready else b""
            if not piece:
                self._log.seek(0)
                raise AssertionError(f"the browser does not answer:\n{self._log.read().decode()[-4000:]}")
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def events(self, session):
        mine = [event for event in self._events if event.get("sessionId") == session]
        self._events = [event for event in self._events if event.get("sessionId") != session]
        return mine

    def page(self, url, width=1280, height=900, dark=False, scale=1):
        return Page(self, url, width, height, dark, scale)

    def close(self):
        os.close(self._write)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._read)
        self._log.close()
        self._profile.cleanup()


class Page:
    """One tab with a profile of its own. `problems` is what its console, its errors and its policy complained of."""

    def __init__(self, browser, url, width, height, dark, scale):
        self._browser = browser
        self._context = browser.call("Target.createBrowserContext")["browserContextId"]
        target = browser.call("Target.createTarget", url="about:blank", browserContextId=self._context)["targetId"]
        self._session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.problems, self.requests = [], []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale,
                   mobile=width < 600)
        self._call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce"}])
        self._call("Page.navigate", url=url)
        self.until("document.readyState === 'complete'")

    def _call(self, method, **parameters):
        result = self._browser.call(method, self._session, **parameters)
        for event in self._browser.events(self._session):
            name, facts = event["method"], event["params"]
            if name == "Runtime.exceptionThrown":
                self.problems.append(facts["exceptionDetails"].get("exception", {}).get("description", str(facts)))
            elif name == "Log.entryAdded" and facts["entry"]["level"] == "error":
                self.problems.append(facts["entry"]["text"])
            elif name == "Runtime.consoleAPICalled" and facts["type"] in ("error", "warning"):
                self.problems.append(str(facts["args"]))
            elif name == "Network.requestWillBeSent":
                self.requests.append(facts["request"]["url"])
        return result

    def run(self, script):
        """The value of an expression; promises are awaited."""
        result = self._call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, f"{script}: {result['exceptionDetails']}"
        return result["result"].get("value")

    def until(self, script, limit=LIMIT):
        end = time.monotonic() + limit
        # An element would come back as an empty object.
        while not (value := self.run(f"(value => value instanceof Node || value)({script})")):
            assert time.monotonic() < end, f"waited in vain for {script}; the page says:\n{self.text()}"
            time.sleep(0.05)
        return value

    def text(self, selector="body"):
        return self.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def fill(self, selector, value):
        self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        self.run(f"document.querySelector({json.dumps(selector)}).value = ''")
        self._call("Input.insertText", text=value)

    def click(self, selector):
        self.run(f"document.querySelector({json.dumps(selector)}).click()")

    def press(self, key, code=None):
        codes = {"Tab": 9, "Enter": 13, "ArrowLeft": 37, "ArrowRight": 39, "Escape": 27, "Home": 36, "End": 35}
        text = "\r" if key == "Enter" else None
        for kind in ("keyDown", "keyUp"):
            extra = {"text": text} if text and kind == "keyDown" else {}
            self._call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code or codes[key], **extra)

    def screenshot(self, path):
        """The whole page, not only what fits."""
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = self._call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(picture["data"]))

    def close(self):
        self._browser.call("Target.disposeBrowserContext", browserContextId=self._context)
