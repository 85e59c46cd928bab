// What a walk finds, on a real filesystem.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { digestText } from '../../../src/domain/entry.ts';
import { type BytePath, joinPath, pathFromText, pathToBytes } from '../../../src/domain/path.ts';
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

test('every type of file is an entry with its stat', async () => {
  const dir = temporaryDirectory();
  mkdirSync(`${dir}/directory`, { mode: 0o751 });
  writeFileSync(`${dir}/file`, 'content');
  chmodSync(`${dir}/file`, 0o4755);
  linkSync(`${dir}/file`, `${dir}/hard`);
  symlinkSync('directory/..', `${dir}/loop`);
  // Nobody writes to it: opening it would wait for ever.
  execFileSync('mkfifo', [`${dir}/fifo`]);
  const server = createServer().listen(`${dir}/socket`);
  onTestFinished(() => void server.close());
  execFileSync('touch', ['-d', '@-86400.25', `${dir}/file`]);

  const entries = entriesOf(await walkAll(diskOver(scopeOf(ruleOver([dir]))), dir));

  const types = [...entries].map(([path, { type }]) => [path.slice(dir.length), type]);
  expect(types.sort()).toEqual([
    ['', 'directory'],
    ['/directory', 'directory'],
    ['/fifo', 'fifo'],
    ['/file', 'file'],
    ['/hard', 'file'],
    ['/loop', 'symlink'],
    ['/socket', 'socket'],
  ]);
  for (const [path, entry] of entries) {
    const stat = lstatSync(pathToBytes(path), { bigint: true });
    expect(entry).toMatchObject({
      mode: Number(stat.mode) & 0o7777,
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      sizeBytes: stat.size,
      mtimeNs: stat.mtimeNs,
      ctimeNs: stat.ctimeNs,
      inode: stat.ino,
      nlink: Number(stat.nlink),
      incomplete: 0,
    });
  }
  expect(entryOf(entries, `${dir}/loop`).target).toBe('directory/..');
  expect(entryOf(entries, `${dir}/file`)).toMatchObject({ mode: 0o4755, nlink: 2, mtimeNs: -86_400_250_000_000n });
});

test('devices are listed with their numbers and not opened', async () => {
  const entries = entriesOf(await walkAll(diskOver(scopeOf(ruleOver(['/dev/null']))), '/dev/null'));
  expect(entryOf(entries, '/dev/null')).toMatchObject({
    type: 'char',
    rdev: { major: 1, minor: 3 },
    digest: undefined,
  });
});

test('the root of the filesystem is an entry', async () => {
  const disk = diskOver(scopeOf(ruleOver(['/'], { exclude: ['/*'] })));
  const entries = entriesOf(await walkAll(disk, '/'));
  expect([...entries.keys()]).toEqual(['/']);
  expect(entryOf(entries, '/').inode).toBe(lstatSync('/', { bigint: true }).ino);
});

test('names are bytes', async () => {
  const dir = temporaryDirectory();
  const names = ['new\nline', 'esc\x1b[31m', 'high\xff\xfe', 'x'.repeat(255), '\x01', 'quote\'"', ' ', '-rf', '\u0080'];
  for (const name of names) writeFileSync(pathToBytes(joinPath(pathFromText(dir), name as BytePath)), name);
  const pages = await walkAll(diskOver(scopeOf(ruleOver([dir]))), dir);
  const found = [...entriesOf(pages).keys()].filter((path) => path !== dir).map((path) => path.slice(dir.length + 1));
  expect(found).toEqual([...names].sort());
});

test('paths beyond 4096 bytes are read whole', async () => {
  const dir = temporaryDirectory();
  const name = 'n'.repeat(250);
  execFileSync('bash', [
    '-c',
    `cd "$1"; for i in {1..20}; do mkdir ${name}; cd ${name}; done; echo deep > file`,
    '-',
    dir,
  ]);
  const entries = entriesOf(await walkAll(diskOver(scopeOf(ruleOver([dir]))), dir));
  const path = `${dir}${`/${name}`.repeat(20)}/file`;
  expect(path.length).toBeGreaterThan(5000);
  expect(entryOf(entries, path)).toMatchObject({ sizeBytes: 5n, incomplete: 0 });
  expect(entryOf(entries, path).digest).toBeDefined();
});

test('digests are those of b3sum over a tree', async () => {
  const dir = temporaryDirectory();
  for (const size of [0, 1, 512, 513, 65_536, 524_288, 524_289, 3_000_000]) {
    mkdirSync(`${dir}/${size}`);
    writeFileSync(`${dir}/${size}/file`, Buffer.alloc(size, `${size} `));
  }
  for (const engine of ['native', 'wasm'] as const) {
    const pages = await walkAll(diskOver(scopeOf(ruleOver([dir])), { engine }), dir);
    const files = [...entriesOf(pages).values()].filter(({ type }) => type === 'file');
    const ours = files.map(({ digest, path }) => `${digest && digestText(digest)}  ${path}`).sort();
    const theirs = execFileSync(
      'b3sum',
      files.map(({ path }) => path),
      { encoding: 'utf8' },
    );
    expect(ours).toEqual(theirs.trim().split('\n').sort());
    expect(ours).toHaveLength(8);
    expect(bytesReadOf(pages)).toBe(0 + 1 + 512 + 513 + 65_536 + 524_288 + 524_289 + 3_000_000);
  }
});

