// Times in records: RFC 3339, UTC, nanoseconds.

const SECOND_NS = 1_000_000_000n;

/** Nanoseconds since the epoch, e.g. `2026-11-21T02:23:58.000000001Z`; within the range of i64 (years 1677 to 2262). */
export function timeText(ns: bigint): string {
  const fraction = ((ns % SECOND_NS) + SECOND_NS) % SECOND_NS;
  const seconds = Number((ns - fraction) / SECOND_NS);
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(fraction).padStart(9, '0')}Z`;
}

/** Milliseconds since the epoch, e.g. `2026-11-21T02:23:58.123Z`. */
export function timeTextMs(ms: number): string {
  return new Date(ms).toISOString();
}
