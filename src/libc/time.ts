// The wall clock in nanoseconds: clock_gettime(2).
import { checked, declare } from './native.ts';

const clockGettime = declare<(clock: number, timespec: Buffer) => number>(
  'int clock_gettime(int clock, void *timespec)',
);
const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;

/** Nanoseconds since the epoch. */
export function realtimeNs(): bigint {
  return readClock(CLOCK_REALTIME);
}

/** Nanoseconds of CLOCK_MONOTONIC, which systemd wants with RELOADING=1 (sd_notify(3)). */
export function monotonicNs(): bigint {
  return readClock(CLOCK_MONOTONIC);
}

function readClock(clock: number): bigint {
  const timespec = Buffer.alloc(16);
  checked(clockGettime(clock, timespec), 'clock_gettime');
  return timespec.readBigInt64LE(0) * 1_000_000_000n + timespec.readBigInt64LE(8);
}
