// What is under way and has to end before anything else of the same paths begins: what came later would overtake it.
import type { IsHeld } from '../domain/batch.ts';
import { type BytePath, dirOf, hasAncestorIn, lineage } from '../domain/path.ts';

/** Of each path also what is above it and below it. */
export interface HeldPaths {
  readonly holds: IsHeld;
  hold(path: BytePath): void;
  /** All names in the directory, but not what is below them. */
  holdNames(dir: BytePath): void;
  /** They are under way no more. */
  release(paths: Iterable<BytePath>): void;
}

export function holdPaths(paths: Iterable<BytePath>): HeldPaths {
  /** Not counted yet: nobody asks before something has taken long. */
  const fresh = new Set(paths);
  const held = new Set<BytePath>();
  const dirs = new Set<BytePath>();
  /** How many of the held paths are at or below it. */
  const above = new Map<BytePath, number>();
  const count = (path: BytePath, step: 1 | -1): void => {
    for (const at of lineage(path)) {
      const now = (above.get(at) ?? 0) + step;
      if (now === 0) above.delete(at);
      else above.set(at, now);
    }
  };
  const settle = (): void => {
    for (const path of fresh) {
      if (held.has(path)) continue;
      held.add(path);
      count(path, 1);
    }
    fresh.clear();
  };
  return {
    holds(path) {
      if (fresh.size > 0) settle();
      return above.has(path) || dirs.has(dirOf(path)) || hasAncestorIn(path, held);
    },
    hold: (path) => void fresh.add(path),
    holdNames(dir) {
      if (!dirs.has(dir)) count(dir, 1);
      dirs.add(dir);
    },
    release(released) {
      settle();
      for (const path of released) if (held.delete(path)) count(path, -1);
    },
  };
}
