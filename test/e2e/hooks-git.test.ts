// git-autocommit with the real git: after each run the commit holds exactly what is there.
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { filesBelow, HOSTILE, Place, type Ran, runHook, system } from './shipped.ts';

let place: Place;

const git = (...args: string[]): string =>
  system('git', ['-C', place.tree, ...args], { GIT_CONFIG_GLOBAL: '/dev/null' });
const commit = (...paths: string[]): Ran =>
  runHook('git-autocommit', place.paths0(...paths), { REPOSITORY: place.tree, KEY: 'k1', DRIFTS: '3' });

beforeEach(() => {
  place = new Place();
  system('git', ['init', '--quiet', place.tree]);
});
afterEach(() => place[Symbol.dispose]());

/** What is in the last commit. */
const committed = (): string[] =>
  git('ls-tree', '-r', '-z', '--name-only', 'HEAD')
    .split('\0')
    .filter((name) => name !== '' && name !== '.driftline-metadata')
    .sort();
const present = (): string[] => filesBelow(place.tree).filter((name) => !name.startsWith('.git/'));
const commits = (): number => Number(git('rev-list', '--count', 'HEAD'));

test('hostile names: created, changed, renamed, deleted', () => {
  const paths = HOSTILE.flatMap((name) => [name, `d/${name}`]);
  for (const path of paths) place.write(path, 'one');
  expect(commit('', 'd', ...paths)).toMatchObject({ status: 0, stderr: '' });
  expect(committed()).toEqual(present());
  expect(git('status', '--porcelain')).toBe('');

  for (const path of paths) place.write(path, 'two, longer');
  expect(commit(...paths).status).toBe(0);
  expect(git('status', '--porcelain')).toBe('');

  renameSync(`${place.tree}/d`, `${place.tree}/e`);
  expect(commit('d', 'e', ...HOSTILE.flatMap((name) => [`d/${name}`, `e/${name}`])).status).toBe(0);
  expect(committed()).toEqual(present());

  rmSync(`${place.tree}/e`, { recursive: true });
  expect(commit('e', ...HOSTILE.map((name) => `e/${name}`)).status).toBe(0);
  expect(committed()).toEqual(present());
  expect([commits(), git('status', '--porcelain')]).toEqual([4, '']);
});

test('a directory becomes a file, a link to a directory, a pipe, and a directory again', () => {
  for (const name of ['to-file', 'to-link', 'to-pipe', 'plain']) place.write(`${name}/inside`, 'x');
  const swapped = ['to-file', 'to-link', 'to-pipe'].flatMap((name) => [name, `${name}/inside`]);
  expect(commit('plain/inside', ...swapped).status).toBe(0);
  for (const name of ['to-file', 'to-link', 'to-pipe']) place.remove(name);
  writeFileSync(`${place.tree}/to-file`, 'a file now');
  symlinkSync('plain', `${place.tree}/to-link`);
  system('mkfifo', [`${place.tree}/to-pipe`]);
  expect(commit(...swapped)).toMatchObject({ status: 0, stderr: '' });
  expect(committed()).toEqual(['plain/inside', 'to-file', 'to-link']);
  for (const name of ['to-file', 'to-link', 'to-pipe']) {
    place.remove(name);
    place.write(`${name}/inside`, 'y');
  }
  expect(commit(...swapped).status).toBe(0);
  expect(committed()).toEqual(present());
});

test('owner and mode are in the commit, and a change of mode alone is one', () => {
  place.write("it's \n");
  expect(commit("it's \n").status).toBe(0);
  chmodSync(`${place.tree}/it's \n`, 0o600);
  expect(commit("it's \n").status).toBe(0);
  expect(commits()).toBe(2);
  const before = git('show', 'HEAD~:.driftline-metadata');
  expect(before).toMatch(/^0644 0 0 /);
  expect(git('show', 'HEAD:.driftline-metadata')).toBe(before.replace('0644', '0600'));
  expect(git('log', '-1', '--format=%an|%s|%b')).toMatch(/^driftline\|driftline: 3 drifts, 1 files\|Key: k1/);
});

test('what .gitignore names, .git itself and strangers are left out; nothing new is no commit', () => {
  place.write('.gitignore', '*.swp\n');
  place.write('a.swp');
  place.write('a');
  mkdirSync(place.aside('tree-twin'));
  writeFileSync(place.aside('tree-twin/x'), '');
  const input = `${place.paths0('.gitignore', 'a.swp', 'a', '.git/config')}${place.dir}/tree-twin/x\0/etc/passwd\0`;
  expect(runHook('git-autocommit', input, { REPOSITORY: `${place.tree}/` }).status).toBe(0);
  expect(committed()).toEqual(['.gitignore', 'a']);
  expect(commit('a', 'a.swp', 'gone').status).toBe(0);
  expect(commits()).toBe(1);
});

test("nobody's git hooks run", () => {
  const program = `#!/bin/sh\ntouch ${place.aside('pwn')}\nexit 1\n`;
  writeFileSync(`${place.tree}/.git/hooks/pre-commit`, program, { mode: 0o755 });
  place.write('a');
  expect(commit('a').status).toBe(0);
  expect(filesBelow(place.dir)).not.toContain('pwn');
});

test('while another git holds the index it is not now', () => {
  place.write('a');
  writeFileSync(`${place.tree}/.git/index.lock`, '');
  expect(commit('a').status).toBe(75);
  rmSync(`${place.tree}/.git/index.lock`);
  expect(commit('a').status).toBe(0);
});

test('where no repository is, that is said', () => {
  expect(runHook('git-autocommit', '', { REPOSITORY: place.dir })).toMatchObject({
    status: 64,
    stderr: `git-autocommit: ${place.dir} is no git repository: git init ${place.dir}\n`,
  });
});

test.skipIf(process.getuid?.() !== 0)(
  "another user's repository is refused, and it is said who should run the hook (needs root)",
  () => {
    place.write('a');
    system('chown', ['-R', 'mail:', place.tree]);
    expect(commit('a')).toMatchObject({ status: 64, stderr: expect.stringContaining('.git belongs to mail: ') });
  },
);
