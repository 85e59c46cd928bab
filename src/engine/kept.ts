// What is not accepted before something else is, as long as this process lives: a new one compares everything.
import type { BytePath } from '../domain/path.ts';

export interface Kept {
  readonly path: BytePath;
  /** What has to be accepted before it. */
  readonly first: BytePath;
}

export interface KeptDrift {
  /** To be told of all that is kept and accepted; returns the paths that may be accepted by now. */
  note(kept: readonly Kept[], accepted: readonly BytePath[]): BytePath[];
}

export function trackKeptDrift(): KeptDrift {
  const waiting = new Map<BytePath, Set<BytePath>>();
  return {
    note(kept, accepted) {
      for (const { path, first } of kept) {
        const paths = waiting.get(first) ?? new Set();
        waiting.set(first, paths.add(path));
      }
      if (waiting.size === 0) return [];
      return accepted.flatMap((key) => {
        const paths = [...(waiting.get(key) ?? [])];
        waiting.delete(key);
        return paths;
      });
    },
  };
}
