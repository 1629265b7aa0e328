#!/usr/bin/env bash
# In CI: scan what is checked in, audit what is installed, keep the log for the code-scanning page.
# Exit codes: 0 clean, 1 something is blocked (or to be reviewed), 2 something was not checked. Set BARTIZAN to the command.
set -uo pipefail
bartizan=${BARTIZAN:-bartizan}
code=0
$bartizan scan --strict --sarif bartizan.sarif "${@:-.}" || code=$?
if [ -n "${OSV:-}" ]; then
    files=$(git ls-files '*requirements*.txt' '*.lock' '*package-lock.json')
    [ -z "$files" ] || $bartizan scan --osv "$OSV" $files || code=$?
fi
exit "$code"
