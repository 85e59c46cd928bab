// The engine's clock.
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../engine/ports/clock.ts';
import { boottimeNs, realtimeNs } from '../libc/time.ts';

/** A timer of more than 2^31 - 1 ms fires at once in Node. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  nowNs: realtimeNs,
  monotonicMs: () => performance.now(),
  bootMs: () => Number(boottimeNs()) / 1e6,
  async sleep(ms, signal) {
    try {
      await delay(Math.max(0, Math.min(ms, MAX_TIMER_MS)), undefined, signal === undefined ? {} : { signal });
    } catch {
      // Only an abort rejects: the sleeper asked to be woken.
    }
  },
};
