import { expect, test } from 'vitest';
import type { Actor } from '../../../src/domain/actor.ts';
import { trackOwnRuns } from '../../../src/engine/own-doing.ts';

const actor = (pid: number, ...ppids: number[]): Actor => ({ source: 'exec', pid, ppids });

test('the process of a run and its descendants, while it lasts and a minute longer', () => {
  const runs = trackOwnRuns();
  runs.started(10);
  expect(runs.caused([actor(10, 1), actor(12, 11, 10, 1)], 0)).toBe(true);
  runs.ended(10, 1_000);
  expect(runs.caused([actor(12, 11, 10, 1)], 61_000)).toBe(true);
  expect(runs.caused([actor(12, 11, 10, 1)], 61_001)).toBe(false);
});

test('anybody else among the actors, or nobody known, makes it news', () => {
  const runs = trackOwnRuns();
  runs.started(10);
  expect(runs.caused([actor(10, 1), actor(20, 1)], 0)).toBe(false);
  expect(runs.caused([actor(10, 1), { source: 'unknown' }], 0)).toBe(false);
  expect(runs.caused([], 0)).toBe(false);
});
