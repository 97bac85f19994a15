#!/usr/bin/env bash
# Puts connect-scim of this checkout into CONNECT_SCIM_BIN. What takes long to make is
# kept in CONNECT_SCIM_CACHE, which a pipeline should keep from run to run.
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
export CONNECT_SCIM_CACHE="${CONNECT_SCIM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/connect-scim}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$CONNECT_SCIM_CACHE/target}"
bin="${CONNECT_SCIM_BIN:-$CONNECT_SCIM_CACHE/bin}"

cargo build --locked --quiet --manifest-path "$root/Cargo.toml"
mkdir -p "$bin"
install "$CARGO_TARGET_DIR/debug/connect-scim" "$bin/connect-scim"
if [ -n "${GITHUB_PATH:-}" ]; then
    echo "$bin" >> "$GITHUB_PATH"
fi
echo "$bin/connect-scim"
