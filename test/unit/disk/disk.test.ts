// How the disk is stopped, and what happens when it breaks.
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { openDisk } from '../../../src/disk/disk.ts';
import { openPool } from '../../../src/disk/pool.ts';
import { digestText, SPARSE_DIGEST_FROM } from '../../../src/domain/entry.ts';
import { pathFromText } from '../../../src/domain/path.ts';
import { diskOver, entriesOf, ruleOver, scopeOf, temporaryDirectory, walkAll } from './fixture.ts';

function wideTree(directories = 400): string {
  const dir = temporaryDirectory();
  for (let index = 0; index < directories; index += 1) {
    mkdirSync(`${dir}/${index}`);
    writeFileSync(`${dir}/${index}/file`, 'x');
  }
  return dir;
}

test('an aborted walk throws the reason, and the disk goes on', async () => {
  const dir = wideTree();
  const disk = diskOver(scopeOf(ruleOver([dir])));
  const controller = new AbortController();
  const walking = (async () => {
    for await (const page of disk.walk([pathFromText(dir)], { signal: controller.signal })) {
      if (page.extent.kind === 'range') controller.abort(new Error('enough'));
    }
  })();
  await expect(walking).rejects.toThrow('enough');
  await expect(walkAll(disk, dir, { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before');
  expect(entriesOf(await walkAll(disk, dir)).size).toBe(801);
});

test('an abort interrupts the reading of a file', async () => {
  const dir = temporaryDirectory();
  for (const name of 'abcdefgh') {
    writeFileSync(`${dir}/${name}`, '');
    // The largest that is read to its end: of larger ones the holes are passed over.
    truncateSync(`${dir}/${name}`, Number(SPARSE_DIGEST_FROM) - 1);
  }
  const disk = diskOver(scopeOf(ruleOver([dir])));
  const controller = new AbortController();
  const pages: string[] = [];
  const walking = (async () => {
    for await (const page of disk.walk([pathFromText(dir)], { signal: controller.signal })) {
      pages.push(page.extent.kind);
      setImmediate(() => controller.abort(new Error('enough')));
    }
  })();
  await expect(walking).rejects.toThrow('enough');
  // The workers are free again at once: reading 32 GiB would outlast the test.
  expect((await disk.read(pathFromText(dir), [])).failed).toBe(0);
  expect(pages).toEqual(['names']);
});

test('single names with more content than is wanted are named, and nothing is said of them', async () => {
  const dir = temporaryDirectory();
  writeFileSync(`${dir}/large`, 'x'.repeat(11));
  writeFileSync(`${dir}/small`, 'x'.repeat(10));
  mkdirSync(`${dir}/tree`);
  const disk = diskOver(scopeOf(ruleOver([dir])));
  const names = ['gone', 'large', 'small', 'tree'].map(pathFromText);
  const page = await disk.read(pathFromText(dir), names, 10);
  expect(page).toMatchObject({ postponed: ['large'], extent: { kind: 'names', names: ['gone', 'small', 'tree'] } });
  expect([...entriesOf([page]).keys()]).toEqual([`${dir}/small`, `${dir}/tree`]);
  const whole = await disk.read(pathFromText(dir), names);
  expect(whole.postponed).toBeUndefined();
  expect(entriesOf([whole]).get(pathFromText(`${dir}/large`))?.digest).toBeDefined();
});

test('a walk that is left early stops, and two walks do not disturb each other', async () => {
  const dir = wideTree();
  const disk = diskOver(scopeOf(ruleOver([dir])));
  for await (const page of disk.walk([pathFromText(dir)])) if (page.extent.kind === 'range') break;
  const [first, second] = await Promise.all([walkAll(disk, dir), walkAll(disk, dir)]);
  expect(entriesOf(first).size).toBe(801);
  expect(entriesOf(second)).toEqual(entriesOf(first));
});

test('the consumer sets the pace', async () => {
  const dir = wideTree();
  const disk = diskOver(scopeOf(ruleOver([dir])), { jobs: 1 });
  const known: string[] = [];
  const walk = disk.walk([pathFromText(dir)], {
    known: (asked) => {
      known.push(asked);
      return Buffer.alloc(0);
    },
  });
  const iterator = walk[Symbol.asyncIterator]();
  await iterator.next();
  await iterator.next();
  // Answered by the same worker after whatever it was given: all that was asked for is done by then.
  for (let round = 0; round < 5; round += 1) await disk.read(pathFromText(dir), []);
  expect(known.length).toBeGreaterThan(2);
  expect(known.length).toBeLessThan(100);
  await iterator.return?.();
});

test('a closed disk rejects, in the middle of a walk, too', async () => {
  // More than a worker takes at a time.
  const dir = wideTree(5000);
  const disk = openDisk({ scope: scopeOf(ruleOver([dir])), jobs: 1 });
  const walking = (async () => {
    for await (const page of disk.walk([pathFromText(dir)])) if (page.extent.kind === 'range') void disk.close();
  })();
  await expect(walking).rejects.toThrow('the disk workers are closed');
  await expect(disk.read(pathFromText(dir), [])).rejects.toThrow('the disk workers are closed');
  await disk.close();
});

test('a worker that cannot start is an AppError', async () => {
  const scope = { ...scopeOf(), rules: [{ ...ruleOver(['/x']), exclude: [1 as unknown as string] }] };
  const setup = {
    kind: 'setup' as const,
    pace: undefined,
    idle: false,
    dropCache: false,
    isBrief: false,
    digestMaxBytes: Number.POSITIVE_INFINITY,
  };
  const pool = openPool(1, { scope, engine: 'auto', ...setup });
  const asked = pool.ask({ kind: 'pages', work: [] });
  await expect(asked).rejects.toMatchObject({ name: 'AppError', code: 'INTERNAL' });
  await pool.close();
});

test('the beginning of a file has the digest of a file of just that', async () => {
  const dir = temporaryDirectory();
  writeFileSync(`${dir}/log`, 'one\ntwo\n'.repeat(100_000));
  symlinkSync('log', `${dir}/link`);
  const disk = diskOver(scopeOf(ruleOver([dir])));
  for (const length of [0, 4, 600_000, 800_000]) {
    const digest = await disk.digestPrefix(pathFromText(`${dir}/log`), BigInt(length));
    const expected = execFileSync('b3sum', ['--no-names'], {
      input: 'one\ntwo\n'.repeat(100_000).slice(0, length),
      encoding: 'utf8',
    });
    expect('value' in digest && digestText(digest)).toBe(expected.trim());
  }
  const errnoOf = (name: string, length: bigint) => disk.digestPrefix(pathFromText(`${dir}/${name}`), length);
  expect(await errnoOf('log', 800_001n)).toEqual({ errno: constants.errno.ENODATA });
  expect(await errnoOf('gone', 1n)).toEqual({ errno: constants.errno.ENOENT });
  expect(await errnoOf('link', 1n)).toEqual({ errno: constants.errno.ELOOP });
});
