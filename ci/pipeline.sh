# What the steps of a pipeline share; sourced by them.
#
# They read CONNECT_SCIM_ENV (which environment), CONNECT_SCIM_TARGET (which of its
# targets; empty: all), CONNECT_SCIM_ARTIFACTS (packages of `connect-scim build --out`;
# empty: built here) and write into CONNECT_SCIM_OUT (default: connect-scim-out).

: "${CONNECT_SCIM_ENV:?name the environment in CONNECT_SCIM_ENV}"
# An empty variable is not a name.
[ -n "${CONNECT_SCIM_TARGET:-}" ] || unset CONNECT_SCIM_TARGET
out="${CONNECT_SCIM_OUT:-connect-scim-out}"
mkdir -p "$out"

artifacts=()
[ -z "${CONNECT_SCIM_ARTIFACTS:-}" ] || artifacts=(--artifacts "$CONNECT_SCIM_ARTIFACTS")

# GitHub drops a summary of more than 1 MiB per step without a word.
summary() {
    [ -n "${GITHUB_STEP_SUMMARY:-}" ] || return 0
    if [ "$(wc -c < "$1")" -le 1000000 ]; then
        cat "$1" >> "$GITHUB_STEP_SUMMARY"
    else
        head -c 900000 "$1" >> "$GITHUB_STEP_SUMMARY"
        printf '\n\n(cut; the whole is in %s)\n' "$1" >> "$GITHUB_STEP_SUMMARY"
    fi
}

# An output of the step, for the steps after it.
output() {
    [ -z "${GITHUB_OUTPUT:-}" ] || printf '%s=%s\n' "$1" "$2" >> "$GITHUB_OUTPUT"
}

# Runs a command whose exit code 4 means that there is something to tell.
# Sets `code`; any other code but 0 ends the step with it.
telling() {
    code=0
    "$@" || code=$?
    case "$code" in
    0 | 4) ;;
    *) exit "$code" ;;
    esac
}
