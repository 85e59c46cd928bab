// The shipped hook with the real rsync: after a run the mirror equals the source, whatever the names.
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

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

test('a list that was cut short is no success', () => {
  write('file', 'x');
  const bin = join(base, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'xargs'), '#!/bin/sh\n/usr/bin/xargs "$@"\nexit 1\n', { mode: 0o755 });
  expect(mirror(['file'], { PATH: `${bin}:${PATH}` })).toMatchObject({ status: 1 });
});
