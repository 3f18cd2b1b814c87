#!/usr/bin/env bash
# Everything that is measured on this machine, after `make setup-bench build`. Arguments go to Benchmarks/Load/bench.py.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
swift=${SWIFT:-swift}
# Without LiteLLM the rest of the comparison is still worth having.
config/venv.sh "$python" .venv/bench Benchmarks/requirements.txt || echo "LiteLLM could not be installed" >&2
"$python" Benchmarks/Load/bench.py "$@" || failed=1

# What does not depend on other load: hit rates on recorded traces, what an entry in memory costs, what warming takes and
# saves, and what is answered when the model is not.
if [ $# -eq 0 ]; then
    "$swift" build -c release --static-swift-stdlib --product TracesBench
    "$swift" build -c release --static-swift-stdlib --product MemoryBench
    "$swift" build -c release --static-swift-stdlib --product StorageBench
    "$swift" build -c release --static-swift-stdlib --product RedisBench
    "$swift" build -c release --static-swift-stdlib --product WarmBench
    "$swift" build -c release --static-swift-stdlib --product ShieldBench
    .build/release/TracesBench
    .build/release/MemoryBench
    .build/release/StorageBench
    Benchmarks/redis.sh
    .build/release/ShieldBench
    .build/release/WarmBench
    "$python" Benchmarks/Load/warming.py
    "$python" Benchmarks/Load/availability.py
    "$python" Benchmarks/Load/overload.py
fi
exit "${failed:-0}"
