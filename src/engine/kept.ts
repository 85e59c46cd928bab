// What is not accepted before something else is. A process that begins looks at all open drift anyway.
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

/** More wait for a sweep. */
const KEPT_MAX = 100_000;

export function trackKeptDrift(): KeptDrift {
  const waiting = new Map<BytePath, Set<BytePath>>();
  let count = 0;
  const forgetOldest = (): void => {
    const [oldest] = waiting;
    if (oldest === undefined) return;
    waiting.delete(oldest[0]);
    count -= oldest[1].size;
  };
  return {
    note(kept, accepted) {
      for (const { path, first } of kept) {
        const paths = waiting.get(first) ?? new Set();
        if (paths.has(path)) continue;
        waiting.set(first, paths.add(path));
        count += 1;
        if (count > KEPT_MAX) forgetOldest();
      }
      if (waiting.size === 0) return [];
      return accepted.flatMap((key) => {
        const paths = [...(waiting.get(key) ?? [])];
        waiting.delete(key);
        count -= paths.length;
        return paths;
      });
    },
  };
}
