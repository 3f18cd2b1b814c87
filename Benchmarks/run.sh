#!/usr/bin/env bash
# Everything that is measured on this machine, after `make setup-bench build`. Arguments go to Benchmarks/Load/bench.py.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
# Without LiteLLM the rest of the comparison is still worth having.
config/venv.sh "$python" .venv/bench Benchmarks/requirements.txt || echo "LiteLLM could not be installed" >&2
exec "$python" Benchmarks/Load/bench.py "$@"
