// How a hook is, in words.
import { escapeText } from '../domain/escape.ts';
import type { HookRow } from './status.ts';

export function hookText(row: HookRow): string {
  const { running, runningSince, last, pending, dead, nextAttempt, openUntil, hold, failures } = row;
  const state = running
    ? `running since ${runningSince ?? 'before the configuration changed'}`
    : `last run ${lastText(row, last)}`;
  const words = [state, `${pending} pending`, `${dead} given up`];
  if (nextAttempt !== null && pending > 0) words.push(`next attempt ${nextAttempt}`);
  if (openUntil !== null) words.push(`${failures} failures in a row: pauses until ${openUntil}`);
  if (hold !== null) words.push(`held since ${hold.since}: ${escapeText(hold.reason)}`);
  return words.join(', ');
}

function lastText({ lastEnd }: HookRow, last: string | null): string {
  if (last === null) return 'none yet';
  return lastEnd === null ? last : `${last} at ${lastEnd}`;
}
