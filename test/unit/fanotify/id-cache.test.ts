// Ids that are kept as text are those of the bytes, whatever was there before.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pathFromLatin1 } from '../../../src/domain/path.ts';
import { isSameEarly, preferEarly } from '../../../src/fanotify/early-paths.ts';
import { fileIdAt } from '../../../src/fanotify/id-cache.ts';

function plain(bytes: Buffer): { readonly fsid: string; readonly handle: string } {
  return { fsid: bytes.toString('hex', 0, 8), handle: bytes.toString('latin1', 8) };
}

test('the same text as without a memory, for ids that differ in anything and of any length', () => {
  const few = fc.uint8Array({ minLength: 16, maxLength: 30, max: 1 });
  const any = fc.uint8Array({ minLength: 16, maxLength: 300 });
  fc.assert(
    fc.property(fc.array(fc.oneof(few, any), { maxLength: 60 }), fc.nat(7), (ids, before) => {
      for (const id of ids) {
        const bytes = Buffer.concat([Buffer.alloc(before), id, Buffer.alloc(3, 7)]);
        expect(fileIdAt(bytes, before, before + id.length)).toEqual(plain(Buffer.from(id)));
      }
    }),
  );
});

test('one string for equal ids, and none that keeps a buffer', () => {
  const bytes = Buffer.alloc(40, 5);
  const first = fileIdAt(bytes, 0, 40);
  expect(fileIdAt(Buffer.from(bytes), 0, 40)).toBe(first);
  bytes.fill(6);
  expect(first).toEqual(plain(Buffer.alloc(40, 5)));
});

const paths = (...all: readonly string[]) => all.map(pathFromLatin1);

test('paths that were found early come first, of the right filesystem', () => {
  const found = new Map([
    ['aH', paths('/a')],
    ['bH', paths('/b')],
  ]);
  const late = { pathsOf: () => paths('/late'), fileMountsOf: () => [] };
  const ids = preferEarly({ found, gone: new Map([['aG', paths('/gone')]]) }, late);
  const of = (fsid: string, handle = 'H') => ids.pathsOf({ fsid, handle });
  expect([of('a'), of('b'), of('a'), of('a'), of('c'), of('a', 'G')].flat()).toEqual([
    '/a',
    '/b',
    '/a',
    '/a',
    '/late',
    '/late',
  ]);
  expect(ids.lastPathsOf?.({ fsid: 'a', handle: 'G' })).toEqual(['/gone']);
});

test.each([
  ['the same', [['k', paths('/a', '/b')]], true],
  ['another path', [['k', paths('/a', '/c')]], false],
  ['fewer paths', [['k', paths('/a')]], false],
  ['another id', [['l', paths('/a', '/b')]], false],
  ['nothing', [], false],
] as const)('what was found early: %s', (_, entries, isSame) => {
  const one = new Map([['k', paths('/a', '/b')]]);
  const other = new Map<string, ReturnType<typeof paths>>(entries.map(([key, all]) => [key, [...all]]));
  const empty = new Map<string, ReturnType<typeof paths>>();
  expect(isSameEarly({ found: one, gone: empty }, { found: other, gone: empty })).toBe(isSame);
  expect(isSameEarly({ found: empty, gone: one }, { found: empty, gone: other })).toBe(isSame);
});
