// What is known of paths without a baseline.
import { expect, test } from 'vitest';
import { NO_PRINT } from '../../../src/domain/print.ts';
import { openSeen } from '../../../src/engine/seen.ts';
import { path } from '../../fakes/entry.ts';

test('another print is news, the same one is not, none never is the same', () => {
  const seen = openSeen();
  expect([seen.note(path('/d/a'), 'x'), seen.note(path('/d/a'), 'x'), seen.note(path('/d/a'), 'y')]).toEqual([
    true,
    false,
    true,
  ]);
  expect([seen.note(path('/d/b'), NO_PRINT), seen.note(path('/d/b'), NO_PRINT)]).toEqual([true, true]);
});

test('a directory takes along what is in it, and not its siblings', () => {
  const seen = openSeen();
  for (const name of ['/d', '/d/a', '/d/e', '/d/e/f', '/d-x', '/d-x/a']) seen.note(path(name), 'x');
  expect(seen.drop(path('/d')).sort()).toEqual(['/d', '/d/a', '/d/e', '/d/e/f']);
  expect(seen.drop(path('/d'))).toEqual([]);
  expect([seen.size, seen.has(path('/d-x/a')), seen.has(path('/d/a'))]).toEqual([2, true, false]);
});

test('the first look knows nothing better than events do', () => {
  const seen = openSeen();
  seen.note(path('/d/a'), 'new');
  seen.drop(path('/d/gone'));
  for (const name of ['/d/a', '/d/gone', '/d/gone/below', '/d/other']) seen.learn(path(name), 'old');
  seen.learned(true);
  expect([...seen.namesIn(path('/d'))].sort()).toEqual(['a', 'other']);
  expect([seen.note(path('/d/a'), 'new'), seen.isComplete]).toEqual([false, true]);
});

test('what is too much is forgotten, and then not everything is known', () => {
  const seen = openSeen(3);
  for (const name of ['/a', '/b', '/c', '/d']) seen.learn(path(name), 'x');
  seen.learned(true);
  expect([seen.isComplete, seen.size, seen.note(path('/a'), 'x')]).toEqual([false, 0, true]);
});
