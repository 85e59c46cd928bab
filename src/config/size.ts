// Amounts of memory as people write them.

const UNIT_BYTES: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

export const SIZE_PATTERN = /^\d{1,9} ?(?:[KMG]iB)$/;

/** `512MiB`, `2 GiB`, in bytes; undefined when it is no such amount or less than 1 MiB. */
export function parseSize(text: string): number | undefined {
  if (!SIZE_PATTERN.test(text)) return undefined;
  const [, count = '', unit = ''] = /^(\d+) ?([A-Za-z]+)$/.exec(text) ?? [];
  const bytes = Number(count) * (UNIT_BYTES[unit] ?? 0);
  return bytes >= 2 ** 20 ? bytes : undefined;
}
