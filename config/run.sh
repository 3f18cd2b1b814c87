#!/usr/bin/env bash
# Starts the sidecar for `make run`: in front of $UPSTREAM where that is set, else of the simulated model, with a
# log of sample prompts replayed against it first.
# usage: run.sh FOLDER-WITH-THE-BINARIES
set -euo pipefail

binaries=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
listen=${REFRAIN_LISTEN:-127.0.0.1:8400}
admin=${REFRAIN_ADMIN_LISTEN:-127.0.0.1:8401}

if [ -n "${UPSTREAM:-}" ]; then
    exec "$binaries/refrain" serve --set "listen=$listen" --set "admin.listen=$admin" \
        --set "upstreams=[{name: upstream, url: \"$UPSTREAM\"}]"
fi

model=${SIMULATED_MODEL:-127.0.0.1:8500}
children=()
stop() {
    trap - EXIT
    # A second Ctrl-C ends this script, not the draining of the sidecar.
    trap 'exit 130' INT TERM HUP
    for child in "${children[@]}"; do kill -TERM "$child" 2>/dev/null || true; done
    wait || true
}
trap stop EXIT
trap 'exit 0' INT TERM HUP

# In a session of its own, so that Ctrl-C reaches this script alone: a second signal would cut the sidecar's drain short.
start() {
    setsid "$@" &
    children+=($!)
}

# Fails once one of the children has ended: then a port is taken, and who answers there is somebody else.
check() {
    for child in "${children[@]}"; do
        if ! kill -0 "$child" 2>/dev/null; then
            echo "error: a part of the set-up has ended; is something else listening on $listen, $admin or $model?" \
                "Choose other addresses with REFRAIN_LISTEN, REFRAIN_ADMIN_LISTEN and SIMULATED_MODEL" >&2
            exit 1
        fi
    done
}

# Asks a sidecar for ten seconds at most.
await() {
    for _ in $(seq 100); do
        check
        if "$binaries/refrain" stats --admin "$1" >/dev/null 2>&1; then
            # Time for one that found its port taken to end.
            sleep 0.2
            check
            return 0
        fi
        sleep 0.1
    done
    echo "error: the sidecar does not answer at $1; its own lines above say why" >&2
    exit 1
}

cat <<TEXT
No UPSTREAM is set, so Refrain runs in front of a SIMULATED model: it speaks the OpenAI and Anthropic protocols, and
its answers are made up. To front a real one: make run UPSTREAM=https://api.example.com

TEXT
start "$binaries/refrain-sim" model --listen "$model" --first-token 300ms --tokens-per-second 100
start "$binaries/refrain" serve --set "listen=$listen" --set "admin.listen=$admin" \
    --set "upstreams=[{name: simulated, url: \"http://$model\"}]"
await "http://$admin"

echo "Replaying config/samples/prompts.jsonl against http://$listen"
"$binaries/refrain-sim" replay --url "http://$listen" --concurrency 16 config/samples/prompts.jsonl
echo
"$binaries/refrain" stats --admin "http://$admin"
cat <<TEXT

Serving on http://$listen (admin port and dashboard: http://$admin). Point a client there:
  OPENAI_BASE_URL=http://$listen/v1 OPENAI_API_KEY=any python your_program.py
Stop with Ctrl-C.
TEXT
# One is of no use without the other.
wait -n
check
