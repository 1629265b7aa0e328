#!/usr/bin/env bash
# First step of the GitHub Action: this revision of Bartizan into a virtual environment, every package by its hash.
set -euo pipefail
python=${PYTHON:-python3.11}
command -v "$python" >/dev/null || { echo "Bartizan needs $python: add actions/setup-python before it" >&2; exit 2; }
"$python" -m venv "$RUNNER_TEMP/bartizan"
pip=("$RUNNER_TEMP/bartizan/bin/python" -m pip install -q --disable-pip-version-check --no-deps)
cd "$GITHUB_ACTION_PATH"
"${pip[@]}" --require-hashes -r requirements/build.txt
"${pip[@]}" --require-hashes -r requirements/base.txt
if [ "${EXTRAS:-false}" = true ]; then
    # torch is the one package without hashes: CPU and GPU builds of the same version differ.
    "${pip[@]}" --require-hashes -r requirements/extras.txt
    "${pip[@]}" torch==2.13.0
fi
"${pip[@]}" --no-build-isolation .
