// Times in records: RFC 3339, UTC, nanoseconds.

const SECOND_NS = 1_000_000_000n;

/** Nanoseconds since the epoch, e.g. `2026-11-21T02:23:58.000000001Z`; within the range of i64 (years 1677 to 2262). */
export function timeText(ns: bigint): string {
  const fraction = ((ns % SECOND_NS) + SECOND_NS) % SECOND_NS;
  const seconds = Number((ns - fraction) / SECOND_NS);
  return `${secondText(seconds)}.${String(fraction).padStart(9, '0')}Z`;
}

/** Milliseconds since the epoch, e.g. `2026-11-21T02:23:58.123Z`. */
export function timeTextMs(ms: number): string {
  return new Date(ms).toISOString();
}

/** Records of one batch have few seconds between them. */
const texts = new Map<number, string>();
const TEXTS_MAX = 1_000;

function secondText(seconds: number): string {
  const known = texts.get(seconds);
  if (known !== undefined) return known;
  const text = new Date(seconds * 1000).toISOString().slice(0, 19);
  if (texts.size >= TEXTS_MAX) texts.clear();
  texts.set(seconds, text);
  return text;
}
