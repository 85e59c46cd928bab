// Where a move led to, and where it came from, when something else is told in its place.
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Drift, DriftKind } from '../../../src/domain/drift.ts';
import { leftBehind } from '../../../src/engine/left-behind.ts';
import type { OpenDrift } from '../../../src/engine/ports/store.ts';
import { entry, path } from '../../fakes/entry.ts';
import { dir, Ground } from './ground.ts';

let ground: Ground;

beforeEach(async () => {
  ground = new Ground();
  await ground.start(entry('/r/f', { inode: 5n }), dir('/r/d', 6n));
});
afterEach(() => ground.close());

const move = (key: string, to: string): OpenDrift => ({
  ...{ id: key, seq: 1, fingerprint: '', record: '' },
  ...{ key: path(key), path: path(to) },
});
const told = (kind: DriftKind, at: string, from?: string) => {
  const drift = { kind, path: path(at), from: from === undefined ? undefined : path(from) } as Drift;
  return { drift, actors: [], hasOthers: false };
};
function left(drifts: ReturnType<typeof told>[], resolved: OpenDrift[], ...known: OpenDrift[]): string[] {
  const byKey = new Map(known.map((one) => [one.key, one]));
  const found = leftBehind({ drifts, resolved }, byKey, ground.store.baseline);
  return found.map(({ path: at, subtree }) => (subtree ? `${at}/` : at));
}

test('what took the old name does not say what is at the new one', () => {
  expect(left([told('changed', '/r/f')], [], move('/r/f', '/r/g'))).toEqual(['/r/g']);
  expect(left([told('changed', '/r/d')], [], move('/r/d', '/r/e'))).toEqual(['/r/e/']);
  expect(left([told('changed', '/r/f'), told('added', '/r/g')], [], move('/r/f', '/r/g'))).toEqual([]);
});

test('of what moved on the place in between is looked at, of the same move nothing', () => {
  expect(left([told('moved', '/r/h', '/r/f')], [], move('/r/f', '/r/g'))).toEqual(['/r/g']);
  expect(left([told('moved', '/r/g', '/r/f')], [], move('/r/f', '/r/g'))).toEqual([]);
});

test('both ends of a move that is over are looked at', () => {
  expect(left([], [move('/r/d', '/r/e')])).toEqual(['/r/d/', '/r/e/']);
  expect(left([told('removed', '/r/f')], [move('/r/f', '/r/f')])).toEqual([]);
});
