import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Entry } from '../../../src/domain/entry.ts';
import { packRun, readRecord, recordLength, recordName, recordOffsets } from '../../../src/domain/packed.ts';
import { isSameRecord, isSameStat } from '../../../src/domain/packed-same.ts';
import { type BytePath, pathFromLatin1 } from '../../../src/domain/path.ts';
import { digestOf, entry, path } from '../../fakes/entry.ts';

const byteName = fc
  .uint8Array({ minLength: 1, maxLength: 255 })
  .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x41 : byte))).toString('latin1'));
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const anyEntry: fc.Arbitrary<Entry> = fc
  .record({
    name: byteName,
    type: fc.constantFrom('file', 'directory', 'symlink', 'fifo', 'socket', 'char', 'block'),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: u32,
    gid: u32,
    sizeBytes: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
    mtimeNs: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
    ctimeNs: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
    inode: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    nlink: u32,
    flags: u32,
    incomplete: fc.integer({ min: 0, max: 255 }),
    hasDigest: fc.boolean(),
    target: byteName,
    xattr: fc.option(fc.uint8Array({ maxLength: 256 }), { nil: undefined }),
  })
  .map(({ name, hasDigest, target, xattr, ...fields }) =>
    entry('/', {
      ...fields,
      digest: hasDigest ? digestOf(name) : undefined,
      target: fields.type === 'symlink' ? pathFromLatin1(target) : undefined,
      xattrs: xattr === undefined ? [] : [{ name: 'user.x', value: Buffer.from(xattr) }],
      path: pathFromLatin1(`/d/${name}`),
    } as Partial<Entry>),
  );

test('readRecord gives back every entry that packRun packed', () => {
  fc.assert(
    fc.property(fc.array(anyEntry, { maxLength: 8 }), (entries) => {
      const run = packRun(entries);
      const back = [...recordOffsets(run)].map((at) => readRecord(run, at, path('/d')));
      expect(back.map(comparable)).toEqual(entries.map(comparable));
    }),
  );
});

/** Buffers and typed arrays of equal bytes are equal. */
function comparable(one: Entry): unknown {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  const digest = one.digest && { ...one.digest, value: hex(one.digest.value) };
  return { ...one, digest, xattrs: one.xattrs.map(({ name, value }) => [name, hex(value)]) };
}

test('recordLength refuses every truncated run and survives random bytes', () => {
  const run = packRun([entry('/d/a', { xattrs: [{ name: 'user.a', value: Buffer.from('1') }] })]);
  for (let length = 1; length < run.length; length += 1) {
    expect(() => recordLength(run.subarray(0, length), 0)).toThrow('damaged');
  }
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
      try {
        expect(recordLength(Buffer.from(bytes), 0)).toBeLessThanOrEqual(bytes.length);
      } catch (error) {
        expect(String(error)).toContain('damaged');
      }
    }),
  );
});

test('isSameStat ignores what is not stat, isSameRecord nothing', () => {
  const a = packRun([entry('/d/a')]);
  const otherDigest = packRun([entry('/d/a', { digest: digestOf('other') })]);
  const otherSize = packRun([entry('/d/a', { sizeBytes: 4n })]);
  const otherMode = packRun([entry('/d/a', { mode: 0o600 })]);
  expect(isSameStat(a, 0, otherDigest, 0)).toBe(true);
  expect(isSameStat(a, 0, otherSize, 0)).toBe(false);
  expect(isSameStat(a, 0, otherMode, 0)).toBe(false);
  expect(isSameRecord(a, 0, otherDigest, 0, a.length)).toBe(false);
});

test('the root directory has a name of its own', () => {
  const run = packRun([entry('/', { type: 'directory' })]);
  expect(recordName(run, 0)).toBe('/');
  expect(readRecord(run, 0, '' as BytePath).path).toBe('/');
});
