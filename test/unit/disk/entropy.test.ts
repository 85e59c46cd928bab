import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { looksEncrypted } from '../../../src/disk/entropy.ts';
import { pathFromText } from '../../../src/domain/path.ts';

const SCRATCH = mkdtempSync(join(tmpdir(), 'driftline-entropy-'));
afterAll(() => rmSync(SCRATCH, { recursive: true }));

function looks(bytes: Uint8Array): boolean {
  writeFileSync(join(SCRATCH, 'file'), bytes);
  return looksEncrypted(pathFromText(join(SCRATCH, 'file')));
}

const TEXT = Buffer.from('It was a dark and stormy night; the rain fell in torrents. '.repeat(5_000));

test.each([1024, 4096, 65_536, 200_000])('%i encrypted bytes do, however often it is tried', (size) => {
  for (let round = 0; round < 50; round += 1) {
    // The same keys in every run: 4 in 1,000 samples of the smallest size are less even than the margin allows.
    const key = createHash('sha256').update(`key ${round}`).digest();
    const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
    expect(looks(cipher.update(TEXT.subarray(0, size)))).toBe(true);
  }
});

test.each([
  ['text', TEXT],
  ['text in base64', Buffer.from(randomBytes(50_000).toString('base64'))],
  ['a compressed file', gzipSync(randomBytes(100_000))],
  ['a program', Buffer.concat([randomBytes(20_000), Buffer.alloc(10_000)])],
  ['too little to say', randomBytes(1000)],
  ['nothing', Buffer.alloc(0)],
])('%s does not', (_, bytes) => {
  expect(looks(bytes)).toBe(false);
});

test('what cannot be read does not', () => {
  symlinkSync('/dev/urandom', join(SCRATCH, 'link'));
  for (const name of ['missing', 'link', '.']) expect(looksEncrypted(pathFromText(join(SCRATCH, name)))).toBe(false);
});
