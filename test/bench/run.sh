#!/usr/bin/env bash
# npm run bench [-- scan|events|watch|permission|trigger ARGUMENTS]: `scan` when nothing else is named.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
case "${1:-}" in
  events) shift; exec bash "$here/events.sh" "$@" ;;
  watch) shift; exec bash "$here/watch.sh" "$@" ;;
  permission) shift; exec node "$here/permission.mjs" "$@" ;;
  trigger) shift; exec bash "$here/trigger.sh" "$@" ;;
  scan) shift ;;
esac
exec bash "$here/scan.sh" "$@"
