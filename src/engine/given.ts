// What the runs of a hook were given to read: a run that comes between a change and its undoing has read a state of which no
// record will tell.
import type { Dirty } from '../domain/dirty.ts';
import { type BytePath, isWithin } from '../domain/path.ts';

export interface GivenPaths {
  /** A run begins; `nowMs` is of the monotonic clock, `wallMs` since the epoch. To be called with the time of its end. */
  started(paths: readonly BytePath[], nowMs: number, wallMs: number): (nowMs: number) => void;
  /**
   * The paths at the dirty one, below it when all of that is in doubt, that a run was given which was going on since the
   * path was put in doubt: it may have read something else than what is there now. `ctimeNs`: of what is there now.
   */
  readMeanwhile(dirty: Dirty, ctimeNs: bigint | undefined): readonly BytePath[];
}

interface Given {
  /** Sorted bytewise. */
  readonly paths: readonly BytePath[];
  readonly startWallMs: number;
  endMs: number;
}

/** An event may be read this much later than what it tells of: the machine may be busy. */
const LAG_MS = 1_000;
/** The kernel's clock for times of files ticks up to 100 times a second only, behind the other. */
const TICK_MS = 20;
/** As long as a path is dirty, with any sensible deadline. */
const REMEMBER_MS = 60_000;
const RUNS_MAX = 16;

export function trackGivenPaths(): GivenPaths {
  let runs: Given[] = [];
  return {
    started(paths, nowMs, wallMs) {
      runs = runs.filter(({ endMs }) => endMs >= nowMs - REMEMBER_MS).slice(-(RUNS_MAX - 1));
      const run: Given = { paths, startWallMs: wallMs, endMs: Number.POSITIVE_INFINITY };
      runs.push(run);
      return (endMs) => {
        run.endMs = endMs;
      };
    },
    readMeanwhile(dirty, ctimeNs) {
      // What was there before the run began, and still is, is what the run has read.
      const isOlder = (wallMs: number): boolean =>
        !dirty.subtree && ctimeNs !== undefined && Number(ctimeNs / 1_000_000n) < wallMs - TICK_MS;
      const meanwhile = runs.filter(
        ({ endMs, startWallMs }) => endMs >= dirty.sinceMs - LAG_MS && !isOlder(startWallMs),
      );
      return [...new Set(meanwhile.flatMap(({ paths }) => [...pathsAt(paths, dirty)]))];
    },
  };
}

function* pathsAt(sorted: readonly BytePath[], { path, subtree }: Dirty): Generator<BytePath> {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? path) < path) low = middle + 1;
    else high = middle;
  }
  // Names such as `path-x` sort between a directory and what is in it.
  for (let at = low; at < sorted.length; at += 1) {
    const given = sorted[at];
    if (given === undefined || !given.startsWith(path)) return;
    if (given === path || (subtree && isWithin(given, path))) yield given;
    else if (!subtree) return;
  }
}
