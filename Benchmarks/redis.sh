#!/usr/bin/env bash
# The Redis tier by itself, without HTTP, next to redis-benchmark on the same Redis: three rounds, taking turns.
# The clients have core 1, Redis has core 0.
set -euo pipefail
cd "$(dirname "$0")/.."

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
taskset -c 0 redis-server --port "$port" --save '' --appendonly no > /dev/null &
redis=$!
trap 'kill $redis' EXIT
until redis-cli -p "$port" ping > /dev/null 2>&1; do sleep 0.1; done

for _ in 1 2 3; do
    echo "redis-benchmark, 64 connections:  $(taskset -c 1 redis-benchmark -p "$port" -t get -n 200000 -c 64 -d 1305 --csv \
        | tail -1 | cut -d, -f2 | tr -d '"') GETs/s"
    taskset -c 1 .build/release/RedisBench "$port" 20000
done
