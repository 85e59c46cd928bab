// Numbers of directories against a plain map.
import { expect, test } from 'vitest';
import { pathFromLatin1 } from '../../../src/domain/path.ts';
import { createDirectoryNumbers } from '../../../src/engine/directory-numbers.ts';
import { path } from '../../fakes/entry.ts';

test('every directory has one number, which gives it back', () => {
  const dirs = ['', '/', ...Array.from({ length: 5_000 }, (_, n) => `/srv/${n % 37}/${'x'.repeat(n % 300)}${n}`)];
  const sorted = [...new Set([...dirs, '/a\xff', '/\n', `/${'y'.repeat(5_000)}`])].sort().map(pathFromLatin1);
  const numbers = createDirectoryNumbers();
  const appended = sorted.map((dir) => numbers.append(dir));
  expect(new Set(appended).size).toBe(sorted.length);
  expect(appended.map(numbers.dirOf)).toEqual(sorted);
  expect(sorted.map(numbers.numberOf)).toEqual(appended);
});

test('what comes out of order has a number, too, and keeps it', () => {
  const numbers = createDirectoryNumbers();
  const early = numbers.numberOf(path('/m'));
  const inOrder = ['/b', '/d'].map((dir) => numbers.append(path(dir)));
  const others = ['/a', '/c', '/e', '/b0', '/'].map((dir) => numbers.numberOf(path(dir)));
  expect(numbers.append(path('/c'))).toBe(numbers.numberOf(path('/c')));
  expect(numbers.append(path('/m'))).toBe(early);
  const all = [early, ...inOrder, ...others];
  expect(new Set(all).size).toBe(8);
  expect(all.map(numbers.dirOf)).toEqual(['/m', '/b', '/d', '/a', '/c', '/e', '/b0', '/']);
  expect(['/m', '/b', '/d', '/a', '/c', '/e', '/b0', '/'].map((dir) => numbers.numberOf(path(dir)))).toEqual(all);
  expect(() => numbers.dirOf(2)).toThrow('no directory has the number 2');
});

test('a directory longer than what a length can hold is kept as it is', () => {
  const numbers = createDirectoryNumbers();
  const long = path(`/${'z'.repeat(70_000)}`);
  const all = [path('/a'), long, path('/~')].map((dir) => numbers.append(dir));
  expect(all.map(numbers.dirOf)).toEqual(['/a', long, '/~']);
});
