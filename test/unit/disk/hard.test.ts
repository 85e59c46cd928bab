// Files that resist: leases, permissions, borders of filesystems, holes of a tebibyte.
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { digestText } from '../../../src/domain/entry.ts';
import { pathFromText } from '../../../src/domain/path.ts';
import {
  bytesReadOf,
  diskOver,
  entriesOf,
  entryOf,
  holdWriteLease,
  ruleOver,
  scopeOf,
  temporaryDirectory,
  walkAll,
} from './fixture.ts';

const isRoot = process.getuid?.() === 0;
const TiB = 1024 ** 4;
const GiB = 1024 ** 3;

test('a file under a write lease is listed as incomplete and not waited for', async () => {
  const dir = temporaryDirectory();
  writeFileSync(`${dir}/leased`, 'content');
  holdWriteLease(`${dir}/leased`);
  const entries = entriesOf(await walkAll(diskOver(scopeOf(ruleOver([dir]))), dir));
  expect(entryOf(entries, `${dir}/leased`)).toMatchObject({
    sizeBytes: 7n,
    digest: undefined,
    incomplete: constants.errno.EWOULDBLOCK,
  });
});

test.skipIf(!isRoot)('what another user may not read is listed as incomplete, a closed directory once', () => {
  const dir = temporaryDirectory();
  execFileSync('chmod', ['755', dir]);
  writeFileSync(`${dir}/secret`, 'content', { mode: 0o600 });
  writeFileSync(`${dir}/open`, 'content', { mode: 0o644 });
  mkdirSync(`${dir}/closed`, { mode: 0o700 });
  const settings = JSON.stringify({ ...scopeOf(ruleOver([dir])), rules: [{ ...ruleOver([dir]), attributes: null }] });
  const program = `
    import { openDisk } from ${JSON.stringify(resolve('dist/disk/disk.js'))};
    import { readRecord, recordOffsets } from ${JSON.stringify(resolve('dist/domain/packed.js'))};
    const scope = ${settings};
    scope.rules[0].attributes = { names: new Set(['digest']), growing: false };
    const disk = openDisk({ scope, jobs: 1 });
    const found = {};
    for await (const page of disk.walk([${JSON.stringify(dir)}])) {
      if (page.failed) found[page.dir] = { failed: page.failed };
      for (const at of recordOffsets(page.records)) {
        const { path, incomplete, digest } = readRecord(page.records, at, page.dir);
        found[path] = { incomplete, digest: digest !== undefined, ...found[path] };
      }
    }
    await disk.close();
    console.log(JSON.stringify(found));`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    uid: 65534,
    gid: 65534,
    encoding: 'utf8',
  });
  expect(child.stderr).toBe('');
  const { EACCES } = constants.errno;
  expect(JSON.parse(child.stdout)).toEqual({
    [dir]: { incomplete: 0, digest: false },
    [`${dir}/open`]: { incomplete: 0, digest: true },
    [`${dir}/secret`]: { incomplete: EACCES, digest: false },
    [`${dir}/closed`]: { incomplete: EACCES, digest: false },
  });
});

test.skipIf(!isRoot)('oneFileSystem lists a mount point and stops there, unless a rule begins behind it', async () => {
  const dir = temporaryDirectory();
  mkdirSync(`${dir}/mnt`);
  writeFileSync(`${dir}/file`, 'x');
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', `${dir}/mnt`]);
  onTestFinished(() => void execFileSync('umount', [`${dir}/mnt`]));
  mkdirSync(`${dir}/mnt/deep/er`, { recursive: true });
  writeFileSync(`${dir}/mnt/deep/er/file`, 'x');
  const below = (paths: Iterable<string>) => [...paths].map((path) => path.slice(dir.length));

  const one = ruleOver([dir], { oneFileSystem: true });
  const stopped = await walkAll(diskOver(scopeOf(one)), dir);
  expect(below(entriesOf(stopped).keys())).toEqual(['', '/file', '/mnt']);

  const all = await walkAll(diskOver(scopeOf(ruleOver([dir]))), dir);
  expect(below(entriesOf(all).keys())).toContain('/mnt/deep/er/file');

  const behind = await walkAll(diskOver(scopeOf(one, ruleOver([`${dir}/mnt/deep/er`]))), dir);
  expect(below(entriesOf(behind).keys()).sort()).toEqual(['', '/file', '/mnt', '/mnt/deep/er', '/mnt/deep/er/file']);

  const root = await walkAll(diskOver(scopeOf(ruleOver([dir, `${dir}/mnt`], { oneFileSystem: true }))), dir);
  expect(below(entriesOf(root).keys())).toContain('/mnt/deep/er/file');
});

