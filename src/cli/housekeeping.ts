// The memory of a daemon. Most of the time nothing happens, and what the busy times took is given back then.
import { getHeapStatistics } from 'node:v8';
import { trimAllocator } from '../libc/allocator.ts';
import { keepHeapsSmall, openCollector } from '../libc/collector.ts';

export interface Housekeeping {
  /** A piece of work was done: something read, compared, or committed. */
  step(): void;
  close(): void;
}

/** Fewer pieces leave nothing behind that is worth it. */
const STEPS_MIN = 64;
/** With fewer pieces in so long a time it is quiet; the disk's threads that end have ended by then (REST_MS of disk/disk.ts). */
const QUIET_MS = 8_000;
/** How often memory outside of the heap is looked at, and by how much it may grow until it is. */
const LOOK_STEPS = 16;
const OUTSIDE_BYTES = 8 * 1024 * 1024;

/** Everything is loaded by now. What starting took is given back, too, when it is quiet for the first time. */
export function openHousekeeping(): Housekeeping {
  keepHeapsSmall();
  const collector = openCollector();
  let steps = STEPS_MIN;
  let stepsThen = 0;
  let outsideBytes = 0;
  let timer: NodeJS.Timeout | undefined;

  const wait = (): void => {
    stepsThen = steps;
    timer = setTimeout(look, QUIET_MS).unref();
  };
  const look = (): void => {
    timer = undefined;
    if (steps - stepsThen >= STEPS_MIN) {
      wait();
      return;
    }
    steps = 0;
    collector.all();
    trimAllocator();
    outsideBytes = getHeapStatistics().external_memory;
  };
  wait();

  return {
    step() {
      steps += 1;
      if (timer === undefined && steps >= STEPS_MIN) wait();
      if (steps % LOOK_STEPS !== 0) return;
      // Memory of arrays is freed with them, but its size is no reason for V8 to look for those that are garbage.
      const nowBytes = getHeapStatistics().external_memory;
      // What was found to be garbage is freed by another thread, after the collection.
      outsideBytes = Math.min(outsideBytes, nowBytes);
      if (nowBytes - outsideBytes < OUTSIDE_BYTES) return;
      collector.young();
      outsideBytes = getHeapStatistics().external_memory;
    },
    close: () => clearTimeout(timer),
  };
}