test('files of /proc have content whatever size they claim', async () => {
  const entries = entriesOf(await walkAll(diskOver(scopeOf(ruleOver(['/proc/version']))), '/proc/version'));
  const { digest, incomplete } = entryOf(entries, '/proc/version');
  expect(incomplete).toBe(0);
  expect(digest && digestText(digest)).toBe(
    execFileSync('b3sum', ['--no-names', '/proc/version'], { encoding: 'utf8' }).trim(),
  );
});

test('extended attributes and inode flags are read', async () => {
  const dir = temporaryDirectory();
  writeFileSync(`${dir}/file`, '');
  mkdirSync(`${dir}/directory`);
  for (const path of [`${dir}/file`, `${dir}/directory`]) {
    execFileSync('setfattr', ['-n', 'user.short', '-v', 'value', path]);
    execFileSync('setfattr', ['-n', 'user.long', '-v', 'x'.repeat(300), path]);
    execFileSync('chattr', ['+A', path]);
  }
  const entries = entriesOf(await walkAll(diskOver(scopeOf(ruleOver([dir]))), dir));
  const long = execFileSync('b3sum', ['--no-names'], { input: 'x'.repeat(300), encoding: 'utf8' }).trim();
  for (const path of [`${dir}/file`, `${dir}/directory`]) {
    const { xattrs, flags } = entryOf(entries, path);
    expect(xattrs.map(({ name }) => name)).toEqual(['user.long', 'user.short']);
    expect(Buffer.from(xattrs[0]!.value).toString('hex')).toBe(long);
    expect(Buffer.from(xattrs[1]!.value).toString()).toBe('value');
    // FS_NOATIME_FL alone: extents and the like are the filesystem's own business.
    expect(flags).toBe(0x80);
  }
});

test('content is read only where the rule asks for it', async () => {
  const dir = temporaryDirectory();
  writeFileSync(`${dir}/file`, 'content');
  const disk = diskOver(scopeOf(ruleOver([dir], { attributes: ['owner'] })));
  const pages = await walkAll(disk, dir);
  expect(bytesReadOf(pages)).toBe(0);
  expect(entryOf(entriesOf(pages), `${dir}/file`).digest).toBeUndefined();
});

test('a large directory comes in ranges that cover it once', async () => {
  const dir = temporaryDirectory();
  const names = Array.from({ length: 5000 }, (_, index) => `file ${index}`).sort();
  for (const name of names) writeFileSync(`${dir}/${name}`, name);
  mkdirSync(`${dir}/zz`);
  writeFileSync(`${dir}/zz/below`, '');
  const pages = await walkAll(diskOver(scopeOf(ruleOver([dir]))), dir);

  expect([...entriesOf(pages).keys()].filter((path) => path.startsWith(`${dir}/file`)).sort()).toEqual(
    names.map((name) => `${dir}/${name}`),
  );
  entryOf(entriesOf(pages), `${dir}/zz/below`);
  const ranges = pages.filter((page) => page.dir === dir).map(({ extent }) => extent);
  expect(ranges.length).toBeGreaterThan(4);
  expectCover(ranges);
});

test('a directory of large files is cut into ranges, too', async () => {
  const dir = temporaryDirectory();
  for (let index = 0; index < 10; index += 1) truncateSync(newFile(`${dir}/${index}`), 16 * 1024 * 1024);
  const pages = await walkAll(diskOver(scopeOf(ruleOver([dir]))), dir);
  expect(entriesOf(pages).size).toBe(11);
  const ranges = pages.filter((page) => page.dir === dir).map(({ extent }) => extent);
  expect(ranges.length).toBeGreaterThan(2);
  expectCover(ranges);
});

function newFile(path: string): string {
  writeFileSync(path, '');
  return path;
}

function expectCover(
  extents: readonly { readonly kind: string; readonly after?: unknown; readonly upTo?: unknown }[],
): void {
  const next = new Map(extents.map(({ after, upTo }) => [after, upTo]));
  let reached: unknown;
  for (const _ of extents) reached = next.get(reached);
  expect(next.size).toBe(extents.length);
  expect(reached).toBeUndefined();
  expect(extents.filter(({ upTo }) => upTo === undefined)).toHaveLength(1);
}

test('excluded paths and driftline itself never appear', async () => {
  const dir = temporaryDirectory();
  mkdirSync(`${dir}/cache/deep`, { recursive: true });
  for (const path of ['cache/deep/file', 'kept', 'x.swp', 'own']) writeFileSync(`${dir}/${path}`, '');
  const scope = {
    ...scopeOf(ruleOver([dir], { exclude: [`${dir}/cache`] })),
    ignore: ['*.swp'],
    own: [pathFromText(`${dir}/own`)],
  };
  const disk = diskOver(scope);
  expect([...entriesOf(await walkAll(disk, dir)).keys()]).toEqual([dir, `${dir}/kept`]);
  const names = ['cache', 'kept', 'x.swp', 'own'].map(pathFromText);
  expect([...entriesOf([await disk.read(pathFromText(dir), names)]).keys()]).toEqual([`${dir}/kept`]);
});

