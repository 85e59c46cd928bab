// Quick mode: what the baseline knows need not be read.
import { mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { fieldsOfEntry, recordBytes, recordOffsets, writeRecord } from '../../../src/domain/packed.ts';
import { type BytePath, dirOf, nameOf } from '../../../src/domain/path.ts';
import type { Page } from '../../../src/engine/ports/disk.ts';
import {
  bytesReadOf,
  diskOver,
  entriesOf,
  entryOf,
  ruleOver,
  scopeOf,
  settle,
  temporaryDirectory,
  walkAll,
} from './fixture.ts';

/** As a baseline would: everything known of a directory between two names. */
function knownFrom(pages: readonly Page[]) {
  const entries = [...entriesOf(pages).values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  return (dir: BytePath, after?: BytePath, upTo?: BytePath): Buffer => {
    const records = entries
      .filter(({ path }) => dirOf(path) === dir)
      .filter(
        ({ path }) => (after === undefined || nameOf(path) > after) && (upTo === undefined || nameOf(path) <= upTo),
      )
      .map((entry) => {
        const fields = fieldsOfEntry(entry, nameOf(entry.path));
        const record = Buffer.alloc(recordBytes(fields));
        writeRecord(record, 0, fields);
        return record;
      });
    return Buffer.concat(records);
  };
}

async function tree(): Promise<string> {
  const dir = temporaryDirectory();
  for (let sub = 0; sub < 20; sub += 1) {
    mkdirSync(`${dir}/${sub}`);
    for (let file = 0; file < 20; file += 1) writeFileSync(`${dir}/${sub}/${file}`, `${sub} ${file}`);
    symlinkSync('target', `${dir}/${sub}/link`);
  }
  await settle(dir);
  return dir;
}

test('nothing is read of an unchanged tree, and the result is the same', async () => {
  const dir = await tree();
  const disk = diskOver(scopeOf(ruleOver([dir])));
  const first = await walkAll(disk, dir);
  const second = await walkAll(disk, dir, { known: knownFrom(first) });
  expect(bytesReadOf(first)).toBeGreaterThan(400);
  expect(bytesReadOf(second)).toBe(0);
  expect(entriesOf(second)).toEqual(entriesOf(first));
});

test('what changed is read: content, content with its times put back, new names', async () => {
  const dir = await tree();
  const disk = diskOver(scopeOf(ruleOver([dir])));
  const first = await walkAll(disk, dir);
  writeFileSync(`${dir}/3/3`, 'changed');
  const before = entryOf(entriesOf(first), `${dir}/4/4`);
  writeFileSync(`${dir}/4/4`, '4-4');
  utimesSync(`${dir}/4/4`, 0, Number(before.mtimeNs / 1_000_000n) / 1000);
  writeFileSync(`${dir}/5/new`, 'new');
  await settle(dir);
  const second = await walkAll(disk, dir, { known: knownFrom(first) });
  expect(bytesReadOf(second)).toBe('changed'.length + '4-4'.length + 'new'.length);
  const full = entriesOf(await walkAll(disk, dir));
  expect(entriesOf(second)).toEqual(full);
  expect(entryOf(full, `${dir}/4/4`).digest).not.toEqual(before.digest);
});

test('ranges of a large directory are asked for one by one', async () => {
  const dir = temporaryDirectory();
  for (let file = 0; file < 3000; file += 1) writeFileSync(`${dir}/${file}`, `${file}`);
  await settle(dir);
  const disk = diskOver(scopeOf(ruleOver([dir])));
  const first = await walkAll(disk, dir);
  const second = await walkAll(disk, dir, { known: knownFrom(first) });
  expect(bytesReadOf(second)).toBe(0);
  expect(entriesOf(second)).toEqual(entriesOf(first));
});

test('a record without a digest, or one that is incomplete or unsettled, does not serve', async () => {
  const dir = temporaryDirectory();
  writeFileSync(`${dir}/file`, 'content');
  const owner = await walkAll(diskOver(scopeOf(ruleOver([dir], { attributes: ['owner'] }))), dir);
  const disk = diskOver(scopeOf(ruleOver([dir])));
  const full = await walkAll(disk, dir, { known: knownFrom(owner) });
  expect(entryOf(entriesOf(full), `${dir}/file`).digest).toBeDefined();
  await settle(dir);
  const known = knownFrom(await walkAll(disk, dir));
  for (const [offset, value] of [
    [11, 5],
    [20, 1],
  ] as const) {
    const broken = (run: Buffer): Buffer => {
      for (const at of recordOffsets(run)) run[at + offset] = value;
      return run;
    };
    const again = await walkAll(disk, dir, { known: (...args) => broken(known(...args)) });
    expect(bytesReadOf(again)).toBe(readFileSync(`${dir}/file`).length);
    expect([...entriesOf(again).values()].map(({ incomplete }) => incomplete)).toEqual([0, 0]);
    expect([...entriesOf(again).values()].map(({ isUnsettled }) => isUnsettled)).toEqual([undefined, undefined]);
  }
});
