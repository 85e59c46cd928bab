import { expect, test } from 'vitest';
import { parseRate } from '../../../src/config/rate.ts';

test.for([
  ['50MB/s', 50_000_000],
  ['50 MB', 50_000_000],
  ['1.5GiB/s', 1.5 * 1024 ** 3],
  ['100kB/s', 100_000],
  ['1KiB/s', 1024],
] as const)('%s is %i bytes per second', ([text, expected]) => expect(parseRate(text)).toBe(expected));

test.for(['', '50', '50M', 'MB/s', '-1MB/s', '1e3MB/s', '0MB/s', '1KB/s', '50MB/m', '50MB/s '])(
  '%j is no rate',
  (text) => expect(parseRate(text)).toBeUndefined(),
);
