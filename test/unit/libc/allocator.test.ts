// What is freed goes back to the system.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { trimAllocator } from '../../../src/libc/allocator.ts';

test('glibc is asked, each time; another C library is left alone', () => {
  const isGlibc = readFileSync('/proc/self/maps', 'latin1').includes('/libc.so.6');
  expect(trimAllocator()).toBe(isGlibc);
  expect(trimAllocator()).toBe(isGlibc);
});
