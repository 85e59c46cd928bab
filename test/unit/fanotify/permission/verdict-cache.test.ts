import { expect, test } from 'vitest';
import { VerdictCache } from '../../../../src/fanotify/permission/verdict-cache.ts';

test('the least recently used verdict makes room', () => {
  const cache = new VerdictCache<number>(2);
  cache.set('a', 1);
  cache.set('b', 2);
  expect(cache.get('a')).toBe(1);
  cache.set('c', 3);
  expect(['a', 'b', 'c'].map((key) => cache.get(key))).toEqual([1, undefined, 3]);
  cache.set('a', 4);
  cache.set('d', 5);
  expect(['a', 'c', 'd'].map((key) => cache.get(key))).toEqual([4, undefined, 5]);
  cache.clear();
  expect(cache.get('a')).toBeUndefined();
});

test('a cache for nothing keeps nothing', () => {
  const cache = new VerdictCache<number>(0);
  cache.set('a', 1);
  expect(cache.get('a')).toBeUndefined();
});
