#!/usr/bin/env python3
"""Compares Refrain with its peers on this machine, all in one run, and says whether it keeps its promises.

    Benchmarks/Load/bench.py                 everything, about ten minutes; appends to Benchmarks/Results/load.jsonl
    Benchmarks/Load/bench.py --quick         a trial of two minutes; appends nothing
    Benchmarks/Load/bench.py --only hits     one part
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import hits
import memory
import misses
import tiers
import warmlive
from load import WrongAnswer
from plan import Plan
from processes import StartFailure
from report import Report, versions
from servers import Yard

ROOT = Path(__file__).resolve().parents[2]
PARTS = {
    "hits": hits.measure,
    "misses": misses.measure,
    "tiers": tiers.measure,
    "warmlive": warmlive.measure,
    "memory": memory.measure,
}


def _path(text: str) -> Path:
    return Path(text).absolute()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refrain", type=_path, default=ROOT / ".build/release/refrain", help="the binary to measure")
    parser.add_argument("--litellm", type=_path, default=ROOT / ".venv/bench/bin/litellm", help="LiteLLM's command")
    parser.add_argument("--only", choices=list(PARTS), action="append", help="a part to run; may be repeated")
    parser.add_argument("--rounds", type=int, default=7, help="rounds for each server (default 7)")
    parser.add_argument("--seconds", type=int, default=3, help="length of a round (default 3)")
    parser.add_argument("--quick", action="store_true", help="short rounds, and no line in the results")
    parser.add_argument("--peers-only", action="store_true", help="leave refrain out: try the harness itself")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a bar does not hold")
    return parser.parse_args()


def check(options: argparse.Namespace) -> str | None:
    """What is missing, in words that say what to do."""
    missing = [tool for tool in ("nginx", "wrk", "gcc", "taskset") if not shutil.which(tool)]
    if missing:
        return f"not installed: {', '.join(missing)} (make setup-bench installs them)"
    if (os.cpu_count() or 1) < 2:
        return "two cores are needed, one for the server and one for the client"
    if not options.peers_only and not options.refrain.exists():
        return f"there is no {options.refrain}; build it with: make build"
    return None


def main() -> int:
    options = arguments()
    problem = check(options)
    if problem:
        print(f"bench: {problem}", file=sys.stderr)
        return 2
    if not options.litellm.exists():
        print(f"LiteLLM is left out: there is no {options.litellm}")
    memory.raise_descriptor_limit()
    # A closed terminal or a stopped job ends the servers too.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(130))
    rounds, seconds = (2, 1) if options.quick else (options.rounds, options.seconds)
    settings = {"rounds": rounds, "seconds": seconds, "connections": hits.CONNECTIONS}
    report = Report(versions(options.refrain, options.litellm), settings, keep=not options.quick)
    yard = Yard(options.refrain, options.litellm)
    calls, idle = (200, 1000) if options.quick else (2000, 10_000)
    plan = Plan(yard, report, not options.peers_only, options.litellm.exists(), rounds, seconds, calls, idle)
    try:
        yard.prepare()
        for part in options.only or PARTS:
            PARTS[part](plan)
            yard.stop_servers()
    except (StartFailure, WrongAnswer, OSError, subprocess.SubprocessError) as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    finally:
        yard.close()
    return 1 if options.strict and report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
