// Logs that are drift and become longer: what is appended is not told each time, but once more when that seems to be over, so
// that whoever was told of the half of a file hears of the whole.
import { type Dirty, mergeDirty } from '../domain/dirty.ts';
import type { BytePath } from '../domain/path.ts';
import type { Attributed } from './attribution.ts';
import type { Clock } from './ports/clock.ts';

export interface StillGrowing {
  /** Something was appended since it was told. Returns it, with all who did that, when it is to be told now. */
  appended(found: Attributed): Attributed | undefined;
  /** What was read, and is nothing of the kind. */
  forget(path: BytePath): void;
  /** What has to be read again by now. */
  takeDue(): Dirty[];
  /** In ms of the monotonic clock; infinite when nothing is left. */
  dueMs(): number;
}

/** Nothing was appended for so long. */
const QUIET_MS = 60_000;
/** Of more files everything is told. */
const FILES_MAX = 1_024;

interface Growing {
  dirty: Dirty;
  dueMs: number;
}

export function openStillGrowing(clock: Pick<Clock, 'monotonicMs'>): StillGrowing {
  const growing = new Map<BytePath, Growing>();
  return {
    appended({ drift, actors, hasOthers }) {
      const { path } = drift;
      const known = growing.get(path);
      const dirty = { path, subtree: false, actors, hasOthers, sinceMs: clock.monotonicMs() };
      const all = known === undefined ? dirty : mergeDirty(known.dirty, dirty);
      // Taken out, and read since.
      if (known?.dueMs === Number.POSITIVE_INFINITY || (known === undefined && growing.size >= FILES_MAX)) {
        growing.delete(path);
        return { drift, actors: all.actors, hasOthers: all.hasOthers };
      }
      growing.set(path, { dirty: all, dueMs: clock.monotonicMs() + QUIET_MS });
      return undefined;
    },
    forget: (path) => void growing.delete(path),
    takeDue() {
      const nowMs = clock.monotonicMs();
      const due = [...growing.values()].filter(({ dueMs }) => dueMs <= nowMs);
      for (const one of due) one.dueMs = Number.POSITIVE_INFINITY;
      return due.map(({ dirty }) => ({ ...dirty, sinceMs: nowMs }));
    },
    dueMs: () => Math.min(...[...growing.values()].map(({ dueMs }) => dueMs)),
  };
}
