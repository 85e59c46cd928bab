// What is under way and has to end before anything else of the same paths begins: what came later would overtake it.
import { type BytePath, hasAncestorIn, lineage } from '../domain/path.ts';

/** Of each path also what is above it and below it. */
export interface HeldPaths {
  readonly holds: (path: BytePath) => boolean;
  /** They are under way no more. */
  release(paths: Iterable<BytePath>): void;
}

export function holdPaths(paths: Iterable<BytePath>): HeldPaths {
  const held = new Set(paths);
  /** How many of the held paths are at or below it. */
  const above = new Map<BytePath, number>();
  const count = (path: BytePath, step: 1 | -1): void => {
    for (const at of lineage(path)) {
      const now = (above.get(at) ?? 0) + step;
      if (now === 0) above.delete(at);
      else above.set(at, now);
    }
  };
  for (const path of held) count(path, 1);
  return {
    holds: (path) => above.has(path) || hasAncestorIn(path, held),
    release(released) {
      for (const path of released) if (held.delete(path)) count(path, -1);
    },
  };
}
