// The names of an inode in a real baseline, in what is accepted, and in open drift.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createInodeTable, inodeKey, openInodeTable } from '../../../src/domain/inode-table.ts';
import { type InodeNames, openInodeNames } from '../../../src/engine/inode-names.ts';
import type { Store } from '../../../src/engine/ports/store.ts';
import { createManualClock } from '../../fakes/clock.ts';
import { entry, path } from '../../fakes/entry.ts';
import { dir, Ground } from './ground.ts';

let ground: Ground;
let names: InodeNames;
let timesFull = 0;
const clock = createManualClock();
const onFull = (): void => {
  timesFull += 1;
};

beforeEach(async () => {
  ground = new Ground();
  await ground.start(
    entry('/r/a', { inode: 7n, nlink: 3 }),
    dir('/r/d', 2n),
    entry('/r/d/b', { inode: 7n, nlink: 3 }),
    entry('/r/d/c', { inode: 7n, nlink: 3 }),
    entry('/r/d/other', { inode: 8n }),
  );
  names = openInodeNames({ store: ground.store, clock, onFull });
  await names.fill(new AbortController().signal);
});
afterEach(() => ground.close());

const namesOf = (inode: bigint): string[] => [...names.namesOf([inodeKey(inode)])].sort();

test('all names in the baseline, in whatever directory; of what is not there, none', () => {
  expect(namesOf(7n)).toEqual(['/r/a', '/r/d/b', '/r/d/c']);
  expect(namesOf(8n)).toEqual(['/r/d/other']);
  expect(namesOf(99n)).toEqual([]);
});

test('of many inodes that have names in one directory, that is read once, until something is committed', async () => {
  let [runs, opens] = [0, 0];
  const { baseline } = ground.store;
  const counted: Store = {
    ...ground.store,
    baseline: {
      ...baseline,
      run(...range) {
        runs += 1;
        return baseline.run(...range);
      },
    },
    openPathsIn(dir) {
      opens += 1;
      return ground.store.openPathsIn(dir);
    },
  };
  names = openInodeNames({ store: counted, clock, onFull });
  await names.fill(new AbortController().signal);
  const keys = [7n, 8n].map(inodeKey);
  const all = ['/r/a', '/r/d/b', '/r/d/c', '/r/d/other'];
  for (const asked of [keys, keys, keys.slice(1)]) names.namesOf(asked);
  expect([...names.namesOf(keys)].sort()).toEqual(all);
  expect([runs, opens]).toEqual([2, 2]);
  names.store.commit({ accept: { put: [], drop: [path('/r/d/b')] } });
  expect([...names.namesOf(keys)].sort()).toEqual(all.filter((name) => name !== '/r/d/b'));
  expect([runs, opens]).toEqual([4, 4]);
});

test('what was found before the baseline is taken in takes no room twice', async () => {
  const many = Array.from({ length: 70_000 }, (_, n) => entry(`/s/${n % 700}/${n}`, { inode: BigInt(n + 100) }));
  ground.store.commit({ accept: { put: many, drop: [] } });
  timesFull = 0;
  names = openInodeNames({ store: ground.store, clock, onFull });
  for (const before of many) names.note({ before, after: { ...before, mode: 0o600 } });
  await names.fill(new AbortController().signal);
  expect(timesFull).toBe(0);
  const keys = many.map(({ inode }) => inodeKey(inode));
  // More than is kept: those of before are forgotten, and found again.
  for (const asked of [keys, keys.slice(0, 40_000), keys.slice(40_000), keys.slice(0, 10)]) {
    expect([...names.namesOf(asked)].sort()).toEqual(asked.map((key) => `/s/${(key - 100) % 700}/${key - 100}`).sort());
  }
  expect(names.note({ before: many[0], after: many[0] })).toBe(false);
});

test('names of many inodes at once are those in the baseline', async () => {
  ground.disk.set(entry('/r/d/added', { inode: 8n }));
  await ground.dirty('/r/d/added');
  const keys = [7n, 8n, 99n].map(inodeKey);
  expect(names.inBaseline(new Set(keys)).sort()).toEqual(['/r/a', '/r/d/b', '/r/d/c', '/r/d/other']);
  expect(names.inBaseline(new Set())).toEqual([]);
});

test('what is accepted has names, too, and what goes has none', () => {
  names.store.commit({ accept: { put: [entry('/r/d/new', { inode: 9n })], drop: [path('/r/d/b')] } });
  expect(namesOf(9n)).toEqual(['/r/d/new']);
  expect(namesOf(7n)).toEqual(['/r/a', '/r/d/c']);
});

test('what is open drift in a directory is in doubt with an inode that was found there', async () => {
  const added = entry('/r/d/added', { inode: 10n });
  ground.disk.set(added);
  expect(await ground.dirty('/r/d/added')).toEqual(['added /r/d/added #1']);
  names.note({ after: added });
  expect(namesOf(10n)).toEqual(['/r/d/added']);
});

