"""Printing figures as tables, judging them by the bars, and appending them to a file of results."""

import json
import platform
import subprocess
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).resolve().parents[1] / "Results" / "load.jsonl"


@dataclass(frozen=True)
class Bar:
    """A promise about a figure: at most, or at least, so much."""

    name: str
    value: float
    limit: float
    at_least: bool = False

    @property
    def holds(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        return f"  {'pass' if self.holds else 'FAIL'}  {self.name}: {self.value:.3g} (wanted {sign} {self.limit:g})"


def table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    print(f"\n{title}")
    widths = [max(len(row[index]) for row in [columns, *rows]) for index in range(len(columns))]
    for row in [columns, *rows]:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  " + "  ".join(cells))


def ranged(spread: dict[str, float], digits: int = 2) -> str:
    """The median and the range, with more places where the median is small."""
    places = digits if abs(spread["median"]) >= 0.1 or digits == 0 else digits + 2
    return f"{spread['median']:.{places}f} ({spread['min']:.{places}f}–{spread['max']:.{places}f})"


class Report:
    """Collects the sets of figures of one run."""

    def __init__(self, versions: dict[str, str], settings: dict[str, object], keep: bool) -> None:
        self.failed = 0
        self._keep = keep
        self._common = {
            "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "commit": _output(["git", "describe", "--always", "--dirty"]),
            "machine": _machine(),
            "versions": versions,
            "settings": settings,
        }

    def add(self, name: str, figures: object, bars: list[Bar]) -> None:
        """Prints the bars of a set and appends the set to the results."""
        for bar in bars:
            print(bar)
            self.failed += not bar.holds
        judged = [asdict(bar) | {"holds": bar.holds} for bar in bars]
        if self._keep:
            RESULTS.parent.mkdir(exist_ok=True)
            with RESULTS.open("a") as file:
                line = self._common | {"set": name, "figures": _rounded(figures), "bars": _rounded(judged)}
                file.write(json.dumps(line) + "\n")


def versions(refrain: Path, litellm: Path) -> dict[str, str]:
    found = {
        "nginx": _output(["nginx", "-v"]).rpartition("/")[2],
        "wrk": _output(["wrk", "-v"]).split(" ")[1],
        "gcc": _output(["gcc", "-dumpfullversion"]),
        "python": platform.python_version(),
    }
    python = litellm.parent / "python"
    if python.exists():
        found["litellm"] = _output([str(python), "-c", "import importlib.metadata as m; print(m.version('litellm'))"])
    if refrain.exists():
        found["refrain"] = f"{refrain.stat().st_size} bytes"
    return found


def _machine() -> dict[str, object]:
    fields = dict(line.split(":", 1) for line in _output(["lscpu"]).splitlines() if ":" in line)
    model = fields.get("Model name", "unknown").strip()
    return {"cpu": model, "cores": int(fields["CPU(s)"]), "kernel": platform.release(), "system": _system()}


def _system() -> str:
    return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=RESULTS.parents[1])
    return (done.stdout.strip() or done.stderr.strip()).partition("\n")[0] if command[0] != "lscpu" else done.stdout


def _rounded(value: object) -> object:
    """Four significant digits are more than the measurement holds, and keep the lines readable."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return value
