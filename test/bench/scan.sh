#!/usr/bin/env bash
# npm run bench: init and check of a tree (default /usr) beside b3sum on every file and Debian's AIDE, in one run.
#   test/bench/scan.sh [TREE [ROUNDS]]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
missing=()
for pair in b3sum:b3sum aide:aide time:time; do
  command -v "/usr/bin/${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
if [ "${#missing[@]}" -gt 0 ]; then
  echo "installing ${missing[*]}" >&2
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
exec node "$here/scan.mjs" "${1:-/usr}" "${2:-3}"
