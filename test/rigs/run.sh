#!/usr/bin/env bash
# npm run rig -- oracle|hooks [OPTION...]: rigs that try to make the watch miss something. As root.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
case "${1:-}" in
  oracle) shift; exec node "$here/oracle.mjs" "$@" ;;
  hooks) shift; exec node "$here/hooks.mjs" "$@" ;;
esac
echo "usage: npm run rig -- oracle|hooks [--help]" >&2
exit 64
