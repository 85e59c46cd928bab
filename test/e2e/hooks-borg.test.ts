// borg-backup with the real borg: a repository of a few files.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { filesBelow, HOSTILE, isInstalled, PATH, Place, type Ran, runHook, system } from './shipped.ts';

let place: Place;
let repository: string;
let key: string;

const borg = (...args: string[]): string =>
  system('borg', args, { BORG_PASSPHRASE: 'secret', BORG_BASE_DIR: place.aside('base') });
const backup = (input: string, more: Record<string, string | string[]> = {}): Ran =>
  runHook('borg-backup', input, {
    REPOSITORY: repository,
    PASSWORD_FILE: key,
    BASE_DIR: place.aside('base'),
    LOCK_WAIT: '0',
    KEY: 'k1',
    ...more,
  });
const archives = (): string[] =>
  borg('list', '--short', repository)
    .split('\n')
    .filter((name) => name !== '');

describe.skipIf(!isInstalled('borg'))('borg-backup (needs borgbackup)', () => {
  // One repository for all: its key takes seconds to make.
  beforeAll(() => {
    place = new Place();
    repository = place.aside('repository');
    key = place.aside('key');
    writeFileSync(key, 'secret', { mode: 0o600 });
    borg('init', '--encryption', 'authenticated', repository);
  });
  afterAll(() => place[Symbol.dispose]());

  test('hostile names come back as they were; nothing else is saved; a second attempt is done already', () => {
    const paths = HOSTILE.flatMap((name) => [name, `d/${name}`]);
    for (const path of [...paths, 'd/unlisted', 'unlisted']) place.write(path);
    mkdirSync(place.aside('tree/empty'));
    const input = place.paths0('', ...paths, 'd', 'empty', 'gone', 'gone/in');
    expect(backup(input)).toMatchObject({ status: 0, stderr: '' });
    expect(backup(input)).toMatchObject({ status: 0 });
    expect(archives()).toEqual(['driftline-k1', 'driftline-k1.cr']);
    const back = place.aside('back');
    mkdirSync(back);
    system(
      'sh',
      [
        '-c',
        'cd "$1" && borg extract "$2::driftline-k1" && borg extract "$2::driftline-k1.cr"',
        'sh',
        back,
        repository,
      ],
      {
        BORG_PASSPHRASE: 'secret',
        BORG_BASE_DIR: place.aside('base'),
        LANG: 'C.UTF-8',
      },
    );
    expect(filesBelow(back + place.tree)).toEqual([...paths].sort());
    expect(system('find', [back, '-empty', '-type', 'd'])).toBe(`${back}${place.tree}/empty\n`);
  });

  test('more names with a carriage return than fit on a command line', () => {
    const paths = Array.from({ length: 700 }, (_, n) => `many/${n}\r${'x'.repeat(200)}`);
    for (const path of paths) place.write(path);
    expect(backup(place.paths0(...paths), { KEY: 'many' })).toMatchObject({ status: 0, stderr: '' });
    const made = archives().filter((name) => name.startsWith('driftline-many'));
    expect(made.length).toBeGreaterThan(1);
    const saved = made.flatMap((name) => borg('list', '--format', '{path}{NUL}', `${repository}::${name}`).split('\0'));
    expect(saved.filter((name) => name !== '').sort()).toEqual(
      paths.map((path) => `${place.tree}/${path}`.slice(1)).sort(),
    );
    expect(backup(place.paths0(...paths), { KEY: 'many' }).status).toBe(0);
    expect(archives().filter((name) => name.startsWith('driftline-many'))).toEqual(made);
  });

  test('nothing to save is no archive', () => {
    const before = archives();
    expect(backup('', { KEY: 'none' }).status).toBe(0);
    expect(backup(place.paths0('gone'), { KEY: 'none' }).status).toBe(0);
    expect(archives()).toEqual(before);
  });

  test('a locked repository is tried again', async () => {
    place.write('file');
    const environment = { PATH, BORG_PASSPHRASE: 'secret', BORG_BASE_DIR: place.aside('base') };
    const args = ['with-lock', repository, 'sh', '-c', 'echo locked; cat'];
    const holder = spawn('borg', args, { env: environment, stdio: ['pipe', 'pipe', 'inherit'] });
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    expect(backup(place.paths0('file'), { KEY: 'locked' })).toMatchObject({
      status: 75,
      stderr: expect.stringContaining('lock'),
    });
    holder.stdin.end();
    await new Promise((resolve) => holder.once('close', resolve));
    expect(backup(place.paths0('file'), { KEY: 'locked' })).toMatchObject({ status: 0 });
  });

  test.each([
    ['no repository', { REPOSITORY: '' }, 64],
    ['a key with a slash', { KEY: 'a/b' }, 64],
    ['a repository that is none', { REPOSITORY: '/nonexistent' }, 2],
    ['a wrong passphrase', { PASSWORD_FILE: '/dev/null' }, 2],
    ['options', { KEY: 'commented', OPTIONS: ['--comment', '$(id) x'] }, 0],
  ])('%s: %j', (_case, settings, status) => {
    place.write('file');
    expect(backup(place.paths0('file'), settings).status).toBe(status);
  });
});
