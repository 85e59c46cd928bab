// Both engines against the reference implementation (b3sum) on its official inputs: bytes 0..250, repeated.
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { openDigestEngine, openHasher } from '../../../src/disk/digest.ts';

const LENGTHS = [
  0, 1, 2, 3, 63, 64, 65, 127, 128, 129, 511, 512, 513, 1023, 1024, 1025, 2048, 2049, 3072, 3073, 4096, 4097, 5120,
  8192, 8193, 16384, 31744, 102400, 1_000_003,
];

/** The first eight bytes of official test vectors, so that a broken b3sum shows, too. */
const OFFICIAL: ReadonlyMap<number, string> = new Map([
  [0, 'af1349b9f5f9a1a6'],
  [1, '2d3adedff11b61f1'],
  [1024, '42214739f095a406'],
]);

function inputOf(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, index) => index % 251));
}

function reference(input: Buffer): string {
  return execFileSync('b3sum', ['--no-names'], { input, encoding: 'utf8' }).trim();
}

const EXPECTED = LENGTHS.map((length) => ({ input: inputOf(length), expected: reference(inputOf(length)) }));

test('the reference agrees with the published vectors', () => {
  for (const [length, prefix] of OFFICIAL) expect(reference(inputOf(length)).slice(0, 16)).toBe(prefix);
});

test.each(['native', 'wasm', 'auto'] as const)('%s digests every length in one piece', (choice) => {
  const engine = openDigestEngine(choice);
  expect(engine.name).toBe(choice === 'wasm' ? 'wasm' : 'native');
  const hash = openHasher(choice);
  for (const { input, expected } of EXPECTED) {
    expect(Buffer.from(engine.digest(input)).toString('hex')).toBe(expected);
    expect(Buffer.from(hash(input)).toString('hex')).toBe(expected);
  }
});

test.each(['native', 'wasm', 'auto'] as const)(
  '%s digests every length in pieces, also after a dropped stream',
  (choice) => {
    const engine = openDigestEngine(choice);
    for (const { input, expected } of EXPECTED) {
      const dropped = engine.stream();
      dropped.update(Buffer.from('something else'));
      dropped.drop();
      const stream = engine.stream();
      for (let at = 0; at < input.length; at += 1000) stream.update(input.subarray(at, at + 1000));
      expect(Buffer.from(stream.finish()).toString('hex')).toBe(expected);
    }
  },
);

test.each(['native', 'wasm', 'auto'] as const)(
  '%s: hashers go on side by side, whatever else is digested',
  (choice) => {
    const engine = openDigestEngine(choice);
    const hashers = EXPECTED.map(() => engine.hasher());
    for (const [index, { input }] of EXPECTED.entries()) {
      for (let at = 0; at < input.length; at += 1000) {
        hashers[index]?.update(input.subarray(at, at + 1000));
        expect(hashers[index]?.digest()).toEqual(Buffer.from(engine.digest(input.subarray(0, at + 1000))));
      }
    }
    for (const [index, { expected }] of EXPECTED.entries()) {
      expect(Buffer.from(hashers[index]?.digest() ?? []).toString('hex')).toBe(expected);
      hashers[index]?.drop();
    }
  },
);

test('wasm gives the memory of its streams back', () => {
  const engine = openDigestEngine('wasm');
  const use = (times: number): void => {
    for (let count = 0; count < times; count += 1) {
      const stream = engine.stream();
      stream.update(Buffer.alloc(100));
      if (count % 2 === 0) stream.drop();
      else stream.finish();
    }
  };
  use(2000);
  const before = process.memoryUsage().rss;
  use(40_000);
  // A stream takes 2 KB of the WASM heap: kept, they would be 80 MB.
  expect(process.memoryUsage().rss - before).toBeLessThan(20e6);
});
