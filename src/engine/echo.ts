// Changes that came while the command ran, by somebody who was gone before anybody could look: the command's own child, or a
// stranger. They begin one run more, and from then on wait for a change that is certain: a command cannot keep itself going.
import type { Actor } from '../domain/actor.ts';
import type { Dirty } from '../domain/dirty.ts';
import type { BytePath } from '../domain/path.ts';

export interface Echoes {
  /** Times are of the monotonic clock. */
  started(nowMs: number): void;
  ended(nowMs: number): void;
  /** Nobody but runs (`isOwn`) and unseen processes can have done it. */
  isDoubtful(dirty: Dirty, isOwn: (actors: readonly Actor[]) => boolean): boolean;
  /** What is to be delivered now; `held`: how many paths begin to wait. */
  admit(sure: Iterable<BytePath>, doubtful: Iterable<BytePath>): { readonly paths: BytePath[]; readonly held: number };
}

/** An event may be read this much later than what it tells of: the machine may be busy. */
const LAG_MS = 1_000;

export function trackEchoes(): Echoes {
  const waiting = new Set<BytePath>();
  let lastEndMs = Number.NEGATIVE_INFINITY;
  let wasDoubtful = false;
  return {
    started: () => {
      lastEndMs = Number.POSITIVE_INFINITY;
    },
    ended: (nowMs) => {
      lastEndMs = nowMs;
    },
    isDoubtful({ actors, sinceMs }, isOwn) {
      // A process that was gone when its parents were asked for may be anybody's.
      const seen = actors.filter(({ ppids }) => ppids !== undefined);
      return lastEndMs >= sinceMs - LAG_MS && (seen.length === 0 || isOwn(seen));
    },
    admit(sure, doubtful) {
      const paths = new Set(sure);
      const isCertain = paths.size > 0;
      const before = waiting.size;
      for (const path of doubtful) (isCertain || !wasDoubtful ? paths : waiting).add(path);
      if (paths.size === 0) return { paths: [], held: waiting.size - before };
      for (const path of waiting) paths.add(path);
      waiting.clear();
      wasDoubtful = !isCertain;
      return { paths: [...paths], held: 0 };
    },
  };
}
