// The shipped hook with the real rsync: after a run the mirror equals the source, whatever the names.
import { type ChildProcess, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { isInstalled, system } from './shipped.ts';

const HOOK = join(import.meta.dirname, '../../hooks/rsync-mirror');
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const HOSTILE = [
  '-rf',
  '$(touch pwn)',
  'new\nline',
  'bad\xff\xfeutf8',
  'n'.repeat(255),
  ' sp  ace ',
  '#note',
  ';x',
  '*',
  '`id`',
  '\\',
];

let base: string;
let source: string;
let target: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'driftline-mirror-'));
  source = join(base, 'source');
  target = join(base, 'target');
  mkdirSync(source);
  mkdirSync(target);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

/** Paths are latin1 text relative to the source. */
function mirror(paths: readonly string[], settings: Record<string, string> = {}): SpawnSyncReturns<string> {
  const list = paths.map((path) => `${source}/${path}\0`).join('');
  const env = { PATH, LANG: 'C.UTF-8', DRIFTLINE_SOURCE: source, DRIFTLINE_TARGET: target, ...settings };
  return spawnSync(HOOK, { input: Buffer.from(list, 'latin1'), env, cwd: '/', encoding: 'latin1' });
}

/** Old and new names of moves, in turns, before the paths; as `mirror`. */
function mirrorMoves(
  moves: readonly string[],
  paths: readonly string[],
  settings: Record<string, string> = {},
): SpawnSyncReturns<string> {
  const list = `${moves.map((path) => `${source}/${path}\0`).join('')}\0${paths.map((path) => `${source}/${path}\0`).join('')}`;
  const env = { PATH, LANG: 'C.UTF-8', DRIFTLINE_SOURCE: source, DRIFTLINE_TARGET: target, ...settings };
  return spawnSync(HOOK, { input: Buffer.from(list, 'latin1'), env, cwd: '/', encoding: 'latin1' });
}

/** What rsync itself still finds different, by content; the times of the root are not mirrored. */
function differences(): string[] {
  const args = ['-rlptgoD', '--checksum', '--delete', '-n', '-i', '-8', `${source}/`, `${target}/`];
  const found = spawnSync('rsync', args, { encoding: 'latin1' });
  expect(found.status).toBe(0);
  return found.stdout.split('\n').filter((line) => line !== '' && line !== '.d..t...... ./');
}

function write(path: string, text: string): void {
  writeFileSync(Buffer.from(`${source}/${path}`, 'latin1'), text);
}

function fullCopy(): void {
  expect(spawnSync('rsync', ['-a', `${source}/`, `${target}/`]).status).toBe(0);
}

test('hostile names: created, changed, renamed, deleted', () => {
  mkdirSync(join(source, 'd'));
  const paths = HOSTILE.flatMap((name) => [name, `d/${name}`]);
  for (const path of paths) write(path, 'one');
  expect(mirror(paths)).toMatchObject({ status: 0, stderr: '' });
  expect(differences()).toEqual([]);

  for (const path of paths) write(path, 'two, longer');
  expect(mirror(paths).status).toBe(0);
  expect(differences()).toEqual([]);

  renameSync(join(source, 'd'), join(source, 'e'));
  expect(differences()).not.toEqual([]);
  const moved = HOSTILE.flatMap((name) => [`d/${name}`, `e/${name}`]);
  expect(mirror(['d', 'e', ...moved].sort()).status).toBe(0);
  expect(differences()).toEqual([]);

  rmSync(join(source, 'e'), { recursive: true });
  expect(mirror(['e', ...HOSTILE.map((name) => `e/${name}`)]).status).toBe(0);
  expect(differences()).toEqual([]);
  expect(existsSync('/pwn') || existsSync(join(source, 'pwn')) || existsSync(join(target, 'pwn'))).toBe(false);
});

test('only what is listed is copied', () => {
  write('listed', 'x');
  write('other', 'x');
  expect(mirror(['listed']).status).toBe(0);
  expect(differences()).toEqual(['>f+++++++++ other']);
});

