// How fast, how early and how quietly files are read.
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statfsSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { openHasher } from '../../../src/disk/digest.ts';
import { openPace, setUpPace } from '../../../src/disk/pace.ts';
import { pathFromText } from '../../../src/domain/path.ts';
import type { Page } from '../../../src/engine/ports/disk.ts';
import { dropCached, isCached } from '../../../src/libc/page-cache.ts';
import {
  bytesReadOf,
  diskOver,
  entriesOf,
  entryOf,
  ruleOver,
  scopeOf,
  temporaryDirectory,
  walkAll,
} from './fixture.ts';

const MiB = 1024 * 1024;
/** linux/magic.h */
const TMPFS_MAGIC = 0x01021994;

test('all workers together read no faster than they are told, and not much slower', async () => {
  const dir = temporaryDirectory();
  for (const name of 'abcd') writeFileSync(`${dir}/${name}`, Buffer.alloc(MiB, name));
  const disk = diskOver(scopeOf(ruleOver([dir])), { jobs: 4, bytesPerSecond: 4 * MiB });
  await disk.read(pathFromText(dir), []);
  const startMs = performance.now();
  expect(bytesReadOf(await walkAll(disk, dir))).toBe(4 * MiB);
  // A second's worth; each worker may owe a hundredth of a second.
  expect(performance.now() - startMs).toBeGreaterThan(950);
});

test('nothing is for free at the start', () => {
  const pace = openPace(setUpPace(MiB), () => false);
  const startMs = performance.now();
  pace.spend(MiB * 0.045);
  expect(performance.now() - startMs).toBeGreaterThan(44);
});

test('names are paid for, too', async () => {
  const dir = temporaryDirectory();
  for (let index = 0; index < 256; index += 1) mkdirSync(`${dir}/${index}`);
  const disk = diskOver(scopeOf(ruleOver([dir])), { bytesPerSecond: 2 * MiB });
  const startMs = performance.now();
  expect(entriesOf(await walkAll(disk, dir)).size).toBe(257);
  expect(performance.now() - startMs).toBeGreaterThan(400);
});

test('a walk that waits for its turn can be ended', async () => {
  const dir = temporaryDirectory();
  writeFileSync(`${dir}/file`, Buffer.alloc(64 * MiB));
  const disk = diskOver(scopeOf(ruleOver([dir])), { bytesPerSecond: 1024 });
  const controller = new AbortController();
  const walking = (async () => {
    for await (const _ of disk.walk([pathFromText(dir)], { signal: controller.signal }))
      setImmediate(() => controller.abort(new Error('enough')));
  })();
  await expect(walking).rejects.toThrow('enough');
  // 18 hours, at that rate.
  await disk.close();
});

test('idle workers have the lowest priorities, and nobody else has', async () => {
  const dir = temporaryDirectory();
  const nice = (tid: string): number =>
    Number(/^\d+ \(.*\) (?:\S+ ){16}(\S+)/s.exec(readFileSync(`/proc/self/task/${tid}/stat`, 'latin1'))?.[1]);
  const own = nice(String(process.pid));
  const before = new Set(readdirSync('/proc/self/task'));
  const disk = diskOver(scopeOf(ruleOver([dir])), { jobs: 2, idle: true });
  await Promise.all([1, 2].map(() => disk.read(pathFromText(dir), [])));
  const started = readdirSync('/proc/self/task').filter((tid) => !before.has(tid));
  const idle = started.filter((tid) => nice(tid) === 19);
  expect(idle).toHaveLength(2);
  for (const tid of idle) expect(execFileSync('ionice', ['-p', tid], { encoding: 'utf8' })).toMatch(/^idle/);
  expect(nice(String(process.pid))).toBe(own);
  expect(own).toBeLessThan(19);
});

test('what was not in the page cache is not left there, what was stays, also a part of a file', async (context) => {
  const dir = temporaryDirectory();
  context.skip(statfsSync(dir).type === TMPFS_MAGIC, 'on a tmpfs all content is in the page cache, always');
  const openFile = (name: string, sizeBytes: number): number => {
    writeFileSync(`${dir}/${name}`, Buffer.alloc(sizeBytes, name));
    const fd = openSync(`${dir}/${name}`, 'r+');
    onTestFinished(() => closeSync(fd));
    fsyncSync(fd);
    return fd;
  };
  const small = openFile('small', 10_000);
  const used = openFile('used', 10_000);
  const large = openFile('large', 24 * MiB);
  const disk = diskOver(scopeOf(ruleOver([dir])), { jobs: 1, dropCache: true });
  dropCached(small, 0, 0);
  dropCached(large, 0, 8 * MiB);
  dropCached(large, 16 * MiB, 0);
  expect(cachedParts()).toEqual([false, true, false, true, false]);
  expect(entriesOf(await walkAll(disk, dir)).size).toBe(4);
  expect(cachedParts()).toEqual([false, true, false, true, false]);
  const kept = diskOver(scopeOf(ruleOver([dir])), { jobs: 1 });
  await walkAll(kept, dir);
  expect(cachedParts()).toEqual([true, true, true, true, true]);

  function cachedParts(): boolean[] {
    const ofLarge = [0, 8, 16].map((start) => isCached(large, start * MiB, 8 * MiB));
    return [isCached(small, 0, 10_000), isCached(used, 0, 10_000), ...ofLarge];
  }
});

