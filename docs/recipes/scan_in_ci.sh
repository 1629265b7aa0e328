#!/usr/bin/env bash
# In CI: scan what is checked in, audit what is installed, keep the log for the code-scanning page.
# Exit codes: 0 clean, 1 something is blocked (or to be reviewed), 2 something was not checked. Set BARTIZAN to the command.
# LOCK and KEY: what this lock approves needs no review again; keep the public key out of the repository that is scanned.
set -uo pipefail
bartizan=${BARTIZAN:-bartizan}
code=0
approved=()
[ -z "${LOCK:-}" ] || approved=(--lock "$LOCK" --key "${KEY:?the public key of the lock}")
$bartizan scan --strict --sarif bartizan.sarif ${approved[@]+"${approved[@]}"} "${@:-.}" || code=$?
if [ -n "${OSV:-}" ]; then
    files=$(git ls-files '*requirements*.txt' '*.lock' '*package-lock.json')
    [ -z "$files" ] || $bartizan scan --osv "$OSV" $files || code=$?
fi
exit "$code"
