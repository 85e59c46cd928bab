// Dirty paths on their way to being read: each waits until it has been quiet, but never longer than its deadline.
import { type Actor, addActor, isSameActor } from './actor.ts';
import { slicesOf } from './batch-slices.ts';
import type { BytePath } from './path.ts';

export interface Dirty {
  readonly path: BytePath;
  /** Everything below the path is in doubt, too. */
  readonly subtree: boolean;
  readonly actors: readonly Actor[];
  /** Somebody did it, too, who is not among the actors: unknown, or one too many. */
  readonly hasOthers: boolean;
  /** When it was put in doubt first, in milliseconds of the clock that the batch is used with. */
  readonly sinceMs: number;
}

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
   */
  take(nowMs: number, isHeld?: IsHeld, max?: number): Dirty[][];
  /** Takes everything, due or not, in slices. */
  takeAll(isHeld?: IsHeld, max?: number): Dirty[][];
  paths(): Iterable<BytePath>;
  readonly size: number;
}

/** A path, and a node in the tree of all those that renames join: the times are those of the root. */
interface Waiting {
  dirty: Dirty;
  joinedTo: Waiting | undefined;
  isJoined: boolean;
  firstMs: number;
  lastMs: number;
}

/** That are taken at a time: to cut them all that is due has to be looked at. */
const SLICES = 16;

export function createBatch({ quietMs, deadlineMs }: BatchSettings): Batch {
  const waiting = new Map<BytePath, Waiting>();
  const due = (item: Waiting): number => {
    const { firstMs, lastMs } = rootOf(item);
    return Math.min(firstMs + deadlineMs, lastMs + quietMs);
  };

  const heldRoots = (isHeld: IsHeld | undefined): ReadonlySet<Waiting> => {
    const held = new Set<Waiting>();
    if (isHeld === undefined) return held;
    for (const [path, item] of waiting) if (isHeld(path)) held.add(rootOf(item));
    return held;
  };

  const chosenBy = (isChosen: (item: Waiting) => boolean, isHeld: IsHeld | undefined): Waiting[] => {
    const held = heldRoots(isHeld);
    const chosen: Waiting[] = [];
    for (const item of waiting.values()) if (isChosen(item) && !held.has(rootOf(item))) chosen.push(item);
    return chosen;
  };

  const remove = (slice: readonly Waiting[]): Dirty[] => {
    for (const { dirty } of slice) waiting.delete(dirty.path);
    return slice.map(({ dirty }) => dirty);
  };

  return {
    add(dirty, nowMs) {
      const known = waiting.get(dirty.path);
      if (known === undefined) {
        waiting.set(dirty.path, { dirty, joinedTo: undefined, isJoined: false, firstMs: nowMs, lastMs: nowMs });
        return;
      }
      rootOf(known).lastMs = nowMs;
      known.dirty = mergeDirty(known.dirty, dirty);
    },
    join(paths) {
      const [first, ...others] = paths.flatMap((path) => waiting.get(path) ?? []);
      for (const other of others) if (first !== undefined) joinItems(first, other);
    },
    dueMs(isHeld) {
      let earliest: number | undefined;
      const held = heldRoots(isHeld);
      for (const item of waiting.values()) {
        if (held.size > 0 && held.has(rootOf(item))) continue;
        earliest = Math.min(earliest ?? Number.POSITIVE_INFINITY, due(item));
      }
      return earliest;
    },
    take(nowMs, isHeld, max) {
      const slices: Dirty[][] = [];
      for (const slice of slicesOf(
        chosenBy((item) => due(item) <= nowMs + quietMs / 2, isHeld),
        groupOf,
        max,
      )) {
        slices.push(remove(slice));
        if (slices.length === SLICES) break;
      }
      return slices;
    },
    takeAll: (isHeld, max) =>
      [
        ...slicesOf(
          chosenBy(() => true, isHeld),
          groupOf,
          max,
        ),
      ].map(remove),
    paths: () => waiting.keys(),
    get size() {
      return waiting.size;
    },
  };
}

function groupOf(item: Waiting): Waiting | undefined {
  return item.isJoined ? rootOf(item) : undefined;
}

function rootOf(item: Waiting): Waiting {
  let root = item;
  while (root.joinedTo !== undefined) root = root.joinedTo;
  // Long chains are walked once: from then on everybody on the way knows the root.
  for (let at = item; at.joinedTo !== undefined; ) {
    const next = at.joinedTo;
    at.joinedTo = root;
    at = next;
  }
  return root;
}

function joinItems(a: Waiting, b: Waiting): void {
  const [root, other] = [rootOf(a), rootOf(b)];
  if (root === other) return;
  root.firstMs = Math.min(root.firstMs, other.firstMs);
  root.lastMs = Math.max(root.lastMs, other.lastMs);
  other.joinedTo = root;
  root.isJoined = true;
  other.isJoined = true;
}

/** Two of the same path; the actors of `b` are the later ones. */
export function mergeDirty(a: Dirty, b: Dirty): Dirty {
  const actors = b.actors.reduce<readonly Actor[]>(addActor, a.actors);
  const isListed = (one: Actor): boolean => actors.some((actor) => isSameActor(actor, one));
  return {
    path: a.path,
    subtree: a.subtree || b.subtree,
    actors,
    sinceMs: Math.min(a.sinceMs, b.sinceMs),
    hasOthers: a.hasOthers || b.hasOthers || !a.actors.every(isListed) || !b.actors.every(isListed),
  };
}
