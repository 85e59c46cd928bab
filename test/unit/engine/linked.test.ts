// Changes of inodes with several names, before and after the baseline's inodes are known.
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Actor } from '../../../src/domain/actor.ts';
import { createInodeTable, inodeKey, openInodeTable } from '../../../src/domain/inode-table.ts';
import { type InodeNames, openInodeNames } from '../../../src/engine/inode-names.ts';
import { openLinked } from '../../../src/engine/linked.ts';
import { createManualClock } from '../../fakes/clock.ts';
import { entry } from '../../fakes/entry.ts';
import { Ground } from './ground.ts';

let ground: Ground;

beforeEach(async () => {
  ground = new Ground();
  await ground.start(entry('/r/a', { inode: 7n, nlink: 2 }), entry('/r/b', { inode: 7n, nlink: 2 }));
});
afterEach(() => ground.close());

test('what changes while the baseline is taken in is told afterwards, with the last who did it; then at once', async () => {
  const names = openInodeNames({ store: ground.store, clock: createManualClock(), onFull: () => {} });
  const table = openInodeTable(names.memory);
  const doubted: [string, Actor][] = [];
  const linked = openLinked(names, (path, actor) => doubted.push([path, actor]));
  const by = (pid: number): Actor => ({ source: 'exec', pid });
  for (const pid of [1, 2]) linked.tell([inodeKey(7n)], by(pid));
  linked.tell([inodeKey(99n)], by(3));
  expect(linked.waiting).toBe(2);
  expect(doubted).toEqual([]);
  expect(table.has(inodeKey(99n))).toBe(true);
  await linked.fill(new AbortController().signal);
  expect(linked.waiting).toBe(0);
  expect(table.has(inodeKey(99n))).toBe(false);
  expect(doubted.sort()).toEqual([
    ['/r/a', by(2)],
    ['/r/b', by(2)],
  ]);
  linked.tell([inodeKey(7n)], by(4));
  expect(doubted.slice(2).sort()).toEqual([
    ['/r/a', by(4)],
    ['/r/b', by(4)],
  ]);
});

test('many that waited are told as one, by who changed them, however many batches they came in', async () => {
  const names = openInodeNames({ store: ground.store, clock: createManualClock(), onFull: () => {} });
  const asked: (readonly number[])[] = [];
  const namesOf: InodeNames['namesOf'] = (keys) => {
    asked.push(keys);
    return names.namesOf(keys);
  };
  const doubted: string[] = [];
  const linked = openLinked({ ...names, namesOf }, (path, { pid }) => doubted.push(`${path} ${pid}`));
  for (let key = 100; key < 10_000; key += 1) linked.tell([key], { source: 'exec', pid: 1 + (key % 2) });
  linked.tell([inodeKey(7n)], { source: 'exec', pid: 2 });
  await linked.fill(new AbortController().signal);
  expect(asked.map(({ length }) => length)).toEqual([4_096, 854, 4_096, 855]);
  expect(doubted.sort()).toEqual(['/r/a 2', '/r/b 2']);
  expect(linked.waiting).toBe(0);
});

test('a watch that ends before all is known says nothing', async () => {
  const names = openInodeNames({ store: ground.store, clock: createManualClock(), onFull: () => {} });
  const linked = openLinked(names, () => expect.unreachable());
  linked.tell([inodeKey(7n)], { source: 'unknown' });
  await linked.fill(AbortSignal.abort());
  expect(linked.waiting).toBe(1);
});

test('what changes when there is no room for more names waits until they are taken in again', async () => {
  const table = createInodeTable(0, 16);
  const names = openInodeNames({ store: ground.store, clock: createManualClock(), onFull: () => {}, table });
  const doubted: string[] = [];
  const linked = openLinked(names, (path) => doubted.push(path));
  await linked.fill(new AbortController().signal);
  for (let inode = 100n; !names.isCrowded; inode += 1n) names.note({ after: entry('/r/x', { inode }) });
  linked.tell([inodeKey(7n)], { source: 'unknown' });
  expect([linked.waiting, doubted]).toEqual([1, []]);
  await linked.fill(new AbortController().signal);
  expect([linked.waiting, doubted.sort(), names.isCrowded]).toEqual([0, ['/r/a', '/r/b'], false]);
});
