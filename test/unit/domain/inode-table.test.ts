import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createInodeTable, inodeKey, openInodeTable } from '../../../src/domain/inode-table.ts';
import { packRun, recordInodeKey } from '../../../src/domain/packed.ts';
import { entry } from '../../fakes/entry.ts';

test('what was added is found, from other memory, too; what was not, is not', () => {
  const pair = fc.tuple(fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), fc.nat(1000));
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 300 }), fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), (pairs, other) => {
      const table = createInodeTable(pairs.length);
      for (const [inode, dir] of pairs) expect(table.add(inodeKey(inode), dir)).toBe(true);
      const opened = openInodeTable(table.memory);
      for (const [inode] of pairs) {
        const dirs = pairs.filter(([one]) => inodeKey(one) === inodeKey(inode)).map(([, dir]) => dir);
        expect(opened.dirsOf(inodeKey(inode)).sort()).toEqual([...new Set(dirs)].sort());
        expect(opened.has(inodeKey(inode))).toBe(true);
      }
      expect(opened.has(inodeKey(other))).toBe(pairs.some(([one]) => inodeKey(one) === inodeKey(other)));
    }),
  );
});

test('what is being filled may have everything', () => {
  const table = createInodeTable(0);
  table.filling();
  expect(openInodeTable(table.memory).has(5)).toBe(true);
  expect(table.dirsOf(5)).toEqual([]);
  table.filled();
  expect(openInodeTable(table.memory).has(5)).toBe(false);
});

test('what was linked is so since the moment that it was said at, and no later one', () => {
  const table = createInodeTable(0);
  const reader = openInodeTable(table.memory);
  const first = table.nextMoment();
  expect(table.hasChangedSince(7, first)).toBe(false);
  reader.noteChange(7);
  expect(table.hasChangedSince(7, first)).toBe(true);
  const second = table.nextMoment();
  expect(table.hasChangedSince(7, second)).toBe(false);
  reader.noteChange(7);
  expect([first, second].map((moment) => table.hasChangedSince(7, moment))).toEqual([true, true]);
  // Of others some share its place, and few do.
  const mistaken = Array.from({ length: 10_000 }, (_, n) => n + 8).filter((key) => table.hasChangedSince(key, first));
  expect(mistaken.length).toBeLessThan(10);
});

test('a full table says so, and still finds what it has', () => {
  const table = createInodeTable(0);
  let added = 0;
  while (table.add(added, 1)) added += 1;
  expect(added).toBe(419_431);
  expect(table.add(0, 1)).toBe(true);
  expect(table.has(added - 1)).toBe(true);
  expect(table.has(added)).toBe(false);
  expect(table.dirsOf(added)).toEqual([]);
});

test('a table as full as it gets forgets nothing, and takes few keys for others', () => {
  const entries = 400_000;
  const table = createInodeTable(entries);
  const key = (n: number): number => inodeKey(BigInt(n) * 0x9e3779b97f4a7c15n);
  let added = 0;
  while (table.add(key(added), added % 1000)) added += 1;
  expect(added).toBe(entries * 1.5);
  let forgotten = 0;
  let mistaken = 0;
  for (let n = 0; n < added; n += 1) {
    if (!table.has(key(n)) || !table.dirsOf(key(n)).includes(n % 1000)) forgotten += 1;
    if (table.has(key(added + n))) mistaken += 1;
  }
  expect(forgotten).toBe(0);
  expect(mistaken / added).toBeLessThan(0.001);
});

test("inodes that follow each other, as most filesystems give them out, do not get into each other's way", () => {
  const table = createInodeTable(100_000);
  for (let inode = 0; inode < 100_000; inode += 1) table.add(inodeKey(BigInt(inode)), 7);
  let mistaken = 0;
  for (let inode = 100_000; inode < 200_000; inode += 1) if (table.has(inodeKey(BigInt(inode)))) mistaken += 1;
  expect(mistaken).toBeLessThan(100);
});

test('a packed record has the key of its inode', () => {
  for (const inode of [1n, 2n ** 32n - 1n, 2n ** 32n, 0xfedcba9876543210n, 2n ** 64n - 1n]) {
    expect(recordInodeKey(packRun([entry('/r/a', { inode })]), 0)).toBe(inodeKey(inode));
  }
});
