#!/usr/bin/env bash
# Shows what `deploy` would change: on the page of the job, and in the pull or merge
# request. Succeeds whether there are changes or not; the output `changes` tells.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
. "$here/pipeline.sh"

telling connect-scim plan "${artifacts[@]}" --format markdown --out "$out/plan.json" > "$out/plan.md"
summary "$out/plan.md"
output changes "$([ "$code" -eq 4 ] && echo true || echo false)"
if [ "${CONNECT_SCIM_COMMENT:-true}" = true ]; then
    python3 "$here/comment.py" "$CONNECT_SCIM_ENV${CONNECT_SCIM_TARGET:+ ($CONNECT_SCIM_TARGET)}" "$out/plan.md"
fi
