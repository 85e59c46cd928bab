#!/usr/bin/env bash
# npm run bench -- trigger: from a change to the mirror, and loops, as `driftline watch` with rsync-mirror, lsyncd and
# inotifywait | rsync have it. As root; on a filesystem of its own in a sparse file.
#   test/bench/trigger.sh [FILES [CHANGED [ROUNDS [NAMES]]]]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
missing=()
for pair in rsync:rsync lsyncd:lsyncd inotifywait:inotify-tools mkfs.ext4:e2fsprogs; do
  command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
if [ "${#missing[@]}" -gt 0 ]; then
  echo "installing ${missing[*]}" >&2
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
exec node "$here/trigger.mjs" "$@"
