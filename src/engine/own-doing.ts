// What a hook did itself must not start that hook again: the processes of its runs, remembered for as long as their events
// may still be under way.
import type { Actor } from '../domain/actor.ts';
import type { StartedProgram } from './ports/hook-runner.ts';

export interface OwnRuns {
  /** `depth`: how many runs led to this one. `sinceMs`: when it began, before any program of it did (`Clock.bootMs`). */
  started(program: StartedProgram, depth: number, sinceMs: number): void;
  /** What the program has left behind is gone, too. Times of both clocks. */
  ended(program: StartedProgram, at: { readonly nowMs: number; readonly bootMs: number }): void;
  /**
   * When every one of the actors is a process of a run, or a descendant of one: the largest depth of those runs. Otherwise
   * undefined.
   */
  causedAt(actors: readonly Actor[], nowMs: number): number | undefined;
}

/** Longer than any sensible deadline of a batch. */
const REMEMBER_MS = 60_000;
/** Starts of processes are rounded down to this. */
const TICK_MS = 10;

interface Known {
  readonly depth: number;
  untilMs: number;
  /** Since boot: processes of the run have begun between these two. */
  readonly sinceBootMs: number;
  untilBootMs: number;
}

export function trackOwnRuns(): OwnRuns {
  // Names of cgroups are not given twice, and whoever is in one can leave neither its children nor, unlike its parents, it.
  const cgroups = new Map<string, Known>();
  // Pids are, and soon where there are few (pid_max of a container): somebody who has one later has begun later.
  const pids = new Map<number, Known>();
  const depthOf = ({ pid, ppids = [], cgroup, startedMs }: Actor): number | undefined => {
    const inside = cgroup?.split('/').map((name) => cgroups.get(name)) ?? [];
    const ids = pid === undefined ? [] : [pid, ...ppids];
    const below = ids.map((id) => pids.get(id)).filter((run) => run !== undefined && beganWithin(run, startedMs));
    return [...inside, ...below].find((run) => run !== undefined)?.depth;
  };
  return {
    started({ pid, cgroup }, depth, sinceMs) {
      const run = { depth, untilMs: FOREVER, sinceBootMs: sinceMs - TICK_MS, untilBootMs: FOREVER };
      pids.set(pid, run);
      if (cgroup !== undefined) cgroups.set(cgroup, run);
    },
    ended({ pid, cgroup = '' }, { nowMs, bootMs }) {
      for (const run of [pids.get(pid), cgroups.get(cgroup)]) {
        if (run === undefined) continue;
        run.untilMs = nowMs + REMEMBER_MS;
        run.untilBootMs = bootMs;
      }
    },
    causedAt(actors, nowMs) {
      forget(pids, nowMs);
      forget(cgroups, nowMs);
      if (pids.size + cgroups.size === 0 || actors.length === 0) return undefined;
      const depths = actors.map(depthOf);
      return depths.every((depth) => depth !== undefined) ? Math.max(...depths) : undefined;
    },
  };
}

const FOREVER = Number.POSITIVE_INFINITY;

function forget(runs: Map<unknown, Known>, nowMs: number): void {
  for (const [id, { untilMs }] of runs) if (untilMs < nowMs) runs.delete(id);
}

/** Of who was gone before it could be asked when it began, the pid has to do. */
function beganWithin({ sinceBootMs, untilBootMs }: Known, startedMs: number | undefined): boolean {
  return startedMs === undefined || (sinceBootMs <= startedMs && startedMs <= untilBootMs);
}
