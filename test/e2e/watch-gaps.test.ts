// Times without events are records: before the first watch, between two watches, after a kill, and when the queue was full.
import { statSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import type { Fields } from './daemon.ts';
import { Site } from './site.ts';

let site: Site;

beforeEach((context) => {
  needCapabilities(context);
  site = new Site();
});
afterEach(async () => await site?.[Symbol.asyncDispose]());

const gapsInJournal = (): Fields[] => site.journal().filter(({ type }) => type === 'gap');
const timeOf = (record: Fields | undefined, key: string): number => Date.parse(String(record?.[key]));

test('nobody watched: since init, since a stop, since a kill; told by journal and status', async () => {
  const first = await site.begin();
  expect(gapsInJournal().map(({ cause }) => cause)).toEqual(['unwatched']);
  await first.stop();
  const stoppedMs = timeOf(
    site.journal().findLast(({ type }) => type === 'stop'),
    'time',
  );
  const second = await site.start();
  await second.stop('SIGKILL');
  const killedMs = Date.now();
  expect(site.json(['status'], [8])).toMatchObject({ pid: null, healthy: false, gaps: [{ cause: 'killed' }] });
  expect(site.driftline('status').stdout).toMatch(
    /^watch {5}not running: it was killed or failed, or the machine with it$/m,
  );
  const third = await site.start();
  const gaps = gapsInJournal();
  expect(gaps.map(({ cause }) => cause)).toEqual(['unwatched', 'stopped', 'killed']);
  // The stop's record comes a moment before the last sign of life.
  expect(timeOf(gaps[1], 'from')).toBeGreaterThanOrEqual(stoppedMs - 1_000);
  expect(timeOf(gaps[2], 'from')).toBeLessThanOrEqual(killedMs);
  for (const gap of gaps) expect(timeOf(gap, 'to')).toBeGreaterThanOrEqual(timeOf(gap, 'from'));
  const { cause, from, to } = gaps[2] ?? {};
  expect(site.json(['status'])['gaps']).toEqual([{ cause, from: expect.any(String), to: expect.any(String) }]);
  expect(site.driftline('status').stdout).toMatch(/^gap {7}killed, from \S+ to \S+$/m);
  expect(site.driftline('journal').stdout).toContain(`GAP      cause killed  from ${from}  to ${to}`);
  await third.stop();
  expect(site.json(['status'])['gaps']).toEqual([]);
});

test('the lock shows the last sign of life', async () => {
  site.init();
  const lock = `${site.baseline}.lock`;
  const beforeMs = statSync(lock).mtimeMs;
  const daemon = await site.start();
  const startedMs = statSync(lock).mtimeMs;
  expect(startedMs).toBeGreaterThan(beforeMs);
  await daemon.stop();
  expect(statSync(lock).mtimeMs).toBeGreaterThan(startedMs);
});
