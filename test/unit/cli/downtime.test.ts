// How long nobody watched, by the lock's time and the journal's last stage.
import { expect, test } from 'vitest';
import { downtimeOf, killedAt } from '../../../src/cli/downtime.ts';
import type { Journal } from '../../../src/engine/ports/store.ts';

const journalOf = (...types: string[]): Journal & { asked: number[] } => {
  const asked: number[] = [];
  return {
    asked,
    *read(sinceMs = 0) {
      asked.push(sinceMs);
      for (const [index, type] of types.entries()) yield { number: index + 1, record: JSON.stringify({ type }) };
    },
    firstBroken: () => undefined,
  };
};

test('the last stage of the journal says why nobody watched', () => {
  const causes = [['init'], ['start', 'stop'], ['start', 'drift'], ['start', 'stop', 'accept'], ['stop', 'init'], []];
  expect(causes.map((types) => downtimeOf(journalOf(...types), 5_000, 9_000).cause)).toEqual([
    'unwatched',
    'stopped',
    'killed',
    'stopped',
    'unwatched',
    'killed',
  ]);
});

test('from the last sign of life to now, never backwards, looking only at the journal of that time', () => {
  const journal = journalOf('stop');
  expect(downtimeOf(journal, 1_000_000, 1_009_000)).toEqual({ cause: 'stopped', fromMs: 1_000_000, toMs: 1_009_000 });
  expect(journal.asked).toEqual([940_000]);
  expect(downtimeOf(journal, 9_000, 5_000)).toEqual({ cause: 'stopped', fromMs: 5_000, toMs: 5_000 });
});

test.each([
  [['init'], undefined],
  [['start', 'stop'], undefined],
  [['start'], 5_000],
  [['stop', 'start', 'drift'], 5_000],
  [[], undefined],
])('after %j a watch was killed at %s', (types, at) => {
  expect(killedAt(journalOf(...types), 5_000, 9_000)).toBe(at);
});

test('a watch that began long before its last sign of life was killed, too, and not later than now', () => {
  const begins: Journal = {
    *read(sinceMs = 0) {
      if (sinceMs < 1_000) yield { number: 1, record: '{"type":"start"}' };
    },
    firstBroken: () => undefined,
  };
  expect(killedAt(begins, 1_000_000, 1_200_000)).toBe(1_000_000);
  expect(killedAt(begins, 1_000_000, 900_000)).toBe(900_000);
});
