#!/usr/bin/env bash
# npm run bench [-- NAME ARGUMENTS]: what NAME measures; `scan` when nothing is named.
#   scan        init, check and check --quick beside what one could take instead, on several trees (--help: options)
#   digests     every digest of a tree against b3sum, file by file
#   profile     the functions that a check, or an init, spends its time in
#   events      storms of close() as the library, `driftline trace`, fatrace and fsnotifywait see them; as root
#                 [EVENTS [ROUNDS]]
#   permission  what a permission responder costs who opens a file
#   trigger     from a change to the mirror, and loops, as `driftline watch` with rsync-mirror, lsyncd and inotifywait | rsync
#               have it; as root, on a filesystem of its own in a sparse file
#                 [FILES [CHANGED [ROUNDS [NAMES]]]]
#   watch       the watch beside inotifywait, fsnotifywait, fatrace, lsyncd and watchman
set -euo pipefail
# As the packaged program starts (packaging/deb/driftline): with certificates to read, each start of Node takes twice as long.
unset NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS
here=$(cd "$(dirname "$0")" && pwd)

# need PROGRAM:PACKAGE ...: installs what is not there.
need() {
  local missing=() pair
  for pair in "$@"; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  echo "installing ${missing[*]}" >&2
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

case "${1:-}" in
  -h | --help)
    sed -n 's/^# \{0,1\}//; 2,/^set /{/^set /!p}' "$0"
    exit 0
    ;;
  events) shift; need fatrace:fatrace fsnotifywait:inotify-tools; exec node "$here/events.mjs" "$@" ;;
  watch) shift; exec bash "$here/watch.sh" "$@" ;;
  permission) shift; exec node "$here/permission.mjs" "$@" ;;
  trigger)
    shift
    need rsync:rsync lsyncd:lsyncd inotifywait:inotify-tools mkfs.ext4:e2fsprogs
    exec node "$here/trigger.mjs" "$@"
    ;;
  digests) shift; need b3sum:b3sum; exec node "$here/digests.mjs" "$@" ;;
  profile) shift; exec node "$here/profile.mjs" "$@" ;;
  scan) shift ;;
esac
need b3sum:b3sum aide:aide tripwire:tripwire integrit:integrit /usr/bin/time:time
exec node "$here/scan.mjs" "$@"