test('a directory becomes a file, a link to a directory, and a directory again', () => {
  for (const name of ['to-file', 'to-link', 'plain']) {
    mkdirSync(join(source, name));
    write(`${name}/inside`, 'x');
  }
  fullCopy();
  for (const name of ['to-file', 'to-link']) rmSync(join(source, name), { recursive: true });
  write('to-file', 'a file now');
  symlinkSync('plain', join(source, 'to-link'));
  const swapped = ['to-file', 'to-file/inside', 'to-link', 'to-link/inside'];
  expect(mirror(swapped)).toMatchObject({ status: 0, stderr: '' });
  expect(differences()).toEqual([]);
  expect(readFileSync(join(target, 'plain/inside'), 'utf8')).toBe('x');

  for (const name of ['to-file', 'to-link']) {
    rmSync(join(source, name));
    mkdirSync(join(source, name));
    write(`${name}/inside`, 'y');
  }
  expect(mirror(swapped).status).toBe(0);
  expect(differences()).toEqual([]);
});

test('a link in the way on the target is not followed', () => {
  mkdirSync(join(source, 'd'));
  write('d/file', 'x');
  mkdirSync(join(base, 'stranger'));
  symlinkSync(join(base, 'stranger'), join(target, 'd'));
  expect(mirror(['d', 'd/file']).status).toBe(0);
  expect(existsSync(join(base, 'stranger/file'))).toBe(false);
  expect(differences()).toEqual([]);
});

test('paths outside of the source are skipped, also those that only begin like it', () => {
  mkdirSync(`${source}-twin`);
  writeFileSync(`${source}-twin/file`, 'x');
  expect(mirror(['../source-twin/file']).status).toBe(0);
  const twin = spawnSync(HOOK, {
    input: `${source}-twin/file\0/etc/passwd\0`,
    env: { PATH, DRIFTLINE_SOURCE: `${source}/`, DRIFTLINE_TARGET: target },
  });
  expect(twin.status).toBe(0);
  expect(differences()).toEqual([]);
});

test('the whole root is the default source', () => {
  write('file', 'x');
  expect(mirror(['file'], { DRIFTLINE_SOURCE: '/' }).status).toBe(0);
  expect(readFileSync(`${target}${source}/file`, 'utf8')).toBe('x');
});

test('ten thousand paths are more than one argument list', () => {
  const paths = Array.from({ length: 10_000 }, (_, index) => `${'long-name-'.repeat(10)}${index}`);
  for (const path of paths) write(path, '');
  expect(mirror(paths).status).toBe(0);
  expect(differences()).toEqual([]);
});

test('options are passed on, one argument each', () => {
  write('file', 'x');
  const options = {
    DRIFTLINE_OPTIONS_COUNT: '2',
    DRIFTLINE_OPTIONS_1: '--exclude=$(touch pwn) *',
    DRIFTLINE_OPTIONS_2: '-n',
  };
  expect(mirror(['file'], options).status).toBe(0);
  expect(differences()).toEqual(['>f+++++++++ file']);
});

test('a source that is not there never empties the mirror', () => {
  write('file', 'x');
  fullCopy();
  rmSync(source, { recursive: true });
  expect(mirror(['file'])).toMatchObject({ status: 64, stderr: `rsync-mirror: ${source} is not there\n` });
  expect(existsSync(join(target, 'file'))).toBe(true);
});

test.each([
  ['an unreachable host is tried again', { DRIFTLINE_TARGET: 'rsync://127.0.0.1:9/module/' }, 75],
  ['a target that cannot be made is not', { DRIFTLINE_TARGET: '/proc/no/such/place/' }, 11],
  ['no target is wrong use', { DRIFTLINE_TARGET: '' }, 64],
  ['a relative source too', { DRIFTLINE_SOURCE: 'etc' }, 64],
  ['and a count that is none', { DRIFTLINE_OPTIONS_COUNT: '1;id' }, 64],
])('%s', (_case, settings, status) => {
  write('file', 'x');
  expect(mirror(['file'], settings).status).toBe(status);
});

const inodeOf = (path: string): number => lstatSync(Buffer.from(`${target}/${path}`, 'latin1')).ino;

