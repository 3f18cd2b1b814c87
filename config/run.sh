#!/usr/bin/env bash
# Starts the sidecar for `make run`: in front of $UPSTREAM where that is set, else of the simulated model, with a
# log of sample prompts replayed against it first.
# usage: run.sh FOLDER-WITH-THE-BINARIES
set -euo pipefail

binaries=$1
listen=${REFRAIN_LISTEN:-127.0.0.1:8400}
admin=${REFRAIN_ADMIN_LISTEN:-127.0.0.1:8401}

if [ -n "${UPSTREAM:-}" ]; then
    exec "$binaries/refrain" serve --set "listen=$listen" --set "admin.listen=$admin" \
        --set "upstreams=[{name: upstream, url: \"$UPSTREAM\"}]"
fi

model=${SIMULATED_MODEL:-127.0.0.1:8500}
children=()
stop() {
    trap - EXIT INT TERM
    for child in "${children[@]}"; do kill -TERM "$child" 2>/dev/null || true; done
    wait || true
}
trap stop EXIT
trap 'exit 0' INT TERM

# Polls a health page for ten seconds.
await() {
    for _ in $(seq 100); do
        if "$binaries/refrain" stats --admin "$1" >/dev/null 2>&1; then return 0; fi
        sleep 0.1
    done
    echo "error: the sidecar did not start; is another process listening on $listen or $admin?" >&2
    exit 1
}

cat <<TEXT
No UPSTREAM is set, so Refrain runs in front of a SIMULATED model: it speaks the OpenAI and Anthropic protocols, and
its answers are made up. To front a real one: make run UPSTREAM=https://api.example.com

TEXT
"$binaries/refrain-sim" model --listen "$model" --first-token 300ms --tokens-per-second 100 &
children+=($!)
"$binaries/refrain" serve --set "listen=$listen" --set "admin.listen=$admin" \
    --set "upstreams=[{name: simulated, url: \"http://$model\"}]" &
children+=($!)
await "http://$admin"

echo "Replaying config/samples/prompts.jsonl against http://$listen"
"$binaries/refrain-sim" replay --url "http://$listen" --concurrency 16 config/samples/prompts.jsonl
echo
"$binaries/refrain" stats --admin "http://$admin"
cat <<TEXT

Serving on http://$listen (admin: http://$admin). Point a client there:
  OPENAI_BASE_URL=http://$listen/v1 OPENAI_API_KEY=any python your_program.py
Stop with Ctrl-C.
TEXT
wait
