# Shared by the scripts of this folder: where things are, and how they speak.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# What set-up downloads and builds; git ignores it.
readonly ROOT STATE="$ROOT/.ringway"

# One line of progress, on stderr: stdout belongs to what a command is asked for.
say() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
}

fail() {
  say "$*"
  exit 1
}

have_command() {
  command -v "$1" >/dev/null 2>&1
}

# Runs a command that talks much; shows what it said only when it fails.
quietly() {
  local log
  log=$(mktemp)
  if "$@" >"$log" 2>&1 </dev/null; then
    rm -f "$log"
    return
  fi
  tail -n 40 "$log" >&2
  rm -f "$log"
  fail "failed: $*"
}

# Puts the pinned Node.js first when set-up had to fetch one.
use_fetched_node() {
  if [[ -x $STATE/node/bin/node ]]; then
    PATH="$STATE/node/bin:$PATH"
  fi
}
