#!/usr/bin/env bash
# npm run bench -- watch [setup|storm|memory|latency|who] [OPTION...]: the watch beside other watchers. As root; --help lists the options.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
missing=()
for pair in gcc:gcc fatrace:fatrace fsnotifywait:inotify-tools lsyncd:lsyncd watchman:watchman rsync:rsync; do
  command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
if [ "${#missing[@]}" -gt 0 ]; then
  echo "installing ${missing[*]}" >&2
  apt-get update -qq
  # What a distribution does not have is left out of the tables.
  for package in "${missing[@]}"; do
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null || true
  done
fi
exec node "$here/watch.mjs" "$@"
