// restic-backup with the real restic: a repository of a few files.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { filesBelow, HOSTILE, isInstalled, Place, type Ran, runHook, system } from './shipped.ts';

let place: Place;
let repository: string;
let key: string;

const restic = (...args: string[]): string =>
  system('restic', ['--repo', repository, '--password-file', key, '--no-cache', ...args]);
const backup = (input: string, more: Record<string, string | string[]> = {}): Ran =>
  runHook('restic-backup', input, { REPOSITORY: repository, PASSWORD_FILE: key, KEY: 'k1', ...more });
const snapshots = (): { id: string; tags: string[] }[] => JSON.parse(restic('snapshots', '--json'));

describe.skipIf(!isInstalled('restic'))('restic-backup (needs restic)', () => {
  // One repository for all: its key takes seconds to make.
  beforeAll(() => {
    place = new Place();
    repository = place.aside('repository');
    key = place.aside('key');
    writeFileSync(key, 'secret', { mode: 0o600 });
    restic('init', '--quiet');
  });
  afterAll(() => place[Symbol.dispose]());

  test('hostile names come back as they were; nothing else is saved', () => {
    const paths = HOSTILE.flatMap((name) => [name, `d/${name}`]);
    for (const path of [...paths, 'd/unlisted', 'unlisted']) place.write(path, `of ${path.length}`);
    mkdirSync(place.aside('tree/empty'));
    symlinkSync('d', place.aside('tree/link'));
    expect(backup(place.paths0('', ...paths, 'd', 'empty', 'gone', 'gone/in', 'link'))).toMatchObject({
      status: 0,
      stderr: '',
    });
    expect(snapshots()).toMatchObject([{ tags: ['driftline', 'key-k1'] }]);
    const back = place.aside('back');
    restic('restore', 'latest', '--target', back);
    expect(filesBelow(back + place.tree)).toEqual([...paths, 'link'].sort());
    expect(system('find', [back, '-empty', '-type', 'd'])).toBe(`${back}${place.tree}/empty\n`);
    expect(readFileSync(`${back}${place.tree}/${HOSTILE[0]}`, 'utf8')).toBe('of 3');
  });

  test('nothing to save is no snapshot', () => {
    const before = snapshots();
    expect(backup('').status).toBe(0);
    expect(backup(place.paths0('gone')).status).toBe(0);
    expect(snapshots()).toEqual(before);
  });

  test('a locked repository is tried again', async () => {
    place.write('file');
    // A check that waits for the writer of a pipe in the place of an index holds its lock meanwhile.
    const pipe = `${repository}/index/${'a'.repeat(64)}`;
    system('mkfifo', [pipe]);
    const args = ['--repo', repository, '--password-file', key, '--no-cache', 'check'];
    const holder = spawn('restic', args, { stdio: 'ignore' });
    await vi.waitUntil(() => filesBelow(`${repository}/locks`).length > 0, { timeout: 60_000 });
    expect(backup(place.paths0('file'))).toMatchObject({ status: 75, stderr: expect.stringContaining('locked') });
    holder.kill('SIGKILL');
    for (const file of [pipe, ...filesBelow(`${repository}/locks`).map((name) => `${repository}/locks/${name}`)])
      rmSync(file);
    expect(backup(place.paths0('file')).status).toBe(0);
  });

  test('variables from a file that others could write are refused', () => {
    place.write('file');
    const variables = place.aside('variables');
    writeFileSync(variables, `RESTIC_PASSWORD=secret\n`, { mode: 0o666 });
    system('chmod', ['666', variables]);
    const settings = { PASSWORD_FILE: '', ENVIRONMENT_FILE: variables };
    expect(backup(place.paths0('file'), settings)).toMatchObject({ status: 64 });
    system('chmod', ['600', variables]);
    expect(backup(place.paths0('file'), settings)).toMatchObject({ status: 0 });
  });

  test.skipIf(!isInstalled('ssh'))('a host that does not answer is tried again (needs ssh)', () => {
    place.write('file');
    // Nobody listens on port 1.
    // Restic does not always pass on what ssh said.
    const stderr = expect.stringMatching(/Connection refused|unable to start the sftp session/);
    for (let round = 0; round < 20; round += 1) {
      const ran = backup(place.paths0('file'), { REPOSITORY: 'sftp://127.0.0.1:1//nowhere' });
      expect(ran).toMatchObject({ status: 75, stderr });
    }
  });

  test.each([
    ['no repository', { REPOSITORY: '' }, 64],
    ['a repository that is none', { REPOSITORY: '/nonexistent' }, 1],
    ['options', { OPTIONS: ['--exclude=*'] }, 0],
  ])('%s: %j', (_case, settings, status) => {
    place.write('file');
    expect(backup(place.paths0('file'), settings).status).toBe(status);
  });
});
