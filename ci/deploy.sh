#!/usr/bin/env bash
# Deploys exactly what it has shown. CONNECT_SCIM_APPROVE names what somebody has
# approved: `iam`, `replace`, or both with a comma between them.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
. "$here/pipeline.sh"

approvals=()
[ -z "${CONNECT_SCIM_APPROVE:-}" ] || approvals=(--approve "$CONNECT_SCIM_APPROVE")

telling connect-scim plan "${artifacts[@]}" --format markdown --out "$out/plan.json" > "$out/plan.md"
summary "$out/plan.md"
output changes "$([ "$code" -eq 4 ] && echo true || echo false)"
connect-scim deploy "${artifacts[@]}" --plan "$out/plan.json" --yes "${approvals[@]}"
