// What the runs of a hook were given to read: a run that comes between a change and its undoing has read a state of which no
// record will tell.
import type { Dirty } from '../domain/dirty.ts';
import { type BytePath, isWithin, lineage } from '../domain/path.ts';

export interface GivenPaths {
  /** Runs of an earlier process, of which nothing is known, have read whatever was there until a run of this one has ended. */
  recalled(): void;
  /** A run begins; `nowMs` is of the monotonic clock, `wallMs` since the epoch. To be called with the time of its end. */
  started(paths: readonly BytePath[], nowMs: number, wallMs: number): (nowMs: number) => void;
  /** The paths that a run may have read while they were otherwise than now. */
  readMeanwhile(dirty: Dirty, options: ReadOptions): readonly BytePath[];
  /** Whether a run may have read what was there for a while and is not any more; it came at most `agoMs` ago. */
  mayHaveRead(path: BytePath, nowMs: number, agoMs: number): boolean;
}

export interface ReadOptions {
  /** Of what is there now. */
  readonly ctimeNs: bigint | undefined;
  /**
   * Of what a run was given the program reads everything, and makes the directories above it, too. Asked only when there was
   * a run: most dirty paths are looked at without one.
   */
  readonly around: () => boolean;
}

interface Given {
  /** Sorted bytewise. */
  readonly paths: readonly BytePath[];
  readonly startWallMs: number;
  endMs: number;
}

/** An event may be read this much later than what it tells of: the machine may be busy. */
const LAG_MS = 3_000;
/** Where it must not make a program start itself again and again (echo.ts). */
const OWN_LAG_MS = 1_000;
/** The kernel's clock for times of files ticks up to 100 times a second only, behind the other. */
const TICK_MS = 20;
/** How long runs are remembered: as long as a path is dirty, with any sensible deadline. */
export const REMEMBER_MS = 60_000;
/** Of all runs that have ended and are remembered. */
const PATHS_MAX = 500_000;

export function trackGivenPaths(): GivenPaths {
  const runs: Given[] = [];
  /** Until then runs of an earlier process may have read anything, and runs that are forgotten. */
  let earlierMs = Number.NEGATIVE_INFINITY;
  let forgottenMs = Number.NEGATIVE_INFINITY;
  const forget = (nowMs: number): void => {
    let count = 0;
    for (const run of [...runs].reverse().filter(({ endMs }) => endMs < Number.POSITIVE_INFINITY)) {
      count += run.paths.length;
      if (count <= PATHS_MAX && run.endMs >= nowMs - REMEMBER_MS) continue;
      runs.splice(runs.indexOf(run), 1);
      forgottenMs = Math.max(forgottenMs, run.endMs);
    }
  };
  return {
    recalled() {
      earlierMs = Number.POSITIVE_INFINITY;
    },
    started(paths, nowMs, wallMs) {
      forget(nowMs);
      const run: Given = { paths, startWallMs: wallMs, endMs: Number.POSITIVE_INFINITY };
      runs.push(run);
      return (endMs) => {
        run.endMs = endMs;
        earlierMs = Math.min(earlierMs, endMs);
      };
    },
    readMeanwhile(dirty, options) {
      const { ctimeNs } = options;
      const isLate = (endMs: number): boolean => endMs >= dirty.sinceMs - LAG_MS;
      if (!isLate(forgottenMs) && !runs.some(({ endMs }) => isLate(endMs))) return [];
      const around = options.around();
      // What was there before the run began, and still is, is what the run has read.
      const isOlder = (wallMs: number): boolean =>
        !dirty.subtree && ctimeNs !== undefined && Number(ctimeNs / 1_000_000n) < wallMs - TICK_MS;
      const fromMs = dirty.sinceMs - (around ? LAG_MS : OWN_LAG_MS);
      const meanwhile = runs.filter(({ endMs, startWallMs }) => endMs >= fromMs && !isOlder(startWallMs));
      const given = meanwhile.flatMap(({ paths }) => [...pathsAt(paths, dirty)]);
      const isNear = around && (forgottenMs >= fromMs || meanwhile.some(({ paths }) => isAround(paths, dirty.path)));
      return [...new Set(isNear ? [dirty.path, ...given] : given)];
    },
    mayHaveRead(path, nowMs, agoMs) {
      // The wall clock may have been set meanwhile.
      if (agoMs < 0 || agoMs > REMEMBER_MS - LAG_MS) return true;
      const fromMs = nowMs - REMEMBER_MS;
      if (fromMs <= Math.max(earlierMs, forgottenMs)) return true;
      return runs.some(({ paths, endMs }) => endMs >= fromMs && isAround(paths, path));
    },
  };
}

/** Whether the path, something above it or something below it is among them. */
function isAround(sorted: readonly BytePath[], path: BytePath): boolean {
  const isGiven = (one: BytePath): boolean => sorted[placeOf(sorted, one)] === one;
  const below = `${path}/` as BytePath;
  return lineage(path).some(isGiven) || sorted[placeOf(sorted, below)]?.startsWith(below) === true;
}

function* pathsAt(sorted: readonly BytePath[], { path, subtree }: Dirty): Generator<BytePath> {
  // Names such as `path-x` sort between a directory and what is in it.
  for (let at = placeOf(sorted, path); at < sorted.length; at += 1) {
    const given = sorted[at];
    if (given === undefined || !given.startsWith(path)) return;
    if (given === path || (subtree && isWithin(given, path))) yield given;
    else if (!subtree) return;
  }
}

/** Where it is, or would be. */
function placeOf(sorted: readonly BytePath[], path: BytePath): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? path) < path) low = middle + 1;
    else high = middle;
  }
  return low;
}
