// When tiers are swept, over restarts, too.
import { expect, test } from 'vitest';
import { type Round, WHOLE } from '../../../src/domain/round.ts';
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
const sweepRecord = (tier: string, agoMs: number, part = {}) => ({
  v: 1,
  type: 'sweep',
  time: at(agoMs),
  tier,
  ...part,
});
const ALL = { criticalMs: undefined, normalMs: undefined };

async function sweptWithin(ms: number, journal: Journal, settings = { criticalMs: 5 * MINUTE, normalMs: 24 * HOUR }) {
  const swept: string[] = [];
  const end = new AbortController();
  const sweeps = openSweeps(
    { content: ALL, ...settings, bytesPerSecond: undefined },
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
  expect(last.get('critical')).toEqual({ atMs: Date.parse(at(HOUR)), round: WHOLE });
  expect(last.get('info')).toEqual({ atMs: Date.parse(at(5 * HOUR)), round: WHOLE });
});

/** A watch that sweeps for a while, with all that watches before it have noted; returns the rounds of its normal sweeps. */
async function roundsWithin(ms: number, noted: object[], contentMs = 4 * HOUR): Promise<Round[]> {
  const rounds: Round[] = [];
  const end = new AbortController();
  const sweeps = openSweeps(
    {
      criticalMs: undefined,
      normalMs: HOUR,
      content: { criticalMs: undefined, normalMs: contentMs },
      bytesPerSecond: undefined,
    },
    {
      clock,
      journal: journalOf(...noted),
      sweep: async (tier, round) => {
        const { part, parts } = round;
        if (tier === 'normal') rounds.push(round);
        noted.push(sweepRecord(tier, 0, { part: part + 1, parts }));
      },
    },
  );
  const running = sweeps.run(end.signal);
  await clock.advance(ms);
  end.abort();
  await running;
  return rounds;
}

test('content in parts: each once in a round, over restarts and long times without a watch', async () => {
  const noted: object[] = [{ v: 1, type: 'init', time: at(0) }];
  const partsOf = async (ms: number, contentMs?: number) =>
    (await roundsWithin(ms, noted, contentMs)).map(({ part, parts }) => `${part}/${parts}`);
  expect(await partsOf(5 * HOUR)).toEqual(['0/4', '1/4', '2/4', '3/4', '0/4']);
  expect(await partsOf(HOUR)).toEqual(['1/4']);
  expect(await partsOf(HOUR)).toEqual(['2/4']);
  // Longer than a round: it is gone on with all the same.
  await clock.advance(100 * HOUR);
  expect(await partsOf(2 * MINUTE)).toEqual(['3/4']);
  await clock.advance(100 * HOUR);
  expect(await partsOf(2 * MINUTE)).toEqual(['0/4']);
  // Other parts are another round.
  expect(await partsOf(3 * HOUR, 3 * HOUR)).toEqual(['0/3', '1/3', '2/3']);
  expect(await partsOf(HOUR, HOUR)).toEqual(['0/1']);
});

test('a sweep that was cut short is done again', async () => {
  const begun: number[] = [];
  const noted = [sweepRecord('normal', 2 * HOUR, { part: 2, parts: 4 })];
  for (let watch = 0; watch < 2; watch += 1) {
    const end = new AbortController();
    const sweeps = openSweeps(
      { criticalMs: undefined, normalMs: HOUR, content: { ...ALL, normalMs: 4 * HOUR }, bytesPerSecond: undefined },
      {
        clock,
        journal: journalOf(...noted),
        sweep: async (tier, { part }) => {
          if (tier === 'normal') begun.push(part);
          if (tier === 'normal') end.abort();
        },
      },
    );
    const running = sweeps.run(end.signal);
    await clock.advance(MINUTE);
    await running;
    expect(sweeps.states().find(({ tier }) => tier === 'normal')?.round).toEqual({ part: 2, parts: 4 });
  }
  expect(begun).toEqual([2, 2]);
});