test('a hole of a tebibyte costs nothing, and a byte in it shows', async () => {
  const dir = temporaryDirectory();
  writeFileSync(`${dir}/sparse`, 'head');
  truncateSync(`${dir}/sparse`, TiB);
  const disk = diskOver(scopeOf(ruleOver([dir])));
  const digestOf = async (): Promise<string> => {
    const pages = await walkAll(disk, dir);
    expect(bytesReadOf(pages)).toBeLessThan(64 * 1024 * 1024);
    const { digest, incomplete } = entryOf(entriesOf(pages), `${dir}/sparse`);
    expect(incomplete).toBe(0);
    return digest === undefined ? '' : digestText(digest);
  };
  const before = await digestOf();
  expect(before).toMatch(/^sparse:[0-9a-f]{64}$/);
  writeAt(`${dir}/sparse`, TiB - 3, 'x');
  const after = await digestOf();
  expect(after).not.toBe(before);
  writeAt(`${dir}/sparse`, TiB - 3, '\0');
  expect(await digestOf()).toBe(before);
  truncateSync(`${dir}/sparse`, TiB + 1);
  expect(await digestOf()).not.toBe(before);
});

test('a hole of 4 GiB costs nothing already', async () => {
  const dir = temporaryDirectory();
  for (const [name, size] of [
    ['sparse', 4 * GiB],
    ['small', 4096],
  ] as const) {
    writeFileSync(`${dir}/${name}`, '');
    truncateSync(`${dir}/${name}`, size);
  }
  const pages = await walkAll(diskOver(scopeOf(ruleOver([dir]))), dir);
  const entries = entriesOf(pages);
  expect(entryOf(entries, `${dir}/sparse`).digest?.algorithm).toBe('sparse');
  expect(entryOf(entries, `${dir}/small`).digest?.algorithm).toBe('blake3');
  expect(bytesReadOf(pages)).toBeLessThan(64 * 1024 * 1024);
});

test('the sparse digest does not depend on where the holes are', async () => {
  const dir = temporaryDirectory();
  for (const name of ['holes', 'zeros', 'moved']) {
    writeFileSync(`${dir}/${name}`, '');
    truncateSync(`${dir}/${name}`, 16 * GiB);
  }
  for (const name of ['holes', 'zeros']) writeAt(`${dir}/${name}`, 5 * GiB + 100_000, 'data');
  writeAt(`${dir}/moved`, 5 * GiB + 200_000, 'data');
  writeAt(`${dir}/zeros`, 3 * GiB + 12_345, '\0'.repeat(3_000_000));
  const disk = diskOver(scopeOf(ruleOver([dir])));
  const entries = entriesOf(await walkAll(disk, dir));
  const digestOf = (name: string) => entryOf(entries, `${dir}/${name}`).digest;
  expect(digestOf('zeros')).toEqual(digestOf('holes'));
  expect(digestOf('moved')).not.toEqual(digestOf('holes'));
  const prefix = await disk.digestPrefix(pathFromText(`${dir}/zeros`), BigInt(16 * GiB));
  expect('value' in prefix && digestText(prefix)).toBe(digestText(digestOf('holes')!));
});

function writeAt(path: string, position: number, text: string): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, Buffer.from(text), 0, text.length, position);
  closeSync(fd);
}
