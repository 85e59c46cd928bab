import { expect, test } from 'vitest';
import type { Actor } from '../../../src/domain/actor.ts';
import { trackOwnRuns } from '../../../src/engine/own-doing.ts';

const actor = (pid: number, ...ppids: number[]): Actor => ({ source: 'exec', pid, ppids });
const program = { pid: 10, cgroup: undefined };

test('the process of a run and its descendants, while it lasts and a minute longer', () => {
  const runs = trackOwnRuns();
  runs.started(program, 2, 0);
  expect(runs.causedAt([actor(10, 1), actor(12, 11, 10, 1)], 0)).toBe(2);
  runs.ended(program, { nowMs: 1_000, bootMs: 1_000 });
  expect(runs.causedAt([actor(12, 11, 10, 1)], 61_000)).toBe(2);
  expect(runs.causedAt([actor(12, 11, 10, 1)], 61_001)).toBeUndefined();
});

test('whoever is in the cgroup of a run, whoever its parents are by now', () => {
  const runs = trackOwnRuns();
  runs.started({ pid: 10, cgroup: 'driftline-hook.5.1' }, 0, 0);
  const orphan = { ...actor(99, 1), cgroup: '/system.slice/driftline.service/driftline-hook.5.1/inner' };
  expect(runs.causedAt([orphan], 0)).toBe(0);
  expect(runs.causedAt([{ ...orphan, cgroup: '/system.slice/driftline-hook.5.10' }], 0)).toBeUndefined();
});

test('anybody else among the actors, or nobody known, makes it news', () => {
  const runs = trackOwnRuns();
  runs.started(program, 0, 0);
  expect(runs.causedAt([actor(10, 1), actor(20, 1)], 0)).toBeUndefined();
  expect(runs.causedAt([actor(10, 1), { source: 'unknown' }], 0)).toBeUndefined();
  expect(runs.causedAt([], 0)).toBeUndefined();
});

test('a pid that somebody else has got by now, or had before', () => {
  const runs = trackOwnRuns();
  runs.started(program, 1, 5_005);
  const begun = (startedMs: number, pid = 10): Actor => ({ ...actor(pid, 10, 1), startedMs });
  // As /proc has it: of the run itself a tick earlier than asked for.
  expect(runs.causedAt([begun(5_000), begun(7_000, 11)], 0)).toBe(1);
  expect(runs.causedAt([begun(4_990)], 0)).toBeUndefined();
  runs.ended(program, { nowMs: 1_000, bootMs: 8_000 });
  expect(runs.causedAt([begun(5_000), begun(8_000, 11)], 2_000)).toBe(1);
  expect(runs.causedAt([begun(8_010)], 2_000)).toBeUndefined();
  expect(runs.causedAt([begun(8_010, 12)], 2_000)).toBeUndefined();
  // The next run may have the same pid.
  runs.started(program, 3, 9_000);
  expect(runs.causedAt([begun(9_000)], 3_000)).toBe(3);
});