test('renames are replayed: the target keeps its files, whatever their names', () => {
  for (const name of HOSTILE) write(name, 'x'.repeat(1000));
  mkdirSync(join(source, 'd/e'), { recursive: true });
  write('d/e/file', 'deep');
  write('d/stale', 'stale');
  fullCopy();
  const before = new Map([...HOSTILE, 'd', 'd/e/file'].map((name) => [name, inodeOf(name)]));
  const moves = HOSTILE.flatMap((name) => [name, `new dir/${name}`]);
  mkdirSync(join(source, 'new dir'));
  for (const name of HOSTILE) {
    renameSync(Buffer.from(`${source}/${name}`, 'latin1'), Buffer.from(`${source}/new dir/${name}`, 'latin1'));
  }
  renameSync(join(source, 'd'), join(source, 'between'));
  renameSync(join(source, 'between'), join(source, 'moved'));
  // Not on the list: as if it had been there under another name before.
  rmSync(join(source, 'moved/stale'));
  const all = [...moves, 'd', 'between', 'between', 'moved'];
  const paths = [...all, 'new dir', ...['d', 'moved'].flatMap((name) => [`${name}/e`, `${name}/e/file`])];
  expect(mirrorMoves(all, paths.sort()).status).toBe(0);
  expect(differences()).toEqual([]);
  for (const name of HOSTILE) expect([name, inodeOf(`new dir/${name}`)]).toEqual([name, before.get(name)]);
  expect([inodeOf('moved'), inodeOf('moved/e/file')]).toEqual([before.get('d'), before.get('d/e/file')]);
});

test('a rename is only a hint: what is wrong, stale or leads out of the target does no harm', () => {
  mkdirSync(join(base, 'stranger'));
  for (const name of ['a', 'b', 'c', 'kept']) write(name, name.repeat(name.charCodeAt(0)));
  mkdirSync(join(source, 'link'));
  fullCopy();
  rmSync(join(target, 'link'), { recursive: true });
  symlinkSync(join(base, 'stranger'), join(target, 'link'));
  renameSync(join(source, 'a'), join(source, 'link/a'));
  renameSync(join(source, 'b'), join(source, 'c'));
  const moves = ['a', 'link/a', 'b', 'c', 'kept', 'b', 'gone', 'x/y', '../../etc/passwd', 'c', 'b', '../out'];
  expect(mirrorMoves(moves, ['a', 'b', 'c', 'link', 'link/a'])).toMatchObject({ status: 0 });
  expect(differences()).toEqual([]);
  expect([existsSync(join(base, 'stranger/a')), existsSync(join(base, 'out'))]).toEqual([false, false]);
});

test('with options that choose, nothing is renamed', () => {
  write('a', 'a');
  fullCopy();
  renameSync(join(source, 'a'), join(source, 'b'));
  const settings = { DRIFTLINE_OPTIONS_COUNT: '1', DRIFTLINE_OPTIONS_1: '-n' };
  expect(mirrorMoves(['a', 'b'], ['a', 'b'], settings).status).toBe(0);
  expect(existsSync(join(target, 'a'))).toBe(true);
});

test('one path that cannot be copied does not keep back the others, and is named', () => {
  const names = Array.from({ length: 250 }, (_, index) => `f${index}`);
  for (const name of names) write(name, '');
  // rsync cannot put a file where something is mounted, and says 23.
  mkdirSync(join(target, 'f150'));
  spawnSync('mount', ['-t', 'tmpfs', 'none', join(target, 'f150')]);
  try {
    const ran = mirror(names);
    expect(ran.status).toBe(23);
    expect(ran.stderr).toContain('f150');
    expect(differences().filter((line) => line.includes(' f') && !line.includes('f150'))).toEqual([]);
  } finally {
    spawnSync('umount', [join(target, 'f150')]);
  }
  expect(mirror(['f150']).status).toBe(0);
  expect(differences()).toEqual([]);
});

test('a directory that becomes a file before rsync looks takes nothing of the others along', () => {
  const names = Array.from({ length: 250 }, (_, index) => `d/f${index}`);
  mkdirSync(join(source, 'd'));
  for (const name of [...names, 'other']) write(name, 'x');
  fullCopy();
  write('other', 'changed');
  const bin = join(base, 'bin');
  mkdirSync(bin);
  const late = `#!/bin/sh\nif [ -d '${source}/d' ]; then rm -r '${source}/d'; echo >'${source}/d'; fi\nexec /usr/bin/rsync "$@"\n`;
  writeFileSync(join(bin, 'rsync'), late, { mode: 0o755 });
  expect(mirror([...names, 'd', 'other'], { PATH: `${bin}:${PATH}` })).toMatchObject({ status: 0 });
  expect(differences()).toEqual([]);
});

