// A path that may not be as it was.
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

/** What is to be looked at, whoever did it. */
export type Doubt = Pick<Dirty, 'path' | 'subtree'>;

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
