// How long nobody watched: from the last sign of life of the watch before this one, which is the time of the lock's file.
import type { Gap, GapCause } from '../domain/coverage.ts';
import type { Journal } from '../engine/ports/store.ts';
import type { Lock } from '../libc/lock.ts';
import { isRecord } from './control-protocol.ts';

/** The most that a gap after a kill is too long. */
const BEAT_MS = 10_000;
/** How far before the last sign of life the journal is searched for how the watch ended. */
const SEARCH_MS = 60_000;

/** `touchedMs`: of the lock, before this watch's own first sign of life. */
export function downtimeOf(journal: Journal, touchedMs: number, nowMs: number): Gap {
  // Whoever sets the clock back makes no negative gap.
  const fromMs = Math.min(touchedMs, nowMs);
  return { cause: causeOf(stageAt(journal, fromMs)), fromMs, toMs: nowMs };
}

/** The watch that ran last, of which no trace is left: when it was seen last. Undefined when it ended as it should, or never began. */
export function killedAt(journal: Journal, touchedMs: number, nowMs: number): number | undefined {
  const fromMs = Math.min(touchedMs, nowMs);
  return stageAt(journal, fromMs) === 'start' ? fromMs : undefined;
}

const CAUSES: Readonly<Record<string, GapCause>> = { init: 'unwatched', stop: 'stopped' };

function causeOf(stage: string | undefined): GapCause {
  return CAUSES[stage ?? ''] ?? 'killed';
}

/** What the watch did last that gave its last sign of life then. */
function stageAt(journal: Journal, atMs: number): string | undefined {
  // If nothing about that time: it began long before; or the file is a copy, whose time says nothing.
  return lastStage(journal, atMs - SEARCH_MS) ?? lastStage(journal, 0);
}

function lastStage(journal: Journal, sinceMs: number): string | undefined {
  let last: string | undefined;
  for (const { record } of journal.read(Math.max(0, sinceMs))) {
    const value: unknown = JSON.parse(record);
    const type = isRecord(value) ? value['type'] : undefined;
    if (type === 'init' || type === 'start' || type === 'stop') last = type;
  }
  return last;
}

/** Signs of life from now on; the last one at the stop. */
export function startHeartbeat(lock: Lock): { stop(): void } {
  const beat = (): void => {
    try {
      lock.touch();
    } catch {
      // A file system that takes no times (read-only by now): the next gap is told longer than it was.
    }
  };
  beat();
  const timer = setInterval(beat, BEAT_MS).unref();
  return {
    stop() {
      clearInterval(timer);
      beat();
    },
  };
}
