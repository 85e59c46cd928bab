import { expect, test } from 'vitest';
import { type AttributeSet, resolveAttributes } from '../../../src/domain/attribute.ts';
import { compareEntries, prefixToVerify } from '../../../src/domain/compare.ts';
import { digestOf, entry, path } from '../../fakes/entry.ts';

function set(...words: string[]): AttributeSet {
  const found = resolveAttributes(words, new Map());
  if ('unknown' in found) throw new Error(found.unknown);
  return found;
}

const before = entry('/a');

test.each([
  ['type', { type: 'fifo' }],
  ['mode', { mode: 0o600 }],
  ['uid', { uid: 1 }],
  ['gid', { gid: 1 }],
  ['size', { sizeBytes: 4n }],
  ['mtime', { mtimeNs: 1n }],
  ['ctime', { ctimeNs: 1n }],
  ['inode', { inode: 1n }],
  ['nlink', { nlink: 2 }],
  ['rdev', { rdev: { major: 8, minor: 1 } }],
  ['digest', { digest: digestOf('other') }],
  ['xattrs', { xattrs: [{ name: 'user.x', value: Buffer.from('1') }] }],
  ['flags', { flags: 0x10 }],
] as const)('compareEntries reports a change of %s, and only that', (attribute, fields) => {
  expect(compareEntries(before, entry('/a', fields), set('strict'))).toEqual([attribute]);
  expect(compareEntries(before, entry('/a', fields), set('type'))).toEqual(attribute === 'type' ? ['type'] : []);
});

test('the default group leaves inode, nlink and ctime alone', () => {
  const after = entry('/a', { inode: 1n, nlink: 2, ctimeNs: 5n });
  expect(compareEntries(before, after, set('default'))).toEqual([]);
  expect(compareEntries(before, after, set('strict'))).toEqual(['ctime', 'inode', 'nlink']);
});

test('of a directory only type, mode, owner, xattrs and flags count', () => {
  const dir = entry('/d', { type: 'directory' });
  const busy = entry('/d', { type: 'directory', sizeBytes: 9n, mtimeNs: 9n, ctimeNs: 9n, nlink: 9, inode: 9n });
  expect(compareEntries(dir, busy, set('strict'))).toEqual([]);
  expect(compareEntries(dir, entry('/d', { type: 'directory', mode: 0o700, flags: 1 }), set('strict'))).toEqual([
    'mode',
    'flags',
  ]);
});

test('a growing file may only get longer', () => {
  const log = entry('/log', { sizeBytes: 10n });
  const growing = set('growing');
  const longer = entry('/log', { sizeBytes: 20n, mtimeNs: 9n, digest: digestOf('longer') });
  expect(compareEntries(log, longer, growing)).toEqual([]);
  expect(prefixToVerify(log, longer, growing)).toBe(10n);
  expect(compareEntries(log, entry('/log', { sizeBytes: 9n }), growing)).toEqual(['size', 'digest']);
  const rewritten = entry('/log', { sizeBytes: 10n, digest: digestOf('rewritten') });
  expect(compareEntries(log, rewritten, growing)).toEqual(['digest']);
  expect(prefixToVerify(log, rewritten, growing)).toBeUndefined();
  expect(compareEntries(log, entry('/log', { sizeBytes: 20n, mode: 0o666 }), growing)).toEqual(['mode']);
});

test('a missing digest on one side says nothing', () => {
  expect(compareEntries(before, entry('/a', { digest: undefined }), set('strict'))).toEqual([]);
});

test('what could not be read when the baseline was made differs from whatever is read now', () => {
  const unread = entry('/a', { digest: undefined, incomplete: 13 });
  expect(compareEntries(unread, before, set('default'))).toEqual(['digest']);
  expect(compareEntries(unread, entry('/a', { sizeBytes: 4n }), set('growing'))).toEqual(['digest']);
  expect(compareEntries(unread, before, set('owner'))).toEqual([]);
  const labelled = entry('/a', { xattrs: [{ name: 'user.x', value: Buffer.from('1') }], flags: 0x10 });
  expect(compareEntries(unread, labelled, set('default'))).toEqual(['digest', 'xattrs', 'flags']);
  const link = entry('/l', { type: 'symlink', digest: undefined, target: path('/x') });
  expect(compareEntries({ ...link, target: undefined, incomplete: 5 }, link, set('default'))).toEqual(['target']);
});

test('what cannot be read now says nothing beyond its stat', () => {
  const unread = entry('/a', { digest: undefined, mode: 0o600, incomplete: 13 });
  const labelled = entry('/a', { xattrs: [{ name: 'user.x', value: Buffer.from('1') }], flags: 0x10 });
  expect(compareEntries(labelled, unread, set('default'))).toEqual(['mode']);
  expect(compareEntries({ ...unread, mode: 0o644 }, unread, set('default'))).toEqual(['mode']);
});

test('resolveAttributes names the word that means nothing, cycles included', () => {
  const own = new Map([
    ['logs', ['owner', 'growing']],
    ['loop', ['loop']],
  ]);
  expect(resolveAttributes(['logs'], own)).toMatchObject({ growing: true });
  expect(resolveAttributes(['nonsense'], own)).toEqual({ unknown: 'nonsense' });
  expect(resolveAttributes(['loop'], own)).toEqual({ unknown: 'loop' });
});
