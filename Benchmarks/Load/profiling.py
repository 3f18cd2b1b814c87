#!/usr/bin/env python3
"""Runs refrain under the load of exact hits for a profiler: `profiling.py sample SECONDS FOLDER` records with perf,
`profiling.py count REQUESTS FOLDER` counts instructions with callgrind. Benchmarks/profile.sh prints what came out.
"""

import itertools
import subprocess
import sys
from pathlib import Path

import load
import workload
from bench import ROOT
from client import Client
from hits import CONNECTIONS, HIT
from servers import Yard

# Odd, so that it does not beat in time with anything periodic.
SAMPLES_PER_SECOND = 1999


def sample(yard: Yard, seconds: int, folder: Path) -> None:
    refrain = yard.refrain(yard.origin())
    work = workload.workload("whole", streamed=False)
    load.prime(refrain, work.requests(refrain.port), HIT["refrain"])
    target = load.target(refrain, work, yard.folder)
    # Virtual machines often have no cycle counter; the clock of the CPU is always there.
    command = ["perf", "record", "-q", "-e", "cpu-clock", "-F", str(SAMPLES_PER_SECOND), "-g"]
    command += ["-p", str(refrain.process), "-o", str(folder / "perf.data"), "--", "sleep", str(seconds)]
    perf = subprocess.Popen(command)
    try:
        figures = load.run(target, CONNECTIONS, seconds + 1)
        perf.wait(30)
    finally:
        perf.kill()
    print(f"{figures.rate:.0f} requests/s, {figures.cpu:.2f} µs CPU per request while sampled")


def count(yard: Yard, requests: int, folder: Path) -> None:
    out = folder / "callgrind.out"
    out.unlink(missing_ok=True)
    wrapper = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}"]
    refrain = yard.refrain(yard.origin(), wrapper)
    work = workload.workload("whole", streamed=False)
    prepared = work.requests(refrain.port)
    load.prime(refrain, prepared, HIT["refrain"])
    refrain.resume()
    client = Client(refrain.port)
    _control("-i", "on", refrain.process)
    for pick in itertools.islice(itertools.cycle(workload.picks()), requests):
        client.call(prepared[pick - 1])
    _control("-i", "off", refrain.process)
    client.close()
    refrain.stop()
    totals = next(line for line in out.read_text(errors="replace").splitlines() if line.startswith("totals:"))
    print(f"{int(totals.split()[1]) / requests:.0f} instructions per hit in user space, over {requests} hits")


def _control(*arguments: object) -> None:
    command = ["callgrind_control", *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=60)


def main() -> int:
    mode, amount, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]).absolute()
    binary = ROOT / ".build/release/refrain"
    if not binary.exists():
        print(f"profile: there is no {binary}; build it with: make build", file=sys.stderr)
        return 2
    yard = Yard(binary, Path("litellm"))
    try:
        yard.prepare()
        {"sample": sample, "count": count}[mode](yard, amount, folder)
    finally:
        yard.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