test('a new name beside a known one is in doubt, too', async () => {
  ground.disk.set(entry('/r/d/added', { inode: 7n, nlink: 4 }));
  await ground.dirty('/r/d/added');
  expect(namesOf(7n)).toEqual(['/r/a', '/r/d/added', '/r/d/b', '/r/d/c']);
});

test('whoever is found with an inode for the first time was not looked for until then, also beside another name of it', async () => {
  const [one, other] = [entry('/r/e', { inode: 11n }), entry('/r/f', { inode: 11n })];
  expect([one, other].map((after) => names.note({ after }))).toEqual([true, true]);
  ground.disk.set(one);
  await ground.dirty('/r/e');
  expect([one, other].map((after) => names.note({ after }))).toEqual([false, true]);
  expect(names.note({ after: { ...one, inode: 12n } })).toBe(true);
  const before = entry('/r/a', { inode: 7n });
  expect(names.note({ before, after: { ...before, mode: 0o600 } })).toBe(false);
  expect(names.note({ before, after: { ...before, inode: 13n } })).toBe(true);
  expect(names.note({ before, after: { ...before, path: path('/r/g') } })).toBe(true);
  expect(names.note({ before })).toBe(false);
});

test('what was replaced by something equal is found by its new inode, too', () => {
  const moment = names.moment();
  const after = entry('/r/a', { inode: 20n });
  expect(names.noteReplaced(after)).toBe(true);
  expect(names.noteReplaced(after)).toBe(false);
  expect(namesOf(20n)).toEqual(['/r/a']);
  expect(namesOf(7n)).toEqual(['/r/a', '/r/d/b', '/r/d/c']);
  expect(names.hasChangedSince(after, moment)).toBe(false);
  openInodeTable(names.memory).noteChange(inodeKey(20n));
  expect(names.hasChangedSince(after, moment)).toBe(true);
});

/** Room for 51 names. */
async function withLittleRoom(): Promise<void> {
  timesFull = 0;
  names = openInodeNames({ store: ground.store, clock, onFull, table: createInodeTable(0, 64) });
  await names.fill(new AbortController().signal);
}

/** Names that come and go until there is no room for more. */
function crowd(first: bigint): void {
  const isFull = timesFull;
  for (let inode = first; !names.isCrowded && timesFull === isFull; inode += 1n) {
    expect(inode).toBeLessThan(first + 100n);
    names.note({ after: entry('/r/x', { inode }) });
  }
}

test('names that are gone make room when there is none left', async () => {
  await withLittleRoom();
  names.noteReplaced(entry('/r/a', { inode: 20n }));
  crowd(100n);
  const table = openInodeTable(names.memory);
  expect(names.isCrowded).toBe(true);
  expect(table.has(inodeKey(77_777n))).toBe(true);
  names.clear();
  expect(names.isCrowded).toBe(false);
  expect(table.has(inodeKey(77_777n))).toBe(true);
  expect(namesOf(7n)).toEqual([]);
  await names.fill(new AbortController().signal);
  expect([7n, 20n, 100n, 77_777n].map((inode) => table.has(inodeKey(inode)))).toEqual([true, true, false, false]);
  expect(namesOf(7n)).toEqual(['/r/a', '/r/d/b', '/r/d/c']);
  expect(namesOf(20n)).toEqual(['/r/a']);
  expect(timesFull).toBe(0);
});

test('that there is no room for an hour is told, once, and nothing is read again for it', async () => {
  await withLittleRoom();
  crowd(100n);
  names.clear();
  await names.fill(new AbortController().signal);
  crowd(200n);
  expect([names.isCrowded, timesFull]).toEqual([false, 1]);
  expect(names.note({ after: entry('/r/x', { inode: 1_000_000n }) })).toBe(false);
  expect(timesFull).toBe(1);
  expect(namesOf(7n)).toEqual(['/r/a', '/r/d/b', '/r/d/c']);
  await clock.advance(3_600_000);
  expect(names.note({ after: entry('/r/x', { inode: 1_000_001n }) })).toBe(true);
  expect([names.isCrowded, timesFull]).toEqual([true, 1]);
});

test('of what is replaced again and again the last one counts', async () => {
  await withLittleRoom();
  for (const inode of [20n, 21n, 20n]) {
    expect(names.noteReplaced(entry('/r/a', { inode }))).toBe(true);
    expect(names.noteReplaced(entry('/r/d/b', { inode }))).toBe(true);
  }
  expect([namesOf(20n), namesOf(21n)]).toEqual([['/r/a', '/r/d/b'], []]);
  expect(names.noteReplaced(entry('/r/a', { inode: 22n }))).toBe(true);
  expect([namesOf(20n), namesOf(22n)]).toEqual([['/r/d/b'], ['/r/a']]);
});
