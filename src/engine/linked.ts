// Changes of inodes that have, or may have, other names than the one that an event told: all of them are put in doubt. While
// the baseline's inodes are being taken in, which a large one takes a while for and nothing else waits for, those changes wait.
import type { Actor } from '../domain/actor.ts';
import { addTo } from '../domain/gather.ts';
import type { BytePath } from '../domain/path.ts';
import type { InodeNames } from './inode-names.ts';

export interface Linked {
  /** The inodes changed; of several that did it while one waits the last is named. */
  tell(inodeKeys: readonly number[], actor: Actor): void;
  /** Takes in the baseline, once more when there was no room left, and then puts in doubt what waits; until the signal aborts. */
  fill(signal: AbortSignal): Promise<void>;
  /** How many inodes wait. */
  readonly waiting: number;
}

/** Told between two looks at what else there is to do. */
const STEP_INODES = 4_096;

/** `doubt`: some name of the inode. */
export function openLinked(names: InodeNames, doubt: (path: BytePath, actor: Actor) => void): Linked {
  const waiting = new Map<number, Actor>();
  let isFilled = false;
  const tell: Linked['tell'] = (inodeKeys, actor) => {
    if (isFilled && !names.isCrowded) for (const path of names.namesOf(inodeKeys)) doubt(path, actor);
    else for (const key of inodeKeys) waiting.set(key, actor);
  };
  return {
    tell,
    async fill(signal) {
      isFilled = false;
      if (names.isCrowded) names.clear();
      await names.fill(signal);
      if (signal.aborted) return;
      isFilled = true;
      for (const [actor, keys] of byActor(waiting)) {
        for (let at = 0; at < keys.length; at += STEP_INODES) {
          // What waits is told when it was filled again.
          if (signal.aborted || names.isCrowded || !isFilled) return;
          const step = keys.slice(at, at + STEP_INODES);
          tell(step, actor);
          for (const key of step) waiting.delete(key);
          await new Promise(setImmediate);
        }
      }
    },
    get waiting() {
      return waiting.size;
    },
  };
}

/** Each batch of events has actors of its own: those that say the same are one. */
function byActor(waiting: ReadonlyMap<number, Actor>): ReadonlyMap<Actor, readonly number[]> {
  const known = new Map<string, Actor>();
  const keys = new Map<Actor, number[]>();
  for (const [key, actor] of waiting) {
    const text = JSON.stringify(actor);
    const same = known.get(text) ?? actor;
    known.set(text, same);
    addTo(keys, same, key);
  }
  return keys;
}