test('two large files of a directory are read by two workers', async () => {
  const dir = temporaryDirectory();
  for (const name of ['a', 'b']) {
    writeFileSync(`${dir}/${name}`, '');
    truncateSync(`${dir}/${name}`, 48 * MiB);
  }
  const disk = diskOver(scopeOf(ruleOver([dir])), { jobs: 2 });
  const pages = await walkAll(disk, dir);
  expect(disk.meters().map(({ bytesRead }) => bytesRead)).toEqual([48 * MiB, 48 * MiB]);
  expect(entriesOf(pages).size).toBe(3);
});

test('a large file does not hold up small ones beside it', async () => {
  const dir = temporaryDirectory();
  for (let index = 0; index < 100; index += 1) writeFileSync(`${dir}/small-${index}`, 'x');
  writeFileSync(`${dir}/large`, '');
  truncateSync(`${dir}/large`, 2048 * MiB);
  const disk = diskOver(scopeOf(ruleOver([dir])), { jobs: 2, bytesPerSecond: 64 * MiB });
  const controller = new AbortController();
  const seen = new Set<string>();
  const walking = (async () => {
    for await (const page of disk.walk([pathFromText(dir)], { signal: controller.signal })) {
      for (const path of entriesOf([page]).keys()) seen.add(path);
      // The large file, which is the first in the directory, would take half a minute.
      if (seen.size === 101) controller.abort(new Error('all small ones'));
    }
  })();
  await expect(walking).rejects.toThrow('all small ones');
  expect(seen.has(`${dir}/large`)).toBe(false);
});

test('a large file that comes first in its directory is put back, and read alone and once', async () => {
  const dir = temporaryDirectory();
  for (const name of ['a-large', 'c-large']) writeFileSync(`${dir}/${name}`, name);
  for (const name of ['a-large', 'c-large']) truncateSync(`${dir}/${name}`, 40 * MiB);
  for (const name of ['b', 'd']) writeFileSync(`${dir}/${name}`, name);
  mkdirSync(`${dir}/e`);
  writeFileSync(`${dir}/e/below`, '');
  // Whoever is alone has nobody to leave it to.
  const disk = diskOver(scopeOf(ruleOver([dir])), { jobs: 1 });
  const pages = await walkAll(disk, dir);
  const namesOf = (page: Page): string[] => [...entriesOf([page]).keys()].map((path) => path.slice(dir.length + 1));
  const ranges = pages.flatMap((page) => {
    const { extent } = page;
    return page.dir === dir && extent.kind === 'range' ? [{ ...extent, names: namesOf(page) }] : [];
  });
  const borders = ranges.map(({ after, upTo }) => [after ?? '', upTo ?? '~']).sort();
  expect(borders.map(([after]) => after)).toEqual(['', ...borders.slice(0, -1).map(([, upTo]) => upTo)]);
  expect(borders.at(-1)?.[1]).toBe('~');
  expect(ranges.find(({ names }) => names.includes('a-large'))?.names).toEqual(['a-large']);
  expect(ranges.find(({ names }) => names.includes('c-large'))?.names).toEqual(['c-large']);
  const entries = entriesOf(pages);
  expect([...entries.keys()].sort()).toEqual(
    ['', '/a-large', '/b', '/c-large', '/d', '/e', '/e/below'].map((name) => `${dir}${name}`),
  );
  expect(disk.meters().map(({ bytesRead }) => bytesRead)).toEqual([80 * MiB + 2]);
  const digest = entries.get(pathFromText(`${dir}/a-large`))?.digest?.value;
  expect(Buffer.from(digest ?? [])).toEqual(Buffer.from(openHasher()(readFileSync(`${dir}/a-large`))));
});

test('whoever is at a file for a while shows which, and how far it is', async () => {
  const dir = temporaryDirectory();
  writeFileSync(`${dir}/only`, '');
  truncateSync(`${dir}/only`, 64 * MiB);
  const disk = diskOver(scopeOf(ruleOver([dir])), { jobs: 1, bytesPerSecond: 128 * MiB });
  const walking = walkAll(disk, dir);
  const file = await new Promise((resolve) => {
    const timer = setInterval(() => {
      const [meter] = disk.meters();
      if (meter?.at?.kind !== 'file') return;
      clearInterval(timer);
      resolve(meter.at);
    }, 1);
  });
  expect(file).toMatchObject({ path: `${dir}/only`, sizeBytes: 64 * MiB });
  const entries = entriesOf(await walking);
  expect(entryOf(entries, `${dir}/only`).digest).toBeDefined();
  await disk.read(pathFromText(dir), [pathFromText('only')]);
});

test('of small files each worker shows the directory that it is at, and none when it is at nothing', async () => {
  const dir = temporaryDirectory();
  for (const name of ['a', 'b']) {
    mkdirSync(`${dir}/${name}`);
    for (let index = 0; index < 50; index += 1) writeFileSync(`${dir}/${name}/${index}`, '');
  }
  const disk = diskOver(scopeOf(ruleOver([dir])), { jobs: 2, bytesPerSecond: MiB / 2 });
  const seen = new Set<string>();
  const timer = setInterval(() => {
    const at = disk.meters().flatMap((meter) => meter.at ?? []);
    seen.add(
      at
        .map(({ kind, path }) => `${kind} ${path}`)
        .sort()
        .join(),
    );
  }, 1);
  await walkAll(disk, dir);
  clearInterval(timer);
  expect(seen).toContain(`directory ${dir}/a,directory ${dir}/b`);
  expect(disk.meters().map(({ at }) => at)).toEqual([undefined, undefined]);
});
