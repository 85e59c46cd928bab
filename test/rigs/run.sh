#!/usr/bin/env bash
# npm run rig -- oracle [OPTION...]: rigs that try to make the watch miss something. As root.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
case "${1:-}" in
  oracle) shift; exec node "$here/oracle.mjs" "$@" ;;
esac
echo "usage: npm run rig -- oracle [--help]" >&2
exit 64
