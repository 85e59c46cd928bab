import { expect, test } from 'vitest';
import { holdPaths } from '../../../src/engine/held-paths.ts';
import { path } from '../../fakes/entry.ts';

const NAMES = ['/a', '/a/b', '/a/b/c', '/a/d', '/e', '/e/f', '/e/f/g', '/e/h', '/h'];
const held = ({ holds }: ReturnType<typeof holdPaths>): string[] => NAMES.filter((name) => holds(path(name)));

test('what is held comes with what is above and below it, and goes with it', () => {
  const paths = holdPaths([path('/a/b')]);
  expect(held(paths)).toEqual(['/a', '/a/b', '/a/b/c']);
  paths.hold(path('/e/f'));
  paths.hold(path('/e/f'));
  expect(held(paths)).toEqual(['/a', '/a/b', '/a/b/c', '/e', '/e/f', '/e/f/g']);
  paths.release([path('/a/b'), path('/h')]);
  expect(held(paths)).toEqual(['/e', '/e/f', '/e/f/g']);
  paths.hold(path('/a/d'));
  paths.release([path('/a/d'), path('/e/f')]);
  expect(held(paths)).toEqual([]);
});

test('names in a directory are held without what is below them', () => {
  const paths = holdPaths([]);
  paths.holdNames(path('/e'));
  paths.holdNames(path('/e'));
  expect(held(paths)).toEqual(['/e', '/e/f', '/e/h']);
});
