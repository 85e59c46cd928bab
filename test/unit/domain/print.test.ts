// Prints: what makes two entries different for somebody who runs commands on change.
import { expect, test } from 'vitest';
import { openHasher } from '../../../src/disk/digest.ts';
import type { Entry } from '../../../src/domain/entry.ts';
import { packRun } from '../../../src/domain/packed.ts';
import { NO_PRINT, printOf } from '../../../src/domain/print.ts';
import { digestOf, entry, path } from '../../fakes/entry.ts';

type Fields = Partial<Omit<Entry, 'path'>>;

const hash = openHasher();
const print = (fields: Fields): string => printOf(hash, packRun([entry('/d/a', fields)]), 0);

test.each<[string, Fields]>([
  ['content', { digest: digestOf('abd') }],
  ['the algorithm of the digest', { digest: { ...digestOf('abc'), algorithm: 'sparse' } }],
  ['size', { sizeBytes: 4n }],
  ['mode', { mode: 0o600 }],
  ['user', { uid: 1 }],
  ['group', { gid: 1 }],
  ['extended attributes', { xattrs: [{ name: 'user.a', value: new Uint8Array(1) }] }],
  ['type', { type: 'fifo', digest: undefined }],
  ['content that was not read', { digest: undefined }],
])('differ by %s', (_, fields) => {
  expect(print(fields)).not.toBe(print({}));
});

test('differ by target and device', () => {
  const link = (target: string): string => print({ type: 'symlink', digest: undefined, target: path(target) });
  expect(link('a')).not.toBe(link('b'));
  const device = (minor: number): string => print({ type: 'char', digest: undefined, rdev: { major: 1, minor } });
  expect(device(1)).not.toBe(device(2));
});

test.each<[string, Fields]>([
  ['mtime', { mtimeNs: 7n }],
  ['ctime', { ctimeNs: 7n }],
  ['inode', { inode: 7n }],
  ['links', { nlink: 7 }],
])('do not differ by %s', (_, fields) => {
  expect(print(fields)).toBe(print({}));
});

test('of content that was not read differ by mtime', () => {
  expect(print({ digest: undefined, mtimeNs: 7n })).not.toBe(print({ digest: undefined }));
  const fifo = { type: 'fifo', digest: undefined } as const;
  expect(print({ ...fifo, mtimeNs: 7n })).toBe(print(fifo));
});

test('of a directory do not differ by size, and not at all of what could not be read', () => {
  expect(print({ type: 'directory', sizeBytes: 9n })).toBe(print({ type: 'directory' }));
  expect(print({ incomplete: 5 })).toBe(NO_PRINT);
});
