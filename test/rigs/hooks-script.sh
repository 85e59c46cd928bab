#!/bin/bash
# A hook of the rig: takes its names, then behaves as badly as chance will have it. $1: where it writes.
dir=$1
run=$dir/inputs/$DRIFTLINE_HOOK.$DRIFTLINE_KEY.$DRIFTLINE_RUN_ID
first=$dir/inputs/$DRIFTLINE_HOOK.$DRIFTLINE_KEY
cat >"$run"
printf . >>"$dir/started"
# The watch was killed before it had written all of it.
[ "$(tr -dc '\0' <"$run" | wc -c)" -eq "$DRIFTLINE_PATHS" ] || { rm "$run"; exit 1; }
if ln "$run" "$first" 2>/dev/null; then :; elif ! cmp -s "$run" "$first"; then echo "$first" >>"$dir/differs"; fi
rm "$run"

bomb() { bomb & bomb & wait; }
mode=ok
[ -e "$dir/calm" ] || mode=$((RANDOM % 24))
case $mode in
  0) exit 1 ;;
  1) exit 75 ;;
  2) exec sleep 1000 ;;
  3) kill -KILL $$ ;;
  4) bomb 2>/dev/null ;;
  5) setsid -f sleep 1000; setsid -f bash -c 'trap "" TERM HUP; while :; do sleep 1000; done' ;;
  6) head -c "${DRIFTLINE_OUTPUT:-16M}" /dev/zero ;;
  7) trap '' TERM; while :; do sleep 1000; done ;;
  8) exec </dev/null >/dev/null 2>&1; (setsid sleep 1000 &) ;;
  9) echo "$DRIFTLINE_HOOK $DRIFTLINE_KEY" >>"$dir/done"; exit 1 ;;
  10) sleep 0.3 ;;
esac
echo "$DRIFTLINE_HOOK $DRIFTLINE_KEY" >>"$dir/done"
