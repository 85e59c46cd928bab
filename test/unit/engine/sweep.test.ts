// When tiers are swept, over restarts, too.
import { expect, test } from 'vitest';
import { lastSweeps } from '../../../src/engine/last-sweeps.ts';
import type { Journal } from '../../../src/engine/ports/store.ts';
import { openSweeps } from '../../../src/engine/sweep.ts';
import { createManualClock } from '../../fakes/clock.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const clock = createManualClock();
const at = (agoMs: number): string => new Date(clock.nowMs() - agoMs).toISOString();
const journalOf = (...records: object[]): Journal => ({
  *read(sinceMs = 0) {
    for (const [index, record] of records.entries()) {
      if (Date.parse((record as { time: string }).time) < sinceMs) continue;
      yield { number: index + 1, record: JSON.stringify(record) };
    }
  },
  firstBroken: () => undefined,
});
const sweepRecord = (tier: string, agoMs: number) => ({ v: 1, type: 'sweep', time: at(agoMs), tier });

async function sweptWithin(ms: number, journal: Journal, settings = { criticalMs: 5 * MINUTE, normalMs: 24 * HOUR }) {
  const swept: string[] = [];
  const end = new AbortController();
  const sweeps = openSweeps(
    { ...settings, bytesPerSecond: undefined },
    { clock, journal, sweep: async (tier) => void swept.push(tier) },
  );
  const running = sweeps.run(end.signal);
  await clock.advance(ms);
  end.abort();
  await running;
  return { swept, states: sweeps.states() };
}

test('what another watch began is gone on with: the rest of the interval, and no more', async () => {
  const journal = journalOf(
    sweepRecord('normal', 23 * HOUR),
    sweepRecord('info', 26 * HOUR),
    sweepRecord('critical', 2 * MINUTE),
  );
  expect((await sweptWithin(3 * MINUTE - 1, journal)).swept).toEqual(['info']);
  // By now the critical ones are due, too: after a minute, because the watch is new.
  expect((await sweptWithin(MINUTE, journal)).swept.sort()).toEqual(['critical', 'info']);
  const { swept, states } = await sweptWithin(56 * MINUTE, journalOf(sweepRecord('normal', 23 * HOUR + 4 * MINUTE)));
  expect(swept.filter((tier) => tier === 'normal')).toHaveLength(1);
  expect(states.find(({ tier }) => tier === 'normal')?.lastMs).toBe(clock.nowMs());
});

test('init has read everything; after a minute what is overdue is swept', async () => {
  const fresh = journalOf({ v: 1, type: 'init', time: at(HOUR) }, { v: 1, type: 'drift', time: at(0) });
  expect((await sweptWithin(2 * MINUTE, fresh)).swept).toEqual(['critical']);
  const old = journalOf({ v: 1, type: 'init', time: at(30 * HOUR) });
  const { swept, states } = await sweptWithin(MINUTE, old);
  expect(new Set(swept).size).toBe(states.length);
  expect((await sweptWithin(MINUTE - 1, old)).swept).toEqual([]);
});

test('a clock that was set back, intervals below a minute, and none', async () => {
  const future = journalOf(sweepRecord('critical', -HOUR));
  expect((await sweptWithin(5 * MINUTE, future)).swept).toContain('critical');
  const settings = { criticalMs: 1000, normalMs: 24 * HOUR };
  expect((await sweptWithin(3000, journalOf({ v: 1, type: 'init', time: at(0) }), settings)).swept).toHaveLength(3);
  const off = { criticalMs: undefined, normalMs: undefined } as unknown as typeof settings;
  expect((await sweptWithin(48 * HOUR, journalOf(), off)).swept).toEqual([]);
});

test('what is known of sweeps: the last of each tier, of records with a time', () => {
  const journal = journalOf(
    { v: 1, type: 'init', time: at(5 * HOUR) },
    sweepRecord('critical', 3 * HOUR),
    sweepRecord('critical', HOUR),
    sweepRecord('catch-up', 0),
    { v: 1, type: 'sweep', time: 'never', tier: 'info' },
  );
  const last = lastSweeps({ ...journal, read: () => journal.read() }, 0);
  expect(last.get('critical')).toBe(Date.parse(at(HOUR)));
  expect(last.get('info')).toBe(Date.parse(at(5 * HOUR)));
});
