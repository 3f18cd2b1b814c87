"""The README's tour, typed as written."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from support.sidecar import binary

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def tour():
    """The shell blocks of the tour: (commands, what their output must contain), one for each `# expect:` line."""
    text = README.split("## A tour in five minutes")[1].split("## What it does with a request")[0]
    steps = []
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        commands = []
        for line in block.splitlines():
            if line.startswith("# expect: "):
                steps.append(("\n".join(commands), line.removeprefix("# expect: ")))
                commands = []
            else:
                commands.append(line)
        assert not commands, f"the tour does not say what to expect of: {commands}"
    return steps


def environment():
    """Without anything that would send the commands elsewhere; the client library is the tests' own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("REFRAIN_", "OPENAI_"))}
    clean.pop("UPSTREAM", None)
    clean["PATH"] = f"{ROOT / '.venv/tests/bin'}:{clean['PATH']}"
    return clean


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """What `make run` starts once everything is built."""
    log = tmp_path_factory.mktemp("run") / "run.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [str(ROOT / "config/run.sh"), str(binary().parent)],
            cwd=ROOT, env=environment(), stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )
    deadline = time.monotonic() + 120
    while "Serving on" not in log.read_text():
        assert process.poll() is None, f"make run ended by itself:\n{log.read_text()}"
        assert time.monotonic() < deadline, f"make run is not serving after two minutes:\n{log.read_text()}"
        time.sleep(0.1)
    yield log
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0


def test_there_is_a_tour():
    assert len(tour()) >= 8


def test_run_prints_the_hit_rates(running):
    text = running.read_text()
    assert "SIMULATED" in text
    assert re.search(r"hit rate\s+\d+\.\d %", text), text


@pytest.mark.parametrize("number", range(len(tour())))
def test_tour(running, number):
    commands, expected = tour()[number]
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", commands], cwd=ROOT, env=environment(), capture_output=True, text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    assert re.sub(r"\s+", " ", expected) in re.sub(r"\s+", " ", result.stdout), result.stdout


def settings_blocks():
    """The settings that README and the pages show: (page, YAML)."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [(page.name, block) for page in pages for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)]


def test_there_are_settings_to_copy():
    assert {"README.md", "warming.md"} <= {page for page, _ in settings_blocks()}


@pytest.mark.parametrize("page, block", settings_blocks())
def test_settings_can_be_copied(page, block, tmp_path):
    file = tmp_path / "refrain.yaml"
    # Every sidecar has its model server.
    upstreams = "" if "upstreams:" in block else "upstreams: [{url: https://api.example.com}]\n"
    file.write_text(block + upstreams)
    result = subprocess.run(
        [str(binary()), "config", "check", str(file)], env=environment(), capture_output=True, text=True, timeout=30)
    assert result.returncode == 0, f"{page}: {result.stderr}"


@pytest.mark.parametrize("line", [line for line in README.splitlines() if line.startswith(".build/release/refrain serve --help") or line.startswith(".build/release/refrain config")])
def test_other_commands(line):
    result = subprocess.run(["bash", "-c", line], cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert result.stdout
