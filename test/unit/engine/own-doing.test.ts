import { expect, test } from 'vitest';
import type { Actor } from '../../../src/domain/actor.ts';
import { trackOwnRuns } from '../../../src/engine/own-doing.ts';

const actor = (pid: number, ...ppids: number[]): Actor => ({ source: 'exec', pid, ppids });
const program = { pid: 10, cgroup: undefined };

test('the process of a run and its descendants, while it lasts and a minute longer', () => {
  const runs = trackOwnRuns();
  runs.started(program, 2);
  expect(runs.causedAt([actor(10, 1), actor(12, 11, 10, 1)], 0)).toBe(2);
  runs.ended(program, 1_000);
  expect(runs.causedAt([actor(12, 11, 10, 1)], 61_000)).toBe(2);
  expect(runs.causedAt([actor(12, 11, 10, 1)], 61_001)).toBeUndefined();
});

test('whoever is in the cgroup of a run, whoever its parents are by now', () => {
  const runs = trackOwnRuns();
  runs.started({ pid: 10, cgroup: 'driftline-hook.5.1' }, 0);
  const orphan = { ...actor(99, 1), cgroup: '/system.slice/driftline.service/driftline-hook.5.1/inner' };
  expect(runs.causedAt([orphan], 0)).toBe(0);
  expect(runs.causedAt([{ ...orphan, cgroup: '/system.slice/driftline-hook.5.10' }], 0)).toBeUndefined();
});

test('anybody else among the actors, or nobody known, makes it news', () => {
  const runs = trackOwnRuns();
  runs.started(program, 0);
  expect(runs.causedAt([actor(10, 1), actor(20, 1)], 0)).toBeUndefined();
  expect(runs.causedAt([actor(10, 1), { source: 'unknown' }], 0)).toBeUndefined();
  expect(runs.causedAt([], 0)).toBeUndefined();
});
