// A file that changes while it is read, and again when that is repeated, has no digest that anybody could stand for.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openHasher } from '../../../src/disk/digest.ts';
import { UNSTABLE } from '../../../src/domain/entry.ts';
import { pathFromText } from '../../../src/domain/path.ts';
import type { Page } from '../../../src/engine/ports/disk.ts';
import { diskOver, entriesOf, entryOf, ruleOver, scopeOf, temporaryDirectory } from './fixture.ts';

const SIZE = 4 * 1024 * 1024;
/** Writes one byte of the file again and again, until it is killed; says so first. */
const WRITER = `
import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY)
print('writing', flush=True)
while True:
    os.pwrite(fd, b'x', 0)
`;

test('a file that somebody writes to is unstable after three tries, and is read once that has ended', async () => {
  const dir = temporaryDirectory();
  const file = join(dir, 'busy');
  writeFileSync(file, Buffer.alloc(SIZE, 'x'));
  const disk = diskOver(scopeOf(ruleOver([dir])));
  const read = async () => {
    const page = await disk.read(pathFromText(dir), [pathFromText('busy')]);
    return { entry: entryOf(entriesOf([page]), file), bytesRead: page.bytesRead };
  };

  const writer = spawn('python3', ['-c', WRITER, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void writer.kill('SIGKILL'));
  await once(writer.stdout, 'data');
  let found = await read();
  // A writer that gets no processor for as long as a try takes has not changed anything.
  while (found.entry.incomplete !== UNSTABLE) found = await read();
  expect(found.entry).toMatchObject({ digest: undefined, sizeBytes: BigInt(SIZE) });
  expect(found.bytesRead).toBe(3 * SIZE);

  writer.kill('SIGKILL');
  await once(writer, 'close');
  const { entry, bytesRead } = await read();
  expect(entry).toMatchObject({ incomplete: 0, digest: { algorithm: 'blake3' } });
  expect(bytesRead).toBe(SIZE);
});

/** Appends to the file without pause. */
const APPENDER = `
import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
print('writing', flush=True)
while True:
    os.write(fd, b'more')
`;

test('a file that may grow and that somebody appends to has the digest of what was there when it was begun', async () => {
  const dir = temporaryDirectory();
  const file = join(dir, 'log');
  writeFileSync(file, Buffer.alloc(SIZE, 'x'));
  const disk = diskOver(scopeOf(ruleOver([dir], { attributes: ['growing'] })));
  const writer = spawn('python3', ['-c', APPENDER, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void writer.kill('SIGKILL'));
  await once(writer.stdout, 'data');
  const hash = openHasher();
  const sizes = new Set<number>();
  for (let times = 0; times < 10; times += 1) {
    const page = await disk.read(pathFromText(dir), [pathFromText('log')]);
    const { incomplete, sizeBytes, digest } = entryOf(entriesOf([page]), file);
    expect(incomplete).toBe(0);
    const then = readFileSync(file).subarray(0, Number(sizeBytes));
    expect(then.length).toBe(Number(sizeBytes));
    expect(Buffer.from(digest?.value ?? []).equals(hash(then))).toBe(true);
    sizes.add(Number(sizeBytes));
  }
  expect(sizes.size).toBeGreaterThan(5);
});

test('a large file is tried once where its changes are told, and three times where everything is read', async () => {
  const dir = temporaryDirectory();
  const file = join(dir, 'busy');
  const sizeBytes = 20 * 1024 * 1024;
  writeFileSync(file, Buffer.alloc(sizeBytes, 'x'));
  const disk = diskOver(scopeOf(ruleOver([dir])));
  const writer = spawn('python3', ['-c', WRITER, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void writer.kill('SIGKILL'));
  await once(writer.stdout, 'data');
  /** Again when the writer got no processor meanwhile. */
  const bytesOf = async (read: () => Promise<readonly Page[]>): Promise<number> => {
    const pages = await read();
    const isUnstable = entryOf(entriesOf(pages), file).incomplete === UNSTABLE;
    return isUnstable ? pages.reduce((sum, { bytesRead }) => sum + bytesRead, 0) : bytesOf(read);
  };
  const walk = async (): Promise<Page[]> => {
    const pages: Page[] = [];
    for await (const page of disk.walk([pathFromText(dir)])) pages.push(page);
    return pages;
  };
  expect(await bytesOf(async () => [await disk.read(pathFromText(dir), [pathFromText('busy')])])).toBe(sizeBytes);
  expect(await bytesOf(walk)).toBe(3 * sizeBytes);
});
