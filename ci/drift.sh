#!/usr/bin/env bash
# Compares the cloud with the code, changes nothing but the parameter that keeps the result
# for `status`, and fails (exit code 4) on drift, so that somebody is told.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
. "$here/pipeline.sh"

code=0
connect-scim drift "${artifacts[@]}" --record --format markdown \
    --save "$out/drift.html" --save "$out/drift.sarif" --save "$out/drift.xml" \
    > "$out/drift.md" || code=$?
summary "$out/drift.md"
output drift "$([ "$code" -eq 4 ] && echo true || echo false)"
exit "$code"
