// Items survive the way between threads and processes, and what is no item is refused.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AppError } from '../../../../src/domain/errors.ts';
import { pathFromBytes } from '../../../../src/domain/path.ts';
import type { FanotifyItem } from '../../../../src/fanotify/clients/data.ts';
import { parseHello } from '../../../../src/fanotify/clients/protocol.ts';
import { decodeItems, encodeItem } from '../../../../src/fanotify/clients/wire.ts';

const bytes = fc.option(fc.uint8Array({ maxLength: 300 }).map(pathFromBytes), { nil: undefined });
const event = fc.record({
  kind: fc.constant('event' as const),
  fd: fc.integer({ min: -1, max: 0x7fffffff }),
  pid: fc.nat(0x7fffffff),
  evTypes: fc.maxSafeNat(),
  exe: bytes,
  cwd: bytes,
  path: bytes,
  oldPath: bytes,
  uid: fc.option(fc.nat(0xffffffff), { nil: undefined }),
  comm: bytes,
  cgroup: bytes,
});
const overflow = fc.record({
  kind: fc.constant('overflow' as const),
  where: fc.constantFrom('kernel' as const, 'client' as const, 'connection' as const),
  lost: fc.option(fc.maxSafeNat(), { nil: undefined }),
});
const items: fc.Arbitrary<FanotifyItem[]> = fc.array(fc.oneof(event, overflow), { maxLength: 5 });
const encoded = (list: readonly FanotifyItem[]): Buffer => Buffer.concat(list.map(encodeItem));

test('what is encoded is decoded', () => {
  fc.assert(
    fc.property(items, (list) => {
      expect(decodeItems(encoded(list))).toEqual(list);
    }),
  );
});

test('descriptors are taken in order, and are missing at the end when there are too few', () => {
  fc.assert(
    fc.property(items, fc.nat(5), (list, count) => {
      const flagged = list.filter((item) => item.kind === 'event' && item.fd >= 0).length;
      const fds = Array.from({ length: Math.min(count, flagged) }, (_, index) => 1000 + index);
      const got = decodeItems(encoded(list), fds).flatMap((item) =>
        item.kind === 'event' && item.fd >= 0 ? item.fd : [],
      );
      expect(got).toEqual(fds);
    }),
  );
  expect(() => decodeItems(Buffer.alloc(0), [7])).toThrow(AppError);
});

test('bytes that are cut or changed are items or an AppError, and nothing else', () => {
  const refused = { count: 0 };
  fc.assert(
    fc.property(items, fc.nat(), fc.nat(), fc.nat(255), (list, length, at, value) => {
      const whole = encoded(list);
      const part = whole.subarray(0, length % (whole.length + 1));
      if (part.length > 0) part[at % part.length] = value;
      try {
        decodeItems(part);
      } catch (error) {
        expect(error).toBeInstanceOf(AppError);
        refused.count += 1;
      }
    }),
    { numRuns: 5000 },
  );
  expect(refused.count).toBeGreaterThan(100);
});

test('any greeting is taken or refused with an AppError', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), fc.json().map(Buffer.from)), (greeting) => {
      expect(() => parseHello(Buffer.from(greeting))).toThrow(AppError);
    }),
  );
});
