import { expect, test } from 'vitest';
import { type Actor, addActor } from '../../../src/domain/actor.ts';
import { createBatch } from '../../../src/domain/batch.ts';
import { path } from '../../fakes/entry.ts';

const dirty = (name: string, subtree = false, ...actors: Actor[]) => ({
  path: path(name),
  subtree,
  actors,
  hasOthers: false,
  sinceMs: 0,
});

test('a path waits until it is quiet', () => {
  const batch = createBatch({ quietMs: 100, deadlineMs: 1000 });
  batch.add(dirty('/a'), 0);
  expect(batch.dueMs()).toBe(100);
  batch.add(dirty('/a'), 60);
  expect(batch.dueMs()).toBe(160);
  expect(batch.take(100)).toEqual([]);
  expect(batch.take(160).flat()).toHaveLength(1);
  expect(batch.dueMs()).toBeUndefined();
});

test('a path that never rests is taken at its deadline', () => {
  const batch = createBatch({ quietMs: 100, deadlineMs: 1000 });
  for (let now = 0; now < 1000; now += 50) batch.add(dirty('/log'), now);
  expect(batch.dueMs()).toBe(1000);
  expect(batch.take(1000).flat()).toHaveLength(1);
});

test('what is nearly due comes along, what is still busy does not', () => {
  const batch = createBatch({ quietMs: 100, deadlineMs: 1000 });
  batch.add(dirty('/old'), 0);
  batch.add(dirty('/new'), 40);
  batch.add(dirty('/busy'), 99);
  expect(
    batch
      .take(100)
      .flat()
      .map((one) => one.path),
  ).toEqual(['/old', '/new']);
  expect(batch.size).toBe(1);
});

test('the names of a rename are taken together, whichever was dirty before and is due first', () => {
  const batch = createBatch({ quietMs: 100, deadlineMs: 1000 });
  const taken = (nowMs: number): string[] =>
    batch
      .take(nowMs)
      .flat()
      .map((one) => one.path);
  for (let now = 0; now < 990; now += 30) batch.add(dirty('/log'), now);
  batch.add(dirty('/log'), 990);
  batch.add(dirty('/log.1'), 990);
  batch.join([path('/log'), path('/log.1'), path('/unknown')]);
  expect(batch.dueMs()).toBe(1000);
  expect(taken(1000)).toEqual(['/log', '/log.1']);
  batch.add(dirty('/tmp'), 2000);
  batch.add(dirty('/busy'), 2000);
  batch.join([path('/tmp'), path('/busy')]);
  batch.add(dirty('/busy'), 2090);
  expect(taken(2100)).toEqual([]);
  expect(batch.dueMs()).toBe(2190);
  expect(taken(2190)).toEqual(['/tmp', '/busy']);
  batch.add(dirty('/tmp'), 3000);
  expect(batch.dueMs()).toBe(3100);
});

test('renames that hang together in a chain wait for each other, but for no longer than the first deadline', () => {
  const batch = createBatch({ quietMs: 100, deadlineMs: 1000 });
  for (let n = 0; n < 2000; n += 1) {
    batch.add(dirty('/status'), n);
    batch.add(dirty(`/status.${n}`), n);
    batch.join([path(`/status.${n}`), path('/status')]);
    expect(batch.dueMs()).toBe(Math.min(n + 100, 1000));
  }
  expect(batch.take(1000).flat()).toHaveLength(2001);
});

test('subtree and actors of one path add up', () => {
  const batch = createBatch({ quietMs: 1, deadlineMs: 1 });
  const by = (pid: number): Actor => ({ source: 'proc', pid });
  batch.add({ ...dirty('/d', true), actors: [by(1)] }, 0);
  batch.add({ ...dirty('/d'), actors: [by(2)] }, 0);
  batch.add({ ...dirty('/d'), actors: [by(1)] }, 0);
  expect(batch.takeAll().flat()).toEqual([
    { path: '/d', subtree: true, hasOthers: false, sinceMs: 0, actors: [by(2), by(1)] },
  ]);
});

