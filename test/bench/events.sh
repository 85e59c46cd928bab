#!/usr/bin/env bash
# npm run bench -- events: storms of close() as the library, `driftline trace`, fatrace and fsnotifywait see them. As root.
#   test/bench/events.sh [EVENTS [ROUNDS]]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
missing=()
for pair in fatrace:fatrace fsnotifywait:inotify-tools; do
  command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
if [ "${#missing[@]}" -gt 0 ]; then
  echo "installing ${missing[*]}" >&2
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
exec node "$here/events.mjs" "$@"
