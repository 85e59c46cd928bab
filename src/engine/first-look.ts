// What is there when a run on change begins, so that already the first rewriting with equal bytes is none. A help, not a
// condition: events are taken meanwhile, and whatever it does not get to counts as changed when it is dirty.

import { recordCtimeNs, recordName, recordOffsets } from '../domain/packed.ts';
import { joinPath } from '../domain/path.ts';
import { NO_PRINT, printOf } from '../domain/print.ts';
import type { LookParts } from './look.ts';
import type { Clock } from './ports/clock.ts';
import { walkRoots } from './roots.ts';

export interface FirstLookParts extends LookParts {
  readonly clock: Clock;
}

/** Reading goes on for so long at most: then a tree is too large to be known, and that has to do. */
const FIRST_LOOK_MS = 10_000;
/** The kernel's clock for times of files ticks up to 100 times a second only, behind the other. */
const TICK_MS = 20;
/** The wall clock was set meanwhile: nothing follows from ctime. */
const STEP_MS = 500;

/**
 * To be called when the marks are set. What has changed since then may have been read before or after its change, so only
 * what is older counts as known. Returns whether everything is known.
 */
export async function firstLook(parts: FirstLookParts, signal: AbortSignal): Promise<boolean> {
  const { clock, disk, scope, seen, hash } = parts;
  const [sinceMs, offsetMs] = [clock.nowMs() - TICK_MS, clock.nowMs() - clock.monotonicMs()];
  const ended = new AbortController();
  const enough = AbortSignal.any([signal, ended.signal]);
  void clock.sleep(FIRST_LOOK_MS, enough).then(() => ended.abort());
  let isWhole = true;
  try {
    for await (const { dir, records, failed } of disk.walk(walkRoots(scope, []), { signal: enough })) {
      if (failed !== 0) isWhole = false;
      const wasSet = Math.abs(clock.nowMs() - clock.monotonicMs() - offsetMs) > STEP_MS;
      for (const at of recordOffsets(records)) {
        const isOlder = !wasSet && Number(recordCtimeNs(records, at) / 1_000_000n) < sinceMs;
        seen.learn(joinPath(dir, recordName(records, at)), isOlder ? printOf(hash, records, at) : NO_PRINT);
      }
    }
  } catch (error) {
    // The walk's way to say that it was stopped.
    if (!enough.aborted || error !== enough.reason) throw error;
    isWhole = false;
  }
  ended.abort();
  seen.learned(isWhole);
  return seen.isComplete;
}
