import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../../src/domain/errors.ts';
import { decodeEvents, measureEvents } from '../../../src/fanotify/decode.ts';
import { event, fid, record } from './event-bytes.ts';

const HANDLE = Buffer.from('4d00000045a258cd', 'hex');
const FILE_ID = {
  fsid: '0102030405060708',
  handle: Buffer.concat([Buffer.from([8, 0, 0, 0, 1, 0, 0, 0]), HANDLE]).toString('latin1'),
};
const name = (text: string): Buffer => Buffer.from(`${text}\0`, 'latin1');

const words = (...values: readonly bigint[]): Buffer => {
  const buffer = Buffer.alloc(values.length * 8);
  values.forEach((value, index) => {
    buffer.writeBigUInt64LE(value, index * 8);
  });
  return buffer;
};

describe('each record type', () => {
  test.each([
    ['fid', fid(1, HANDLE), { kind: 'fid', ...FILE_ID }],
    ['dirFid', fid(3, HANDLE), { kind: 'dirFid', ...FILE_ID }],
    ['dirFidName', fid(2, HANDLE, name('\xff\x01x')), { kind: 'dirFidName', ...FILE_ID, name: '\xff\x01x' }],
    ['oldDirFidName', fid(10, HANDLE, name('a')), { kind: 'oldDirFidName', ...FILE_ID, name: 'a' }],
    ['newDirFidName', fid(12, HANDLE, name('.')), { kind: 'newDirFidName', ...FILE_ID, name: '.' }],
    ['pidfd', record(4, Buffer.from([254, 255, 255, 255])), { kind: 'pidfd', pidfd: -2 }],
    ['error', record(5, words((3n << 32n) | 117n)), { kind: 'error', errno: 117, count: 3 }],
    [
      'range',
      record(6, Buffer.concat([Buffer.alloc(4), words(4096n, 1n << 60n)])),
      { kind: 'range', offsetBytes: 4096n, countBytes: 1n << 60n },
    ],
    ['mount', record(7, Buffer.concat([Buffer.alloc(4), words(2147485000n)])), { kind: 'mount', mountId: 2147485000n }],
  ])('%s', (_, bytes, expected) => {
    expect(decodeEvents(event(0x8n, 7, [bytes]))).toEqual([
      { kind: 'event', mask: 8, fd: -1, pid: 7, records: [expected] },
    ]);
  });

  test('a handle without bytes, as FAN_FS_ERROR has it', () => {
    const [decoded] = decodeEvents(event(0x8000n, 0, [fid(1, Buffer.alloc(0))]));
    expect(decoded?.records).toEqual([{ kind: 'fid', fsid: FILE_ID.fsid, handle: '\0\0\0\0\x01\0\0\0' }]);
  });

  test.each([
    ['a type of the future', record(77, Buffer.from([1, 2, 3, 4]))],
    ['a pidfd without the number', record(4, Buffer.alloc(0))],
    ['an error without the count', record(5, Buffer.alloc(4))],
    ['a range without the count', record(6, Buffer.alloc(12))],
    ['a mount without the id', record(7, Buffer.alloc(8))],
    ['a FID without the handle type', record(1, Buffer.alloc(12))],
    ['a FID whose handle is longer than the record', record(1, words(0n, 1000n))],
    ['a named FID without the handle', record(2, words(0n, 1000n))],
    ['a name without its NUL', fid(2, HANDLE, Buffer.from('abcd'))],
  ])('%s is kept as bytes', (_, bytes) => {
    const [decoded] = decodeEvents(event(0x8n, 7, [bytes, fid(1, HANDLE)]));
    expect(decoded?.records).toEqual([
      { kind: 'unknown', type: bytes[0], bytes },
      { kind: 'fid', ...FILE_ID },
    ]);
  });

  test.each([0, 3, 400])('a record of length %i takes the rest of its event, not of the next', (length) => {
    const bad = Buffer.from([1, 0, length & 0xff, length >> 8, 9, 9, 9, 9]);
    const decoded = decodeEvents(Buffer.concat([event(1n, 1, [bad]), event(2n, 2, [])]));
    expect(decoded.map(({ records }) => records)).toEqual([[{ kind: 'unknown', type: 1, bytes: bad }], []]);
  });
});

