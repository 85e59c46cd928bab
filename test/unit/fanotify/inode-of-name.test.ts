// What a name stands for, beside what lstat(2) of Node says.
import { linkSync, lstatSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inodeKey } from '../../../src/domain/inode-table.ts';
import { pathFromBytes, pathFromText, pathToBytes } from '../../../src/domain/path.ts';
import { keyOfLoneName, keyOfName } from '../../../src/fanotify/inode-of-name.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'driftline-name-'));
  writeFileSync(join(dir, 'two'), '');
  linkSync(join(dir, 'two'), join(dir, 'other'));
  symlinkSync('two', join(dir, 'link'));
  for (const name of ['one', 'a', 'umlaut ä', 'x'.repeat(255)]) writeFileSync(join(dir, name), '');
  writeFileSync(Buffer.concat([Buffer.from(`${dir}/`), Buffer.from([0xff, 0x0a])]), '');
});
afterAll(() => rmSync(dir, { recursive: true }));

const keyOf = (name: Buffer): number => inodeKey(lstatSync(name, { bigint: true }).ino);

test.each(['x'.repeat(255), 'one', 'a', 'umlaut ä', 'link'])('%s: the inode of the only name', (name) => {
  const path = pathFromText(join(dir, name));
  expect(keyOfName(path)).toBe(keyOf(pathToBytes(path)));
  expect(keyOfLoneName(path)).toBe(keyOfName(path));
});

test('a name that is no text', () => {
  const bytes = Buffer.concat([Buffer.from(`${dir}/`), Buffer.from([0xff, 0x0a])]);
  expect(keyOfLoneName(pathFromBytes(bytes))).toBe(keyOf(bytes));
});

test.each(['two', 'other'])('%s: not the only name', (name) => {
  const path = pathFromText(join(dir, name));
  expect(keyOfName(path)).toBe(keyOf(pathToBytes(path)));
  expect(keyOfLoneName(path)).toBeUndefined();
});

test.each(['none', 'one/below', 'x'.repeat(256)])('%s: nothing can be had of it', (name) => {
  expect(keyOfName(pathFromText(join(dir, name)))).toBeUndefined();
});

test.each([4_095, 4_096, 5_000])('a path of %i bytes', (length) => {
  const path = pathFromText(
    `${dir}/${'./'.repeat(length)}`
      .slice(0, length - 1)
      .replace(/[./]*$/, (tail) => `/${'/'.repeat(tail.length - 1)}`)
      .concat('a'),
  );
  expect(path).toHaveLength(length);
  expect(keyOfName(path)).toBe(length < 4_096 ? keyOf(pathToBytes(pathFromText(join(dir, 'a')))) : undefined);
});
