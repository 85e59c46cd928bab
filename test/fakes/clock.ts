// Time that moves only when a test says so.
import type { Clock } from '../../src/engine/ports/clock.ts';

export interface ManualClock extends Clock {
  /** Moves time, waking sleepers in order, and lets everything that follows from it happen. */
  advance(ms: number): Promise<void>;
  /** Sets the wall clock: no time passes. */
  step(ms: number): void;
}

export function createManualClock(): ManualClock {
  let nowMs = 1_000_000;
  let wallMs = 1_700_000_000_000;
  const sleepers = new Set<{ readonly untilMs: number; readonly wake: () => void }>();
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    nowMs: () => wallMs + nowMs,
    nowNs: () => BigInt(wallMs + nowMs) * 1_000_000n,
    monotonicMs: () => nowMs,
    bootMs: () => nowMs,
    step(ms) {
      wallMs += ms;
    },
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) {
          resolve();
          return;
        }
        const sleeper = {
          untilMs: nowMs + ms,
          wake: () => {
            sleepers.delete(sleeper);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', sleeper.wake, { once: true });
      }),
    async advance(ms) {
      await settle();
      const endMs = nowMs + ms;
      for (;;) {
        const next = [...sleepers].sort((a, b) => a.untilMs - b.untilMs)[0];
        if (next === undefined || next.untilMs > endMs) break;
        nowMs = Math.max(nowMs, next.untilMs);
        next.wake();
        await settle();
      }
      nowMs = endMs;
      await settle();
    },
  };
}
