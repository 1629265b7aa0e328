#!/usr/bin/env bash
# Second step of the GitHub Action. What the workflow set comes as variables, never as text of a script.
# Exit codes are Bartizan's: 0 clean, 1 something failed, 2 something could not be checked.
set -uo pipefail
bartizan="$RUNNER_TEMP/bartizan/bin/bartizan"
code=0
case "$WHAT" in
scan)
    sarif=bartizan.sarif
    mapfile -t paths < <(printf '%s\n' "$PATHS" | sed '/^[[:space:]]*$/d')
    options=(--sarif "$sarif")
    [ "$STRICT" = true ] && options+=(--strict)
    "$bartizan" scan "${options[@]}" -- "${paths[@]}" || code=$?
    ;;
assess)
    sarif=bartizan-report/report.sarif
    [ -n "$TARGET" ] || { echo "assess needs the input target" >&2; exit 2; }
    options=(--target "$TARGET" --max-requests "$MAX_REQUESTS" --output bartizan-report)
    [ -n "$MODEL" ] && options+=(--model "$MODEL")
    [ -n "$BARTIZAN_TARGET_KEY" ] && options+=(--api-key-env BARTIZAN_TARGET_KEY)
    for threat in $THREATS; do options+=(--threat "$threat"); done
    "$bartizan" assess "${options[@]}" || code=$?
    [ -f bartizan-report/report.md ] && cat bartizan-report/report.md >> "$GITHUB_STEP_SUMMARY"
    ;;
*)
    echo "what = $WHAT: expected scan or assess" >&2
    exit 2
    ;;
esac
[ -f "$sarif" ] && echo "sarif=$sarif" >> "$GITHUB_OUTPUT"
exit "$code"
