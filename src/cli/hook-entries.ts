// How large the tree of a hook is.
import { countRecords } from '../domain/packed.ts';
import { outermostPaths } from '../domain/path.ts';
import type { Settings } from '../domain/settings.ts';
import type { Store } from '../engine/ports/store.ts';
import { systemClock } from './clock.ts';

/** A share of a tree needs no better: counting a million entries takes a second. */
const FRESH_MS = 600_000;

/** Counts the entries of the baseline below the paths of the rules that name a hook. */
export function entriesUnder({ rules }: Settings, { baseline }: Store): (hook: string) => number {
  const known = new Map<string, { readonly count: number; readonly untilMs: number }>();
  return (hook) => {
    const nowMs = systemClock.monotonicMs();
    const before = known.get(hook);
    if (before !== undefined && before.untilMs > nowMs) return before.count;
    let count = 0;
    for (const path of outermostPaths(
      rules.filter(({ hooks }) => hooks.includes(hook)).flatMap(({ paths }) => paths),
    )) {
      for (const { run } of baseline.below(path)) count += countRecords(run);
    }
    known.set(hook, { count, untilMs: nowMs + FRESH_MS });
    return count;
  };
}
