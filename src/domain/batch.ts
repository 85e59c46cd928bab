// Dirty paths on their way to being read: each waits until it has been quiet, but never longer than its deadline.
import { slicesOf } from './batch-slices.ts';
import type { Dirty } from './dirty.ts';
import type { BytePath } from './path.ts';
import { createWaiting } from './waiting.ts';

export interface BatchSettings {
  readonly quietMs: number;
  readonly deadlineMs: number;
}

/** Whether something of this path is under way that has to end first. */
export type IsHeld = (path: BytePath) => boolean;

/** Times are milliseconds of any one clock. What is held, and all that renames join with it, is passed over. */
export interface Batch {
  add(dirty: Dirty, nowMs: number): void;
  /**
   * The names of one rename: they are taken together, or a move would be told as a removal and an addition. Together they
   * rest when none of them is written to any more, and their deadline is that of the first. Names that are not dirty are
   * passed over.
   */
  join(paths: readonly BytePath[]): void;
  /** When the next path is due; undefined when nothing is dirty. */
  dueMs(isHeld?: IsHeld): number | undefined;
  /**
   * Takes what is due. Paths that are due within half a quiet period come along: what hangs together is compared together.
   * More than `max` paths come in slices (batch-slices.ts), a few at a time: the others stay due, and merge with later ones.
   * `slicesMax`: how few.
   */
  take(nowMs: number, isHeld?: IsHeld, max?: number, slicesMax?: number): Dirty[][];
  /** Takes everything, due or not, in slices. */
  takeAll(isHeld?: IsHeld, max?: number): Dirty[][];
  paths(): Iterable<BytePath>;
  readonly size: number;
}

/** That are taken at a time, of so many times more that are looked at: what lies together is to be cut together. */
const SLICES = 8;
const LOOKS = 8;
/** Slices of one directory before others have their turn: what happens elsewhere must not wait for a storm to end. */
const SHARE = 2;

export function createBatch({ quietMs, deadlineMs }: BatchSettings): Batch {
  const waiting = createWaiting();
  const due = (group: number): number => Math.min(waiting.firstMs(group) + deadlineMs, waiting.lastMs(group) + quietMs);

  const heldGroups = (isHeld: IsHeld | undefined): ReadonlySet<number | undefined> => {
    const held = new Set<number | undefined>();
    if (isHeld === undefined) return held;
    for (const path of waiting.paths()) if (isHeld(path)) held.add(waiting.groupOf(path));
    return held;
  };

  const slices = function* (
    isChosen: (group: number) => boolean,
    isHeld?: IsHeld,
    max?: number,
    { lookMax = Number.POSITIVE_INFINITY, share = Number.POSITIVE_INFINITY } = {},
  ): Generator<Dirty[]> {
    const held = heldGroups(isHeld);
    const chosen: BytePath[] = [];
    // Whoever is in a group comes with all of it.
    const groups = new Set<number>();
    for (const path of waiting.paths()) {
      const group = waiting.groupOf(path);
      const isMore = chosen.length < lookMax || (group !== undefined && groups.has(group));
      if (group === undefined || !isMore || !isChosen(group) || held.has(group)) continue;
      chosen.push(path);
      if (waiting.isJoined(path)) groups.add(group);
      if (chosen.length >= lookMax && groups.size === 0) break;
    }
    const groupOf = (path: BytePath): number | undefined =>
      waiting.isJoined(path) ? waiting.groupOf(path) : undefined;
    for (const slice of slicesOf(chosen, { groupOf, isTree: waiting.isTree }, max, share)) {
      yield slice.flatMap((path) => waiting.take(path) ?? []);
    }
  };

  return {
    add: waiting.add,
    join: waiting.join,
    dueMs(isHeld) {
      let earliest: number | undefined;
      const held = heldGroups(isHeld);
      for (const path of waiting.paths()) {
        const group = waiting.groupOf(path);
        if (group === undefined || held.has(group)) continue;
        earliest = Math.min(earliest ?? Number.POSITIVE_INFINITY, due(group));
      }
      return earliest;
    },
    take(nowMs, isHeld, max, slicesMax = SLICES) {
      const taken: Dirty[][] = [];
      const limits = max === undefined ? {} : { lookMax: max * slicesMax * LOOKS, share: max * SHARE };
      for (const slice of slices((group) => due(group) <= nowMs + quietMs / 2, isHeld, max, limits)) {
        taken.push(slice);
        if (taken.length === slicesMax) break;
      }
      return taken;
    },
    takeAll: (isHeld, max) => [...slices(() => true, isHeld, max)],
    paths: waiting.paths,
    get size() {
      return waiting.size;
    },
  };
}
