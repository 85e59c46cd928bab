// Dirty paths on their way to being read: each waits until it has been quiet, but never longer than its deadline.
import { type Actor, addActor, isSameActor } from './actor.ts';
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
  /** Takes what is due. Paths that are due within half a quiet period come along: what hangs together is compared together. */
  take(nowMs: number, isHeld?: IsHeld): Dirty[];
  /** Takes everything, due or not. */
  takeAll(isHeld?: IsHeld): Dirty[];
  paths(): Iterable<BytePath>;
  readonly size: number;
}

interface Waiting {
  dirty: Dirty;
  readonly group: Group;
}

/** A path, or all those that renames join: a tree of groups, of which the root holds the times. */
interface Group {
  joinedTo: Group | undefined;
  firstMs: number;
  lastMs: number;
}

export function createBatch({ quietMs, deadlineMs }: BatchSettings): Batch {
  const waiting = new Map<BytePath, Waiting>();
  const due = ({ group }: Waiting): number => {
    const { firstMs, lastMs } = rootOf(group);
    return Math.min(firstMs + deadlineMs, lastMs + quietMs);
  };

  const heldGroups = (isHeld: IsHeld | undefined): ReadonlySet<Group> => {
    const held = new Set<Group>();
    if (isHeld === undefined) return held;
    for (const [path, { group }] of waiting) if (isHeld(path)) held.add(rootOf(group));
    return held;
  };

  const takeIf = (chosen: (item: Waiting) => boolean, isHeld: IsHeld | undefined): Dirty[] => {
    const taken: Dirty[] = [];
    const held = heldGroups(isHeld);
    for (const [path, item] of waiting) {
      if (!chosen(item) || held.has(rootOf(item.group))) continue;
      waiting.delete(path);
      taken.push(item.dirty);
    }
    return taken;
  };

  return {
    add(dirty, nowMs) {
      const known = waiting.get(dirty.path);
      if (known === undefined) {
        waiting.set(dirty.path, { dirty, group: { joinedTo: undefined, firstMs: nowMs, lastMs: nowMs } });
        return;
      }
      rootOf(known.group).lastMs = nowMs;
      known.dirty = mergeDirty(known.dirty, dirty);
    },
    join(paths) {
      const [first, ...others] = paths.flatMap((path) => waiting.get(path)?.group ?? []);
      for (const other of others) if (first !== undefined) joinGroups(first, other);
    },
    dueMs(isHeld) {
      let earliest: number | undefined;
      const held = heldGroups(isHeld);
      for (const item of waiting.values()) {
        if (held.size > 0 && held.has(rootOf(item.group))) continue;
        earliest = Math.min(earliest ?? Number.POSITIVE_INFINITY, due(item));
      }
      return earliest;
    },
    take: (nowMs, isHeld) => takeIf((item) => due(item) <= nowMs + quietMs / 2, isHeld),
    takeAll: (isHeld) => takeIf(() => true, isHeld),
    paths: () => waiting.keys(),
    get size() {
      return waiting.size;
    },
  };
}

function rootOf(group: Group): Group {
  let root = group;
  while (root.joinedTo !== undefined) root = root.joinedTo;
  // Long chains are walked once: from then on everybody on the way knows the root.
  for (let at = group; at.joinedTo !== undefined; ) {
    const next = at.joinedTo;
    at.joinedTo = root;
    at = next;
  }
  return root;
}

function joinGroups(a: Group, b: Group): void {
  const [root, other] = [rootOf(a), rootOf(b)];
  if (root === other) return;
  root.firstMs = Math.min(root.firstMs, other.firstMs);
  root.lastMs = Math.max(root.lastMs, other.lastMs);
  other.joinedTo = root;
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
