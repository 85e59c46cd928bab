// What a hook did itself must not start that hook again: the processes of its runs, remembered for as long as their events
// may still be under way.
import type { Actor } from '../domain/actor.ts';

export interface OwnRuns {
  started(pid: number): void;
  ended(pid: number, nowMs: number): void;
  /** Whether every one of the actors is a process of a run, or a descendant of one. */
  caused(actors: readonly Actor[], nowMs: number): boolean;
}

/** Longer than any sensible deadline of a batch, shorter than the kernel takes to give a pid to somebody else. */
const REMEMBER_MS = 60_000;

export function trackOwnRuns(): OwnRuns {
  const untilMs = new Map<number, number>();
  return {
    started: (pid) => {
      untilMs.set(pid, Number.POSITIVE_INFINITY);
    },
    ended: (pid, nowMs) => {
      untilMs.set(pid, nowMs + REMEMBER_MS);
    },
    caused(actors, nowMs) {
      for (const [pid, until] of untilMs) if (until < nowMs) untilMs.delete(pid);
      const isOurs = ({ pid, ppids = [] }: Actor): boolean =>
        pid !== undefined && [pid, ...ppids].some((one) => untilMs.has(one));
      return untilMs.size > 0 && actors.length > 0 && actors.every(isOurs);
    },
  };
}
