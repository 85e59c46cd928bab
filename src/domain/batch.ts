// Dirty paths on their way to being read: each waits until it has been quiet, but never longer than its deadline.
import { type Actor, addActor } from './actor.ts';
import type { BytePath } from './path.ts';

export interface Dirty {
  readonly path: BytePath;
  /** Everything below the path is in doubt, too. */
  readonly subtree: boolean;
  readonly actors: readonly Actor[];
  /** Somebody did it, too, who is not among the actors: unknown, or one too many. */
  readonly hasOthers: boolean;
}

export interface BatchSettings {
  readonly quietMs: number;
  readonly deadlineMs: number;
}

/** Times are milliseconds of any one clock. */
export interface Batch {
  add(dirty: Dirty, nowMs: number): void;
  /** When the next path is due; undefined when nothing is dirty. */
  dueMs(): number | undefined;
  /**
   * Takes what is due. Paths that are due within half a quiet period come along: the two names of a rename, of which one
   * was written to right after, then are compared together.
   */
  take(nowMs: number): Dirty[];
  /** Takes everything, due or not. */
  takeAll(): Dirty[];
  readonly size: number;
}

interface Waiting {
  dirty: Dirty;
  readonly firstMs: number;
  lastMs: number;
}

export function createBatch({ quietMs, deadlineMs }: BatchSettings): Batch {
  const waiting = new Map<BytePath, Waiting>();
  const due = ({ firstMs, lastMs }: Waiting): number => Math.min(firstMs + deadlineMs, lastMs + quietMs);

  const takeIf = (chosen: (item: Waiting) => boolean): Dirty[] => {
    const taken: Dirty[] = [];
    for (const [path, item] of waiting) {
      if (!chosen(item)) continue;
      waiting.delete(path);
      taken.push(item.dirty);
    }
    return taken;
  };

  return {
    add(dirty, nowMs) {
      const known = waiting.get(dirty.path);
      if (known === undefined) {
        waiting.set(dirty.path, { dirty, firstMs: nowMs, lastMs: nowMs });
        return;
      }
      known.lastMs = nowMs;
      known.dirty = mergeDirty(known.dirty, dirty);
    },
    dueMs() {
      let earliest: number | undefined;
      for (const item of waiting.values()) earliest = Math.min(earliest ?? Number.POSITIVE_INFINITY, due(item));
      return earliest;
    },
    take: (nowMs) => takeIf((item) => due(item) <= nowMs + quietMs / 2),
    takeAll: () => takeIf(() => true),
    get size() {
      return waiting.size;
    },
  };
}

/** Two of the same path; the actors of `b` are the later ones. */
export function mergeDirty(a: Dirty, b: Dirty): Dirty {
  const actors = b.actors.reduce<readonly Actor[]>(addActor, a.actors);
  const isListed = ({ pid }: Actor): boolean => actors.some((actor) => actor.pid === pid);
  return {
    path: a.path,
    subtree: a.subtree || b.subtree,
    actors,
    hasOthers: a.hasOthers || b.hasOthers || !a.actors.every(isListed) || !b.actors.every(isListed),
  };
}
