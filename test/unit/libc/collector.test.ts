// Garbage is collected when it is asked for.
import { expect, test } from 'vitest';
import { openCollector } from '../../../src/libc/collector.ts';

const MiB = 1024 * 1024;

/** Arrays that nobody has. */
function litter(): void {
  for (let made = 0; made < 32; made += 1) new Uint8Array(MiB).fill(1);
}

const arraysMiB = (): number => process.memoryUsage().arrayBuffers / MiB;

test.each(['young', 'all'] as const)('memory of arrays that are garbage: %s', async (kind) => {
  const collector = openCollector();
  collector.all();
  // Arrays are freed by a thread of their own.
  await expect.poll(arraysMiB, { timeout: 60_000 }).toBeLessThan(16);
  litter();
  expect(arraysMiB()).toBeGreaterThan(24);
  collector[kind]();
  await expect.poll(arraysMiB, { timeout: 60_000 }).toBeLessThan(16);
});
