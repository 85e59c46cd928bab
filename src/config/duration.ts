// Lengths of time as people write them.

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `200ms`, `5s`, `1h 30m`: whole numbers, each with its unit. */
export const DURATION_PATTERN = /^\d{1,10}(?:ms|s|m|h|d)(?: ?\d{1,10}(?:ms|s|m|h|d))*$/;
export const BACKOFF_PATTERN = /^\d{1,10}(?:ms|s|m|h|d)\.\.\d{1,10}(?:ms|s|m|h|d)$/;

/** Timers of Node hold 31 bits of milliseconds (setTimeout fires at once beyond that). */
export const DURATION_MAX_MS = 2 ** 31 - 1;

/** Milliseconds, or undefined when the text is not a duration or longer than timers can hold (24 days). */
export function parseDuration(text: string): number | undefined {
  return parseDurationUpTo(DURATION_MAX_MS, text);
}

/** The same with another limit, for what no timer waits for. */
export function parseDurationUpTo(maxMs: number, text: string): number | undefined {
  if (!DURATION_PATTERN.test(text)) return undefined;
  let totalMs = 0;
  for (const [, count = '', unit = ''] of text.matchAll(/(\d+)(ms|s|m|h|d)/g))
    totalMs += Number(count) * (UNIT_MS[unit] ?? 0);
  return totalMs <= maxMs ? totalMs : undefined;
}

/** `1s..5m`: the first wait and the longest one. */
export function parseBackoff(text: string): { readonly minMs: number; readonly maxMs: number } | undefined {
  const [minMs, maxMs] = BACKOFF_PATTERN.test(text) ? text.split('..').map(parseDuration) : [];
  return minMs === undefined || maxMs === undefined || minMs < 1 || minMs > maxMs ? undefined : { minMs, maxMs };
}
