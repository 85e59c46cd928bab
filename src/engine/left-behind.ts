// Where a move was told to lead to, when it leads there no more: nothing is said of what is there.
import type { Doubt } from '../domain/dirty.ts';
import { driftKey } from '../domain/drift.ts';
import type { BytePath } from '../domain/path.ts';
import type { Baseline, OpenDrift } from './ports/store.ts';
import type { Reconciled } from './reconcile.ts';

/**
 * `known`: by key, what was open before. A comparison looks at both ends of each move, but not at one instant: what took the old
 * name meanwhile is told in the place of the move, and neither end need be what it was when the other one was looked at.
 */
export function leftBehind(
  { drifts, resolved }: Pick<Reconciled, 'drifts' | 'resolved'>,
  known: ReadonlyMap<BytePath, OpenDrift>,
  baseline: Baseline,
): Doubt[] {
  const told = new Set(drifts.flatMap(({ drift }) => [driftKey(drift), drift.path]));
  const over = [...drifts.flatMap(({ drift }) => known.get(driftKey(drift)) ?? []), ...resolved];
  return over.flatMap(({ key, path }) => {
    const ends = key === path ? [] : [key, path].filter((end) => !told.has(end));
    return ends.map((end) => ({ path: end, subtree: baseline.find(key)?.type === 'directory' }));
  });
}
