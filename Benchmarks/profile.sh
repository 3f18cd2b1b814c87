#!/usr/bin/env bash
# Where a hit spends its time: refrain under the load of the benchmark, sampled or counted.
#
#   Benchmarks/profile.sh sample [SECONDS]     perf, call graph; writes artifacts/profile/
#   Benchmarks/profile.sh count [REQUESTS]     instructions per hit by function, under callgrind; the same every time
#
# Debian packages: linux-perf for `sample`, valgrind for `count`.
set -euo pipefail
cd "$(dirname "$0")/.."

mode=${1:-sample}
amount=${2:-}
out=artifacts/profile
mkdir -p "$out"

case $mode in
sample)
    command -v perf > /dev/null || { echo "profile: perf is not installed (linux-perf)" >&2; exit 2; }
    python3 Benchmarks/Load/profiling.py sample "${amount:-10}" "$out"
    perf report --input "$out/perf.data" --no-children --percent-limit 0.5 --stdio > "$out/flat.txt" 2> /dev/null
    perf report --input "$out/perf.data" --children --percent-limit 1 --stdio --call-graph none \
        > "$out/inclusive.txt" 2> /dev/null
    grep -v '^#' "$out/inclusive.txt" | grep -v '^$' | head -60
    echo "call graphs: $out/flat.txt, $out/perf.data"
    ;;
count)
    command -v valgrind > /dev/null || { echo "profile: valgrind is not installed" >&2; exit 2; }
    python3 Benchmarks/Load/profiling.py count "${amount:-2000}" "$out"
    callgrind_annotate --auto=no "$out/callgrind.out" | head -70
    ;;
*)
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
