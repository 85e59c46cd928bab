// Signs of life stop with each part of a watch, not only with all of it.
import { expect, test } from 'vitest';
import { openHealth } from '../../../src/cli/health.ts';

function parts() {
  const now = { reader: 0, bytes: 0, steps: 0, isBusy: false };
  const isHealthy = openHealth({
    reader: () => now.reader,
    bytesHashed: () => now.bytes,
    steps: () => now.steps,
    isBusy: () => now.isBusy,
  });
  return { now, isHealthy };
}

test('a reader that stands still is no sign of life, whatever else goes on', () => {
  const { now, isHealthy } = parts();
  expect(isHealthy()).toBe(true);
  now.bytes += 1;
  now.steps += 1;
  expect(isHealthy()).toBe(false);
  now.reader += 1;
  expect(isHealthy()).toBe(true);
});

test('work that stands still is none either, unless there is none', () => {
  const { now, isHealthy } = parts();
  now.isBusy = true;
  expect(isHealthy()).toBe(true);
  now.reader += 1;
  expect(isHealthy()).toBe(false);
  now.isBusy = false;
  expect(isHealthy()).toBe(true);
});

test('hashing a large file, and committing, each are progress', () => {
  const { now, isHealthy } = parts();
  now.isBusy = true;
  for (const part of ['bytes', 'steps', 'bytes'] as const) {
    now.reader += 1;
    now[part] += 1;
    expect(isHealthy()).toBe(true);
  }
  now.reader += 1;
  expect(isHealthy()).toBe(false);
});
