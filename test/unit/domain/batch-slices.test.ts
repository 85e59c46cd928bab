import { expect, test } from 'vitest';
import { slicesOf } from '../../../src/domain/batch-slices.ts';
import { path } from '../../fakes/entry.ts';

/** A path (a trailing slash: a whole tree) and its group. */
type Item = readonly [name: string, group?: number];

const item = (name: string, group?: number): Item => (group === undefined ? [name] : [name, group]);

function cut(items: readonly Item[], max: number, share?: number): string[][] {
  const byPath = new Map(items.map((one) => [path(one[0].replace(/(.)\/$/, '$1')), one]));
  const groupOf = (one: string) => byPath.get(path(one))?.[1];
  const isTree = (one: string) => byPath.get(path(one))?.[0].endsWith('/') === true;
  return [...slicesOf([...byPath.keys()], { groupOf, isTree }, max, share)];
}

test('what is no more than one slice stays as it is', () => {
  const items = ['/b/2', '/a', '/b/1'].map((name) => item(name));
  expect(cut(items, 3)).toEqual([['/b/2', '/a', '/b/1']]);
  expect(cut([], 3)).toEqual([]);
});

test('directories stay together as far as a slice goes, and a large one is cut by name', () => {
  const names = ['/b/4', '/a/1', '/b/2', '/a/2', '/b/3', '/b/1'];
  expect(
    cut(
      names.map((name) => item(name)),
      3,
    ),
  ).toEqual([
    ['/b/1', '/b/2', '/b/3'],
    ['/b/4', '/a/1', '/a/2'],
  ]);
});

test('of a directory with more than its share the first come first, and the others after everybody else', () => {
  const names = ['/b/4', '/b/3', '/a/1', '/b/2', '/b/1', '/b/5', '/c/1'];
  expect(
    cut(
      names.map((name) => item(name)),
      1,
      2,
    ),
  ).toEqual([['/b/3'], ['/b/4'], ['/a/1'], ['/c/1'], ['/b/1'], ['/b/2'], ['/b/5']]);
});

test('names of a rename come in one slice, wherever they are, with all that hangs together with them', () => {
  const [one, other] = [1, 2];
  const items = [
    item('/a/1', one),
    item('/a/2'),
    item('/b/1', other),
    item('/b/2'),
    item('/c/1', one),
    item('/c/2', other),
  ];
  expect(cut(items, 2)).toEqual([['/a/1', '/c/1'], ['/a/2', '/b/1', '/c/2'], ['/b/2']]);
});

test('what is below a directory that is in doubt as a whole comes with it, and with the other end of its move', () => {
  const move = 1;
  const items = [
    item('/x/d/f'),
    item('/y'),
    item('/x/d/e/g'),
    item('/x/d/', move),
    item('/x/d/e/'),
    item('/z/d/', move),
    item('/z/d/h'),
    item('/x'),
  ];
  expect(cut(items, 2)).toEqual([
    ['/x/d/f', '/x/d/e/g', '/x/d', '/x/d/e', '/z/d', '/z/d/h'],
    ['/y', '/x'],
  ]);
});

test('every item is in one slice, of whatever there are many', () => {
  const items = Array.from({ length: 5_000 }, (_, n) => item(`/d${n % 37}/f${n}`, n % 10 === 0 ? n % 3 : undefined));
  const slices = cut(items, 100);
  expect(slices.flat().sort()).toEqual(items.map(([name]) => name).sort());
  expect(slices.filter((slice) => slice.length > 100)).toHaveLength(3);
});
