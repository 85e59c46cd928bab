// Who did what was found.
import { type Actor, UNKNOWN_ACTOR } from '../domain/actor.ts';
import { type Dirty, mergeDirty } from '../domain/dirty.ts';
import type { Drift } from '../domain/drift.ts';
import { type BytePath, dirOf } from '../domain/path.ts';
import { type MovesByPlace, oldNameOf } from './open-moves.ts';
import type { Store } from './ports/store.ts';

export interface Attributed {
  readonly drift: Drift;
  /** Never empty. */
  readonly actors: readonly Actor[];
  /** Somebody did it, too, who is not among the actors. */
  readonly hasOthers: boolean;
}

/** Who was seen at a path. What went from a directory that moved is told by its old name, too. */
export function seenAt(dirty: readonly Dirty[], moves: MovesByPlace): Map<BytePath, Dirty> {
  const seen = new Map(dirty.map((one) => [one.path, one]));
  for (const one of dirty) {
    const old = oldNameOf(one.path, moves);
    if (old !== undefined && !seen.has(old)) seen.set(old, one);
  }
  return seen;
}

/** Who was seen at the path, at its old name, or at the directory whose move or removal explains it. */
export function attribute(drift: Drift, seen: ReadonlyMap<BytePath, Dirty>): Attributed {
  const own = [drift.from, drift.path].flatMap((path) => (path === undefined ? [] : (seen.get(path) ?? [])));
  const merged = own.reduce(mergeDirty, { path: drift.path, subtree: false, actors: [], hasOthers: false, sinceMs: 0 });
  const { actors, hasOthers } = merged.actors.some(isKnown) ? merged : (nearestSeen(drift.path, seen) ?? merged);
  return { drift, actors: actors.length === 0 ? [UNKNOWN_ACTOR] : actors, hasOthers };
}

/**
 * What went from the other name of a move may have been somebody else's doing, of whom nothing was seen: unless he was seen
 * there or above it (`isSeen`), or it was told before.
 */
export function withUnseen(one: Attributed, isSeen: (path: BytePath) => boolean, store: Store): Attributed {
  const { from } = one.drift;
  if (one.hasOthers || from === undefined || isSeen(from)) return one;
  return store.openDriftAt(from).some(({ key }) => key === from) ? one : { ...one, hasOthers: true };
}

function isKnown({ source }: Actor): boolean {
  return source !== 'unknown';
}

function nearestSeen(path: BytePath, seen: ReadonlyMap<BytePath, Dirty>): Dirty | undefined {
  for (let dir = dirOf(path); dir.length > 1; dir = dirOf(dir)) {
    const found = seen.get(dir);
    if (found !== undefined) return found;
  }
  return undefined;
}
