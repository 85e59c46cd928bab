// Clocks in nanoseconds: clock_gettime(2).
import { checked, cString, declare } from './native.ts';

const clockGettime = declare<(clock: number, timespec: Buffer) => number>(
  'int clock_gettime(int clock, void *timespec)',
);
const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;
const CLOCK_BOOTTIME = 7;

/** Nanoseconds since the epoch. */
export function realtimeNs(): bigint {
  return readClock(CLOCK_REALTIME);
}

/** Nanoseconds of CLOCK_MONOTONIC, which systemd wants with RELOADING=1 (sd_notify(3)). */
export function monotonicNs(): bigint {
  return readClock(CLOCK_MONOTONIC);
}

/** Nanoseconds of CLOCK_BOOTTIME: field 22 of proc_pid_stat(5) is of this clock. */
export function boottimeNs(): bigint {
  return readClock(CLOCK_BOOTTIME);
}

function readClock(clock: number): bigint {
  const timespec = Buffer.alloc(16);
  checked(clockGettime(clock, timespec), 'clock_gettime');
  return timespec.readBigInt64LE(0) * 1_000_000_000n + timespec.readBigInt64LE(8);
}

const localtimeR = declare<(seconds: Buffer, tm: Buffer) => unknown>(
  'long localtime_r(const void *timep, void *result)',
);
const strftimeCall = declare<(into: Buffer, size: number, format: Buffer, tm: Buffer) => number>(
  'size_t strftime(void *s, size_t max, const void *format, const void *tm)',
);

/** struct tm of glibc and musl: 56 bytes. */
const TM_BYTES = 56;
const FORMATTED_BYTES = 4096;

/** strftime(3) of a local time; format and answer are latin1. Empty when the answer is longer than 4095 bytes. */
export function formatTime(format: string, epochNs: bigint): string {
  const [seconds, tm, into] = [Buffer.alloc(8), Buffer.alloc(TM_BYTES), Buffer.alloc(FORMATTED_BYTES)];
  seconds.writeBigInt64LE(epochNs / 1_000_000_000n);
  localtimeR(seconds, tm);
  const length = strftimeCall(into, FORMATTED_BYTES, cString(format), tm);
  return into.toString('latin1', 0, Number(length));
}