describe.skipIf(!isInstalled('ssh', 'sshd', 'ssh-keygen'))('over ssh (needs openssh-server)', () => {
  let server: ChildProcess;
  let settings: Record<string, string>;

  beforeEach(async () => {
    const port = await freePort();
    for (const name of ['host', 'user']) {
      system('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(base, name)]);
    }
    copyFileSync(join(base, 'user.pub'), join(base, 'authorized'));
    const options = [
      `ListenAddress 127.0.0.1:${port}`,
      `HostKey ${join(base, 'host')}`,
      `AuthorizedKeysFile ${join(base, 'authorized')}`,
      `PidFile ${join(base, 'pid')}`,
      'PermitRootLogin yes',
      'StrictModes no',
      'UsePAM no',
    ];
    writeFileSync(join(base, 'sshd_config'), `${options.join('\n')}\n`);
    // Where sshd confines its helper; the package makes it, a container may have lost it.
    mkdirSync('/run/sshd', { recursive: true });
    server = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', join(base, 'sshd_config')], { stdio: 'ignore' });
    const known = `[127.0.0.1]:${port} ${readFileSync(join(base, 'host.pub'), 'utf8')}`;
    writeFileSync(join(base, 'known'), known);
    const rsh = [
      'ssh',
      '-F',
      'none',
      '-p',
      String(port),
      '-i',
      join(base, 'user'),
      '-o',
      `UserKnownHostsFile=${join(base, 'known')}`,
      '-o',
      'BatchMode=yes',
      '-o',
      'StrictHostKeyChecking=yes',
    ];
    settings = {
      DRIFTLINE_TARGET: `root@127.0.0.1:${target}`,
      DRIFTLINE_RSH_COUNT: String(rsh.length),
      ...Object.fromEntries(rsh.map((word, index) => [`DRIFTLINE_RSH_${index + 1}`, word])),
    };
    await vi.waitUntil(() => canConnect(port), { timeout: 60_000, interval: 50 });
  });
  afterEach(async () => {
    server.kill('SIGTERM');
    await new Promise((resolve) => server.once('close', resolve));
  });

  test('created, renamed, deleted; a host that does not answer is tried again', () => {
    target = join(base, "tar get's");
    settings['DRIFTLINE_TARGET'] = `root@127.0.0.1:${target}`;
    mkdirSync(target);
    mkdirSync(join(source, 'd'));
    const paths = HOSTILE.flatMap((name) => [name, `d/${name}`]);
    for (const path of paths) write(path, 'one');
    expect(mirror(['d', ...paths], settings)).toMatchObject({ status: 0, stderr: '' });
    expect(differences()).toEqual([]);

    const before = inodeOf('d/*');
    renameSync(join(source, 'd'), join(source, 'e'));
    renameSync(join(source, '*'), join(source, "it's"));
    const moved = HOSTILE.flatMap((name) => [`d/${name}`, `e/${name}`]);
    expect(mirrorMoves(['d', 'e', '*', "it's"], ['d', 'e', '*', "it's", ...moved], settings).status).toBe(0);
    expect(differences()).toEqual([]);
    expect(inodeOf('e/*')).toBe(before);

    rmSync(join(source, 'e'), { recursive: true });
    expect(mirror(['e', ...HOSTILE.map((name) => `e/${name}`)], settings).status).toBe(0);
    expect(differences()).toEqual([]);

    write('late', 'x');
    const nobody = { ...settings, DRIFTLINE_RSH_5: '1' };
    expect(mirrorMoves(['early', 'late'], ['late'], nobody).status).toBe(75);
    expect(mirror(['late'], nobody).status).toBe(75);
  });
});

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

test('a list that was cut short is no success', () => {
  write('file', 'x');
  const bin = join(base, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'xargs'), '#!/bin/sh\n/usr/bin/xargs "$@"\nexit 1\n', { mode: 0o755 });
  expect(mirror(['file'], { PATH: `${bin}:${PATH}` })).toMatchObject({ status: 1 });
});
