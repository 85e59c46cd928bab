// What is freed goes back to the system.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { keepLittleFreeMemory } from '../../../src/libc/allocator.ts';

test('glibc takes the limits; another C library is left alone', () => {
  const isGlibc = readFileSync('/proc/self/maps', 'latin1').includes('/libc.so.6');
  expect(keepLittleFreeMemory()).toBe(isGlibc);
});
