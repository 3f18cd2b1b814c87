"""The monitoring kit: its rules hold, and whatever it asks for exists."""

import json
import re
import subprocess

import pytest

from support.sidecar import ROOT, binary

KIT = ROOT / "config" / "monitoring"
HISTOGRAM = ("_bucket", "_sum", "_count")
# Those that Prometheus itself gives a series.
OUTER = {"job", "instance", "le"}
NOT_OURS = {"up"}


def promtool(*arguments):
    result = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def known():
    """The labels of every metric of this build, with their values."""
    page = subprocess.run([str(binary()), "config", "reference", "metrics"], capture_output=True, text=True, check=True)
    metrics, name = {}, None
    for line in page.stdout.splitlines():
        if match := re.fullmatch(r"## `(\w+)`", line):
            name = match[1]
            metrics[name] = {"kind": None, "labels": {}}
        elif match := re.match(r"- Type: (\w+)", line):
            metrics[name]["kind"] = match[1]
        elif match := re.match(r"- Label `(\w+)`:(.*)", line):
            values = metrics[name]["labels"][match[1]] = re.findall(r"`([^`]+)`", match[2])
        elif match := re.match(r"  - `([^`]+)`:", line):
            values.append(match[1])
    return metrics


def asked(expression):
    """Every series an expression names, with its matchers: (metric, [(label, operator, value)])."""
    for match in re.finditer(r"\b((?:refrain|process)_\w+|up)\b(?:\{([^}]*)\})?", expression):
        yield match[1], re.findall(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"', match[2] or "")


def problems(expression, metrics):
    for name, matchers in asked(expression):
        if name in NOT_OURS:
            continue
        base = next((name.removesuffix(end) for end in HISTOGRAM
                     if metrics.get(name.removesuffix(end), {}).get("kind") == "histogram"), name)
        if base not in metrics or (base == name and metrics[name]["kind"] == "histogram"):
            yield f"{name} is no series of this build"
            continue
        for label, operator, value in matchers:
            if label in OUTER:
                continue
            values = metrics[base]["labels"].get(label)
            if values is None:
                yield f"{name} has no label {label}"
                continue
            wanted = value.split("|") if "~" in operator else [value]
            yield from (f"{name}: {label} is never {each}" for each in wanted if each not in values)


def rules():
    """The expressions of the rule file, by their names: promtool has checked its syntax."""
    text = (KIT / "alerts.yml").read_text()
    found = {}
    for match in re.finditer(r"- (?:alert|record): (\S+)\n\s+expr: (?:>-\n((?:\s{10,}.*\n)+)|(.*)\n)", text):
        found[match[1]] = match[2] or match[3]
    return found


def queries():
    dashboard = json.loads((KIT / "grafana.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def test_rules_and_scrape_are_well_formed():
    promtool("check", "rules", KIT / "alerts.yml")
    promtool("check", "config", KIT / "prometheus.yml")


def test_alerts_fire_when_they_should_and_only_then():
    promtool("test", "rules", KIT / "alerts.test.yml")
    cases = (KIT / "alerts.test.yml").read_text()
    for name in rules():
        if ":" in name:
            continue
        assert re.search(rf"alertname: {name}, exp_alerts: \[\]", cases), f"no case in which {name} is quiet"
        assert re.search(rf"alertname: {name}\n\s+exp_alerts:\n\s+- exp_labels", cases), f"no case in which {name} fires"


def test_every_rule_asks_for_what_exists():
    metrics = known()
    assert len(rules()) == (KIT / "alerts.yml").read_text().count("expr:") > 8
    found = {name: list(problems(expression, metrics)) for name, expression in rules().items()}
    assert not any(found.values()), found


def test_every_panel_asks_for_what_exists(tmp_path):
    metrics = known()
    found = {title: list(problems(expression, metrics)) for title, expression in queries()}
    assert len(found) > 15 and not any(found.values()), found
    # As rules, because that is what promtool reads.
    lines = ["groups:", "  - name: panels", "    rules:"]
    for number, (_, expression) in enumerate(queries()):
        plain = re.sub(r"\$__(rate_interval|range)", "5m", expression)
        lines += [f"      - record: panel:{number}", f"        expr: {json.dumps(plain)}"]
    file = tmp_path / "panels.yml"
    file.write_text("\n".join(lines) + "\n")
    promtool("check", "rules", file)


@pytest.mark.parametrize("expression", [
    "rate(refrain_requests_totals[5m])", 'refrain_requests_total{outcome="hits"}', 'refrain_requests_total{tier="memory"}',
    "refrain_request_duration_seconds", "refrain_entries_bucket", 'refrain_requests_total{outcome=~"hit|nothing"}'])
def test_the_comparison_sees_what_is_wrong(expression):
    assert list(problems(expression, known()))


def test_dashboard_and_sidecar_agree(refrain):
    """What the panels show is there from the first scrape on, apart from what has to be configured first."""
    names = {name for name, _, _ in refrain.metrics().series}
    lower = {"refrain_breaker_state", "refrain_fill_queue_depth", "refrain_fill_dropped_total",
             "refrain_access_log_dropped_total", "refrain_spans_dropped_total", "refrain_warm_prompts_total"}
    wanted = {name for _, expression in queries() for name, _ in asked(expression)}
    assert wanted - names <= lower
