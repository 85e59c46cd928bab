import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OutputCapture } from '../../../src/hooks/output.ts';

/** The specification: what `capture` must say of all that was written. */
function expected(all: string, kept: number): string {
  const dropped = all.length - 2 * kept;
  return dropped <= 0 ? all : `${all.slice(0, kept)}\n[${dropped} bytes dropped]\n${all.slice(-kept)}`;
}

test('keeps the first and the last bytes, however they are cut into chunks', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z]{0,20}$/)), fc.integer({ min: 1, max: 9 }), (chunks, kept) => {
      const capture = new OutputCapture(kept);
      for (const chunk of chunks) capture.write(Buffer.from(chunk));
      expect(capture.text()).toBe(expected(chunks.join(''), kept));
    }),
    { numRuns: 1000 },
  );
});

test('replaces bytes that are not UTF-8', () => {
  const capture = new OutputCapture();
  capture.write(Buffer.from([0x61, 0xff, 0x62]));
  expect(capture.text()).toBe('a\ufffdb');
});