test('addActor keeps eight, the last one last, and unknown only alone', () => {
  let actors: readonly Actor[] = [];
  for (let pid = 1; pid <= 20; pid += 1) actors = addActor(actors, { source: 'exec', pid });
  expect(actors.map(({ pid }) => pid)).toEqual([13, 14, 15, 16, 17, 18, 19, 20]);
  expect(addActor(actors, { source: 'unknown' })).toBe(actors);
  expect(addActor([{ source: 'unknown' }], { source: 'proc', pid: 3 })).toEqual([{ source: 'proc', pid: 3 }]);
});

test('an actor that is not listed is not forgotten: unknown before or after a known one, or one too many', () => {
  const known = (pid: number): Actor => ({ source: 'exec', pid });
  const othersAfter = (...actors: Actor[]): boolean | undefined => {
    const batch = createBatch({ quietMs: 100, deadlineMs: 1000 });
    for (const actor of actors) batch.add(dirty('/a', false, actor), 0);
    return batch.takeAll()[0]?.[0]?.hasOthers;
  };
  const unknown: Actor = { source: 'unknown' };
  expect(othersAfter(known(1), known(2), known(1))).toBe(false);
  expect(othersAfter(unknown, unknown)).toBe(false);
  expect(othersAfter(unknown, known(1))).toBe(true);
  expect(othersAfter(known(1), unknown, known(1))).toBe(true);
  expect(othersAfter(...Array.from({ length: 9 }, (_, pid) => known(pid + 1)))).toBe(true);
});

test('what is held waits, with all that renames join with it, and is not due', () => {
  const batch = createBatch({ quietMs: 100, deadlineMs: 1000 });
  const isHeld = (one: string): boolean => one === '/held';
  for (const name of ['/held', '/old', '/other']) batch.add(dirty(name), 0);
  batch.join([path('/old'), path('/held')]);
  expect(
    batch
      .take(100, isHeld)
      .flat()
      .map((one) => one.path),
  ).toEqual(['/other']);
  expect(batch.dueMs(isHeld)).toBeUndefined();
  expect(batch.takeAll(isHeld)).toEqual([]);
  expect([...batch.paths()]).toEqual(['/held', '/old']);
  expect(batch.dueMs()).toBe(100);
  expect(batch.take(100).flat()).toHaveLength(2);
});

test('of many, some slices at a time: what waits for its turn is still one with what comes later', () => {
  const batch = createBatch({ quietMs: 100, deadlineMs: 1000 });
  for (let n = 0; n < 100; n += 1) batch.add(dirty(`/d${n % 10}/f${n}`), 0);
  const slices = batch.take(100, undefined, 5);
  expect(slices.map((slice) => slice.length)).toEqual(Array.from({ length: 8 }, () => 5));
  expect(batch.size).toBe(60);
  batch.add(dirty('/d9/f99'), 950);
  expect(batch.dueMs()).toBe(100);
  expect(batch.take(100, undefined, 12).flat()).toHaveLength(59);
  expect(batch.take(1050).flat()).toHaveLength(1);
});

test('what happens elsewhere does not wait for a storm in one directory to end', () => {
  const batch = createBatch({ quietMs: 100, deadlineMs: 1000 });
  const storm = Array.from({ length: 200 }, (_, n) => `/storm/f${String((n * 77) % 200).padStart(3, '0')}`);
  const dirtyAll = (nowMs: number) => {
    for (const name of storm) batch.add(dirty(name), nowMs);
  };
  dirtyAll(0);
  batch.add(dirty('/victim'), 0);
  for (let round = 1; ; round += 1) {
    expect(round).toBeLessThan(3);
    const taken = batch.take(2000 * round, undefined, 5);
    if (taken.flat().some((one) => one.path === '/victim')) break;
    dirtyAll(2000 * round);
  }
});

test('of very many only some are looked at, and whoever is joined with one of those', () => {
  const batch = createBatch({ quietMs: 100, deadlineMs: 1000 });
  for (let n = 0; n < 400; n += 1) batch.add(dirty(`/f${n}`), 0);
  batch.join([path('/f0'), path('/f399')]);
  const slices = batch.take(100, undefined, 2);
  expect(slices[0]?.map((one) => one.path)).toEqual(['/f0', '/f399']);
  const taken = slices.flat();
  while (batch.size > 0) taken.push(...batch.take(100, undefined, 2).flat());
  expect(new Set(taken.map((one) => one.path)).size).toBe(400);
  expect(taken).toHaveLength(400);
});