test('several events at four-byte alignment; overflow; unknown high bits', () => {
  const buffer = Buffer.concat([
    event(0x100n, 1, [fid(2, HANDLE, name('x'))]),
    event(0x4000n, 0, [], -9),
    event((1n << 40n) | 2n, 3, []),
    Buffer.alloc(100),
  ]);
  const decoded = decodeEvents(buffer, buffer.length - 100);
  expect(decoded.map(({ kind, mask, fd, pid }) => [kind, mask, fd, pid])).toEqual([
    ['event', 0x100, -1, 1],
    ['overflow', 0x4000, -9, 0],
    ['event', 2 ** 40 + 2, -1, 3],
  ]);
});

test.each([
  ['cut short', Buffer.alloc(23), /is cut short/],
  ['another version', event(1n, 1, []).fill(4, 4, 5), /has version 4/],
  ['a metadata length below the fixed part', event(1n, 1, []).fill(8, 6, 7), /has length 24/],
  ['an event length below the metadata', event(1n, 1, []).fill(3, 0, 1), /has length 3/],
  ['an event length beyond the buffer', event(1n, 1, []).fill(25, 0, 1), /has length 25/],
])('refuses %s', (_, buffer, message) => {
  expect(() => decodeEvents(buffer)).toThrow(message);
});

const anyRecord = fc.oneof(
  fc
    .tuple(fc.constantFrom(1, 2, 3, 10, 12), fc.uint8Array({ maxLength: 128 }), fc.uint8Array({ maxLength: 40 }))
    .map(([type, handle, tail]) => fid(type, Buffer.from(handle), Buffer.from(tail))),
  fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 32 })).map(([type, body]) => record(type, Buffer.from(body))),
);

test('whatever the bytes, it decodes or throws AppError, and reads nothing beyond the length', () => {
  const events = fc
    .array(fc.tuple(fc.bigInt(0n, (1n << 64n) - 1n), fc.integer(), fc.array(anyRecord, { maxLength: 4 })), {
      maxLength: 5,
    })
    .map((list) => Buffer.concat(list.map(([mask, pid, records]) => event(mask, pid | 0, records))));
  const damaged = fc.tuple(events, fc.nat(), fc.nat(255), fc.nat()).map(([buffer, at, byte, cut]) => {
    if (buffer.length > 0) buffer[at % buffer.length] = byte;
    return buffer.subarray(0, buffer.length === 0 ? 0 : cut % (buffer.length + 1));
  });
  const random = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  let decoded = 0;
  fc.assert(
    fc.property(fc.oneof(events, damaged, random), (buffer) => {
      const padded = Buffer.concat([buffer, Buffer.alloc(64, 0x41)]);
      const outcome = (bytes: Buffer, length: number): unknown => {
        try {
          return decodeEvents(bytes, length);
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
          return (error as Error).message;
        }
      };
      const plain = outcome(buffer, buffer.length);
      if (Array.isArray(plain)) decoded += plain.length;
      expect(outcome(padded, buffer.length)).toEqual(plain);
    }),
    { numRuns: 2000 },
  );
  expect(decoded).toBeGreaterThan(100);
});

test('measured without being decoded: all of them, the first ones, and only what is whole', () => {
  const first = event(0x100n, 1, [fid(2, HANDLE, name('x'))]);
  const buffer = Buffer.concat([
    first,
    event(2n, 2, []),
    event(2n, 3, [fid(1, HANDLE, Buffer.alloc(0), 'ffffffffffffffff')]),
  ]);
  expect(measureEvents(buffer)).toEqual({ bytes: buffer.length, count: 3 });
  expect(measureEvents(buffer, buffer.length, 2)).toEqual({ bytes: first.length + 24, count: 2 });
  expect(measureEvents(buffer, first.length)).toEqual({ bytes: first.length, count: 1 });
  expect(measureEvents(buffer, buffer.length, 0)).toEqual({ bytes: 0, count: 0 });
  expect(() => measureEvents(buffer, first.length + 10)).toThrow(/is cut short/);
  const fsids = decodeEvents(buffer).flatMap(({ records }) => records.map((one) => ('fsid' in one ? one.fsid : '')));
  expect(fsids).toEqual([FILE_ID.fsid, 'ffffffffffffffff']);
});
