// Amounts of data per second as people write them.

const UNIT_BYTES: Readonly<Record<string, number>> = {
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** `50MB/s`, `1.5 GiB/s`; `/s` may be left out. */
export const RATE_PATTERN = /^\d{1,6}(?:\.\d{1,3})? ?(?:kB|[KMG]B|[KMG]iB)(?:\/s)?$/;

/** Bytes per second, 1024 at least; undefined when the text is no such rate. */
export function parseRate(text: string): number | undefined {
  if (!RATE_PATTERN.test(text)) return undefined;
  const [, count = '', unit = ''] = /^([\d.]+) ?([A-Za-z]+)/.exec(text) ?? [];
  const bytes = Math.round(Number(count) * (UNIT_BYTES[unit] ?? 0));
  return bytes >= 1024 ? bytes : undefined;
}