test('a rule below another takes over from its path on', async () => {
  const dir = temporaryDirectory();
  mkdirSync(`${dir}/logs/old`, { recursive: true });
  for (const path of ['file', 'logs/file', 'logs/old/file']) writeFileSync(`${dir}/${path}`, 'x');
  const disk = diskOver(scopeOf(ruleOver([dir]), ruleOver([`${dir}/logs`], { attributes: ['owner'] })));
  const entries = entriesOf(await walkAll(disk, dir));
  const digested = [...entries.values()].filter(({ digest }) => digest !== undefined).map(({ path }) => path);
  expect(digested).toEqual([`${dir}/file`]);
  expect(entries.size).toBe(6);
});

test('a page lists a directory before the pages of that directory come', async () => {
  const dir = temporaryDirectory();
  for (let index = 0; index < 300; index += 1)
    mkdirSync(`${dir}/${index % 10}/${index % 7}/${index}`, { recursive: true });
  const listed = new Set<string>();
  for (const page of await walkAll(diskOver(scopeOf(ruleOver([dir]))), dir)) {
    if (page.extent.kind === 'range') expect(listed).toContain(page.dir);
    for (const path of entriesOf([page]).keys()) listed.add(path);
  }
  expect(listed.size).toBe(1 + 10 + 70 + 300);
});

test('single names are read with what is missing left out', async () => {
  const dir = temporaryDirectory();
  writeFileSync(`${dir}/file`, 'x');
  mkdirSync(`${dir}/directory`);
  writeFileSync(`${dir}/directory/below`, '');
  const disk = diskOver(scopeOf(ruleOver([dir])));
  const names = ['gone', 'file', 'directory', 'file', 'n'.repeat(300)].map(pathFromText);
  const page = await disk.read(pathFromText(dir), names);
  expect(page.extent).toEqual({ kind: 'names', names });
  expect([...entriesOf([page]).keys()]).toEqual([`${dir}/directory`, `${dir}/file`]);
  const missing = await disk.read(pathFromText(`${dir}/no/where`), names);
  expect(missing).toMatchObject({ failed: 0, bytesRead: 0 });
  expect(missing.records).toHaveLength(0);
});

test('a directory that became a link does not lead elsewhere', async () => {
  const dir = temporaryDirectory();
  mkdirSync(`${dir}/tree/sub`, { recursive: true });
  mkdirSync(`${dir}/elsewhere/sub`, { recursive: true });
  writeFileSync(`${dir}/elsewhere/sub/file`, '');
  const disk = diskOver(scopeOf(ruleOver([`${dir}/tree`])));
  rmSync(`${dir}/tree/sub`, { recursive: true });
  symlinkSync(`${dir}/elsewhere/sub`, `${dir}/tree/sub`);
  const page = await disk.read(pathFromText(`${dir}/tree/sub`), [pathFromText('file')]);
  expect(page).toMatchObject({ failed: 0 });
  expect(page.records).toHaveLength(0);
});

test('a link above a root leads nowhere: whoever names the root resolves what may be followed', async () => {
  const dir = temporaryDirectory();
  mkdirSync(`${dir}/real/tree/sub`, { recursive: true });
  writeFileSync(`${dir}/real/tree/sub/file`, 'x');
  symlinkSync('real', `${dir}/link`);
  const root = `${dir}/link/tree`;
  const pages = await walkAll(diskOver(scopeOf(ruleOver([root]))), root);
  expect([...entriesOf(pages).keys()]).toEqual([]);
  expect(pages.map(({ failed }) => failed)).toEqual([0]);
});

test('a tree that changes while it is walked gives what stayed, and no failure', async () => {
  const dir = temporaryDirectory();
  for (let index = 0; index < 40; index += 1) {
    mkdirSync(`${dir}/${index}`);
    for (let file = 0; file < 40; file += 1) writeFileSync(`${dir}/${index}/${file}`, `${file}`);
    writeFileSync(`${dir}/${index}/stays`, 'stays');
  }
  const disk = diskOver(scopeOf(ruleOver([dir])));
  let turn = 0;
  const churn = setInterval(() => {
    turn += 1;
    const sub = `${dir}/${turn % 40}`;
    rmSync(`${sub}/${turn % 39}`, { force: true });
    writeFileSync(`${sub}/${turn % 39}.new`, 'new');
    renameSync(`${sub}/${turn % 39}.new`, `${sub}/renamed`);
    rmSync(`${sub}/renamed`);
  }, 0);
  onTestFinished(() => clearInterval(churn));
  for (let round = 0; round < 10; round += 1) {
    const pages = await walkAll(disk, dir);
    expect(pages.filter(({ failed }) => failed !== 0)).toEqual([]);
    const stayed = [...entriesOf(pages).values()].filter(({ path }) => path.endsWith('/stays'));
    expect(stayed).toHaveLength(40);
  }
  expect(turn).toBeGreaterThan(0);
});
