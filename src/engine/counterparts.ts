// Two halves of a move that were seen apart, by a comparison that passed one place before and the other after it, or as a
// link and an unlink: they become one drift when the second is found.
import type { Dirty } from '../domain/dirty.ts';
import type { BytePath } from '../domain/path.ts';
import { openHalves } from './halves.ts';
import { type Reconciled, type ReconcileOptions, type ReconcileParts, reconcile } from './reconcile.ts';
import type { Slicing } from './slice.ts';

export interface Counterparts {
  /** `reconcile`, and once more together with what is open already and is the other half of what was found. */
  reconcile(parts: ReconcileParts, dirty: readonly Dirty[], options?: CounterpartOptions): Promise<Reconciled>;
}

export interface CounterpartOptions extends Pick<ReconcileOptions, 'contentMaxBytes'> {
  readonly slicing?: Omit<Slicing, 'halves'> | undefined;
}

export function openCounterparts(): Counterparts {
  const halves = openHalves();
  return {
    async reconcile(parts, dirty, { contentMaxBytes, slicing } = {}) {
      const options = { contentMaxBytes, slicing: slicing && { ...slicing, halves } };
      const first = await reconcile(parts, dirty, options);
      const more = first.drifts.flatMap(({ drift }) => halves.otherOf(drift, parts.store) ?? []).map(doubted);
      const found = more.length === 0 ? first : await reconcile(parts, [...dirty, ...more], options);
      halves.note(found.drifts);
      return found;
    },
  };
}

function doubted(path: BytePath): Dirty {
  return { path, subtree: false, actors: [], hasOthers: false, sinceMs: 0 };
}
