// The fast writer makes the very bytes of domain/packed.ts.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRecordWriter, type Extras } from '../../../src/disk/record-writer.ts';
import { isSettled } from '../../../src/disk/stat.ts';
import type { Digest } from '../../../src/domain/entry.ts';
import { type RecordFields, recordBytes, writeRecord } from '../../../src/domain/packed.ts';
import { isSameStat } from '../../../src/domain/packed-same.ts';
import { allocateStat, type Stat, WORD } from '../../../src/libc/statx.ts';

const byteString = (maxLength: number) =>
  fc.uint8Array({ minLength: 1, maxLength }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const seconds = fc.bigInt({ min: -(2n ** 33n), max: 2n ** 33n });
const nanoseconds = fc.integer({ min: 0, max: 999_999_999 });
const digest: fc.Arbitrary<Digest | undefined> = fc.option(
  fc.record({
    algorithm: fc.constantFrom('blake3' as const, 'sparse' as const),
    value: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  }),
  { nil: undefined },
);

const input = fc.record({
  fields: fc.record({
    name: byteString(255),
    mode: fc.integer({ min: 0, max: 0xffff }),
    uid: u32,
    gid: u32,
    sizeBytes: u64,
    inode: u64,
    nlink: u32,
    rdevMajor: u32,
    rdevMinor: u32,
    flags: u32,
    incomplete: fc.integer({ min: 0, max: 255 }),
    isUnsettled: fc.boolean(),
    target: fc.oneof(fc.constant(''), byteString(4095)),
    digest,
    xattrs: fc.uint8Array({ maxLength: 300 }),
  }),
  mtime: fc.tuple(seconds, nanoseconds),
  ctime: fc.tuple(seconds, nanoseconds),
});

type Input = typeof input extends fc.Arbitrary<infer T> ? T : never;

function fieldsOf({ fields, mtime, ctime }: Input): RecordFields {
  const ns = ([s, rest]: readonly [bigint, number]): bigint => s * 1_000_000_000n + BigInt(rest);
  return { ...fields, mtimeNs: ns(mtime), ctimeNs: ns(ctime) };
}

function statOf({ fields, mtime, ctime }: Input): Stat {
  const stat = allocateStat();
  const u64s = new BigUint64Array(stat.u32.buffer, stat.u32.byteOffset, stat.u32.length / 2);
  stat.u32[WORD.mode] = fields.mode;
  stat.u32[WORD.uid] = fields.uid;
  stat.u32[WORD.gid] = fields.gid;
  stat.u32[WORD.nlink] = fields.nlink;
  stat.u32[WORD.rdevMajor] = fields.rdevMajor;
  stat.u32[WORD.rdevMinor] = fields.rdevMinor;
  u64s[WORD.ino / 2] = fields.inode;
  u64s[WORD.size / 2] = fields.sizeBytes;
  for (const [at, [s, rest]] of [[WORD.mtime, mtime] as const, [WORD.ctime, ctime] as const]) {
    new BigInt64Array(stat.u32.buffer, stat.u32.byteOffset)[at / 2] = s;
    stat.u32[at + 2] = rest;
  }
  return stat;
}

function extrasOf({ fields }: Input): Extras {
  return { ...fields, target: Buffer.from(fields.target, 'latin1') };
}

test('records are byte for byte those of writeRecord, whatever lay in the memory before', () => {
  const writer = createRecordWriter();
  fc.assert(
    fc.property(fc.array(input, { minLength: 1, maxLength: 4 }), (inputs) => {
      const expected = inputs.map((one) => {
        const record = Buffer.alloc(recordBytes(fieldsOf(one)), 0xee);
        writeRecord(record, 0, fieldsOf(one));
        return record;
      });
      for (const one of inputs) writer.write(statOf(one), one.fields.name, extrasOf(one));
      expect(Buffer.from(writer.take())).toEqual(Buffer.concat(expected));
    }),
    { numRuns: 300 },
  );
});

test('memory grows with what is written', () => {
  const writer = createRecordWriter();
  const one = fc.sample(input, 1)[0]!;
  for (let count = 0; count < 5000; count += 1) writer.write(statOf(one), one.fields.name, extrasOf(one));
  expect(writer.take().byteLength).toBe(5000 * recordBytes(fieldsOf(one)));
  expect(writer.take().byteLength).toBe(0);
});

test('a stat is the same as a record exactly when isSameStat says so', () => {
  const writer = createRecordWriter();
  fc.assert(
    fc.property(
      input,
      input,
      fc.constantFrom('mode', 'uid', 'gid', 'sizeBytes', 'inode', 'nlink', 'mtime', 'same'),
      (a, b, key) => {
        const { mtime } = key === 'mtime' ? b : a;
        const mixed = {
          ...a,
          mtime,
          fields: { ...a.fields, ...(key in b.fields && { [key]: b.fields[key as 'uid'] }) },
        };
        writer.write(statOf(mixed), mixed.fields.name, extrasOf(mixed));
        const run = Buffer.from(writer.take());
        writer.write(statOf(a), a.fields.name, extrasOf(a));
        expect(writer.isSame(statOf(a), run, 0)).toBe(isSameStat(Buffer.from(writer.take()), 0, run, 0));
        if (key === 'same') expect(writer.isSame(statOf(a), run, 0)).toBe(true);
      },
    ),
  );
});

test.each([
  ['a tick of the clock ago', [1_000n, 980_000_001], false],
  ['longer ago', [1_000n, 979_999_999], true],
  ['in the future', [1_001n, 1], false],
  ['a second ago, in whole seconds', [1_000n, 0], false],
  ['two seconds ago, in whole milliseconds', [999n, 1_000_000], false],
  ['three seconds ago, in whole seconds', [998n, 0], true],
  ['before 1970', [-5n, 1], true],
] as const)('what changed %s, as of 1001 s after 1970: %s', (_when, ctime, expected) => {
  const one = fc.sample(input, 1)[0]!;
  expect(isSettled(statOf({ ...one, ctime: [...ctime] }), 1_001_000)).toBe(expected);
});
