// What a hook did itself must not start that hook again: the processes of its runs, remembered for as long as their events
// may still be under way.
import type { Actor } from '../domain/actor.ts';
import type { StartedProgram } from './ports/hook-runner.ts';

export interface OwnRuns {
  /** `depth`: how many runs led to this one. */
  started(program: StartedProgram, depth: number): void;
  ended(program: StartedProgram, nowMs: number): void;
  /**
   * When every one of the actors is a process of a run, or a descendant of one: the largest depth of those runs. Otherwise
   * undefined.
   */
  causedAt(actors: readonly Actor[], nowMs: number): number | undefined;
}

/** Longer than any sensible deadline of a batch, shorter than the kernel takes to give a pid to somebody else. */
const REMEMBER_MS = 60_000;

interface Known {
  readonly depth: number;
  untilMs: number;
}

export function trackOwnRuns(): OwnRuns {
  // Names of cgroups are not given twice, and whoever is in one can leave neither its children nor, unlike its parents, it.
  const known = new Map<number | string, Known>();
  const depthOf = ({ pid, ppids = [], cgroup }: Actor): number | undefined => {
    const names = cgroup?.split('/') ?? [];
    const ids = pid === undefined ? [] : [pid, ...ppids];
    return [...names, ...ids].map((one) => known.get(one)?.depth).find((depth) => depth !== undefined);
  };
  return {
    started({ pid, cgroup }, depth) {
      for (const id of cgroup === undefined ? [pid] : [pid, cgroup]) {
        known.set(id, { depth, untilMs: Number.POSITIVE_INFINITY });
      }
    },
    ended({ pid, cgroup }, nowMs) {
      for (const id of cgroup === undefined ? [pid] : [pid, cgroup]) {
        const entry = known.get(id);
        if (entry !== undefined) entry.untilMs = nowMs + REMEMBER_MS;
      }
    },
    causedAt(actors, nowMs) {
      for (const [id, { untilMs }] of known) if (untilMs < nowMs) known.delete(id);
      if (known.size === 0 || actors.length === 0) return undefined;
      const depths = actors.map(depthOf);
      return depths.every((depth) => depth !== undefined) ? Math.max(...depths) : undefined;
    },
  };
}
