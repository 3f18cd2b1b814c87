#!/usr/bin/env bash
# Makes a Python environment with exactly the packages of a requirements file, whose hashes are checked.
# usage: venv.sh PYTHON FOLDER REQUIREMENTS
set -euo pipefail

python=$1 folder=$2 requirements=$3
stamp=$folder/.made-from
if [ -f "$stamp" ] && cmp -s "$requirements" "$stamp"; then exit 0; fi

echo "making $folder"
"$python" -m venv --clear "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$requirements"
cp "$requirements" "$stamp"
