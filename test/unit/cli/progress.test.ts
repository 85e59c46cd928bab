import { expect, test } from 'vitest';
import { progressLine } from '../../../src/cli/progress.ts';

test('progressLine shows share, rate and time left when the number of entries is known', () => {
  const line = progressLine('check', { entries: 5000, bytes: 10 * 1024 * 1024, expected: 20_000, elapsedMs: 1000 });
  expect(line).toBe('check [######..................]  25 %  5,000 entries  5,000/s  10.0 MiB/s  3.0 s left');
});

test('progressLine counts when nobody knows how many there are', () => {
  expect(progressLine('init', { entries: 1, bytes: 0, expected: undefined, elapsedMs: 0 })).toBe(
    'init  1 entries  0 B  1,000/s  0 B/s',
  );
});

test('progressLine never shows more than all', () => {
  expect(progressLine('check', { entries: 30, bytes: 0, expected: 20, elapsedMs: 10 })).toContain('100 %');
});
