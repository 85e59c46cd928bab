import { expect, test } from 'vitest';
import type { Dirty } from '../../../src/domain/dirty.ts';
import { trackGivenPaths } from '../../../src/engine/given.ts';
import { path } from '../../fakes/entry.ts';

const WALL_MS = 1_000_000;
const MINUTE = 60_000;

function dirty(name: string, { subtree = false, sinceMs = 150 } = {}): Dirty {
  return { path: path(name), subtree, actors: [], hasOthers: false, sinceMs };
}

/** A run from 100 to 200 ms that was given these. */
function ran(...names: string[]) {
  const given = trackGivenPaths();
  given.started(names.map(path), 100, WALL_MS)(200);
  return given;
}

const GONE = { ctimeNs: undefined, around: () => true };

test.each([
  ['what it was given', '/r/d/x', ['/r/d/x']],
  ['a directory above: it may have been made to put that into it', '/r/d', ['/r/d']],
  ['what is below: it may have been read with it', '/r/d/x/y', ['/r/d/x/y']],
  ['not a name that only begins like it', '/r/d/x-y', []],
  ['not a directory beside', '/r/d-e', []],
])('a run may have read meanwhile: %s', (_, name, expected) => {
  expect(ran('/r/d/x', '/r/e').readMeanwhile(dirty(name), GONE)).toEqual(expected);
});

test('below a directory that is in doubt as a whole, all that it was given', () => {
  const given = ran('/r/d', '/r/d-e', '/r/d/x', '/r/e');
  expect(given.readMeanwhile(dirty('/r/d', { subtree: true }), GONE)).toEqual(['/r/d', '/r/d/x']);
});

test('who does not read what is around hears of nothing else', () => {
  const given = ran('/r/d/x');
  expect(given.readMeanwhile(dirty('/r/d'), { ...GONE, around: () => false })).toEqual([]);
  expect(given.readMeanwhile(dirty('/r/d', { subtree: true }), { ...GONE, around: () => false })).toEqual(['/r/d/x']);
});

test('not what was there before the run began, and not what came long after it', () => {
  const at = (ms: number) => ({ ctimeNs: BigInt(ms) * 1_000_000n, around: () => true });
  expect(ran('/r/x').readMeanwhile(dirty('/r/x'), at(WALL_MS - 1000))).toEqual([]);
  expect(ran('/r/x').readMeanwhile(dirty('/r/x'), at(WALL_MS + 1))).toEqual(['/r/x']);
  expect(ran('/r/x').readMeanwhile(dirty('/r/x', { sinceMs: 5000 }), GONE)).toEqual([]);
});

test('a run of the last minute may have read what it was given, and what is around that', () => {
  const given = ran('/r/d/x');
  for (const name of ['/r/d/x', '/r/d', '/r', '/r/d/x/y']) expect(given.mayHaveRead(path(name), 300, 0)).toBe(true);
  for (const name of ['/r/e', '/r/d/xy', '/r/d/w']) expect(given.mayHaveRead(path(name), 300, 0)).toBe(false);
  expect(given.mayHaveRead(path('/r/d/x'), 300 + MINUTE, 0)).toBe(false);
});

test('what waited longer than runs are remembered may have been read', () => {
  const given = ran('/r/d');
  expect(given.mayHaveRead(path('/r/x'), 300, 50_000)).toBe(false);
  expect(given.mayHaveRead(path('/r/x'), 300, MINUTE)).toBe(true);
  // Somebody has set the clock back.
  expect(given.mayHaveRead(path('/r/x'), 300, -1)).toBe(true);
});

test('what runs of an earlier process have read is not known, until a minute after the first of this one', () => {
  const given = trackGivenPaths();
  expect(given.mayHaveRead(path('/r/x'), 0, 0)).toBe(false);
  given.recalled();
  expect(given.mayHaveRead(path('/r/x'), 10 * MINUTE, 0)).toBe(true);
  given.started([path('/r/y')], 10 * MINUTE, WALL_MS)(10 * MINUTE + 1);
  expect(given.mayHaveRead(path('/r/x'), 10 * MINUTE + 2, 0)).toBe(true);
  expect(given.mayHaveRead(path('/r/x'), 11 * MINUTE + 2, 0)).toBe(false);
});

test('more paths than are remembered are taken for anything', () => {
  const given = trackGivenPaths();
  const many = Array.from({ length: 500_001 }, (_, n) => path(`/r/${String(n).padStart(6, '0')}`));
  const end = given.started(many, 0, WALL_MS);
  given.started([], 5, WALL_MS)(10);
  expect(given.mayHaveRead(path('/r/x'), 20, 0)).toBe(false);
  end(25);
  given.started([], 30, WALL_MS)(40);
  expect(given.mayHaveRead(path('/r/x'), 50, 0)).toBe(true);
  expect(given.mayHaveRead(path('/r/x'), 26 + MINUTE, 0)).toBe(false);
  expect(given.readMeanwhile(dirty('/s', { sinceMs: 100 }), GONE)).toEqual(['/s']);
  expect(given.readMeanwhile(dirty('/s', { sinceMs: 100 }), { ...GONE, around: () => false })).toEqual([]);
  expect(given.readMeanwhile(dirty('/s', { sinceMs: 4000 }), GONE)).toEqual([]);
});
