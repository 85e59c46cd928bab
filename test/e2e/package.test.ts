// The Debian package on this system: built twice, installed, used, purged without a trace.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const BASELINE = '/var/lib/driftline/baseline.db';
const SCRATCH = mkdtempSync(join(tmpdir(), 'driftline-package-'));
const isInstalled = existsSync('/usr/bin/driftline');
const canInstall = process.getuid?.() === 0 && spawnSync('dpkg-deb', ['--version']).status === 0 && !isInstalled;

/** The package raises it, as it should; a test leaves it as it was. */
const QUEUE = '/proc/sys/fs/fanotify/max_queued_events';
const queuedEvents = existsSync(QUEUE) ? readFileSync(QUEUE, 'utf8') : undefined;

let deb: string;

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const ran = spawnSync(program, args, { encoding: 'utf8', env: { ...process.env, ...env } });
  return { status: ran.status, stdout: ran.stdout, text: ran.stdout + ran.stderr };
}

function build(into: string): string {
  const ran = run('bash', [join(ROOT, 'packaging/build-deb.sh'), into], { SOURCE_DATE_EPOCH: '1760000000' });
  expect(ran, ran.text).toMatchObject({ status: 0 });
  return ran.stdout.trim();
}

describe.skipIf(!canInstall)('the Debian package (needs root, dpkg, and no driftline installed)', () => {
  beforeAll(() => {
    deb = build(SCRATCH);
  }, 180_000);
  afterAll(() => {
    spawnSync('dpkg', ['--purge', 'driftline']);
    if (queuedEvents !== undefined) writeFileSync(QUEUE, queuedEvents);
    rmSync(SCRATCH, { recursive: true, force: true });
  });

  test('is the same, byte for byte, when built again', () => {
    const again = build(mkdtempSync(join(SCRATCH, 'again-')));
    const sums = (file: string) => run('dpkg-deb', ['-I', file, 'md5sums']).stdout.split('\n');
    expect(sums(again)).toEqual(sums(deb));
    expect(readFileSync(again).equals(readFileSync(deb))).toBe(true);
  }, 180_000);

  test('installs, and holds what it promises', () => {
    const installed = run('dpkg', ['-i', deb]);
    expect(installed, installed.text).toMatchObject({ status: 0 });
    expect(run('dpkg', ['--verify', 'driftline']).text).not.toMatch(/missing|\?\?5/);
    const files = run('dpkg', ['-L', 'driftline']).stdout.trim().split('\n');
    expect(files).toEqual(
      expect.arrayContaining(['/lib/systemd/system/driftline.service', '/usr/lib/driftline/hooks/rsync-mirror']),
    );
    const writable = files.filter((file) => existsSync(file) && (statSync(file).mode & 0o022) !== 0);
    expect(writable).toEqual([]);
  });

  test('the manual page is clean and names every command', () => {
    const page = run('man', ['--warnings', '-P', 'cat', '-l', join(ROOT, 'packaging/driftline.8')], { MANWIDTH: '80' });
    expect(page).toMatchObject({ status: 0, text: page.stdout });
    const help = run('/usr/bin/driftline', ['--help']).stdout.split('Commands:')[1] ?? '';
    const commands = [...help.matchAll(/^ {2}([a-z]\w+)/gm)].map(([, name]) => name).filter((name) => name !== 'help');
    expect(commands.length).toBeGreaterThan(5);
    for (const name of commands) expect(page.stdout).toContain(`driftline ${name}`);
  });

  test('the unit is valid', () => {
    expect(run('systemd-analyze', ['verify', '/lib/systemd/system/driftline.service']).text).not.toMatch(/driftline/);
  });

  test('does its work whatever the variables for node say', () => {
    const watched = mkdtempSync(join(SCRATCH, 'watched-'));
    writeFileSync(join(watched, 'file'), 'one');
    const env = { NODE_OPTIONS: '--require /nonexistent.js', NODE_PATH: '/nonexistent' };
    const driftline = (...args: string[]) => run('/usr/bin/driftline', [...args, '--baseline', BASELINE], env);
    const made = driftline('init', watched);
    expect(made, made.text).toMatchObject({ status: 0 });
    expect(driftline('check')).toMatchObject({ status: 0 });
    writeFileSync(join(watched, 'file'), 'two');
    expect(driftline('check')).toMatchObject({ status: 4 });
    expect(driftline('accept', join(watched, 'file'))).toMatchObject({ status: 0 });
    expect(driftline('check')).toMatchObject({ status: 0 });
  });

  test('watches until SIGTERM', async () => {
    const watch = spawn('/usr/bin/driftline', ['watch', '--baseline', BASELINE], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    const ended = new Promise<number | null>((resolve) => watch.once('exit', resolve));
    const ready = new Promise<void>((resolve) => {
      watch.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (/^ready: /m.test(said)) resolve();
      });
    });
    await Promise.race([ready, ended]);
    expect(said).toMatch(/^ready: \d+ mounts?, \d+ entr(y|ies)$/m);
    watch.kill('SIGTERM');
    expect(await ended, said).toBe(0);
  });

  test('is gone without a trace when purged', () => {
    const files = run('dpkg', ['-L', 'driftline']).stdout.trim().split('\n');
    const own = files.filter((file) => /driftline/.test(file));
    expect(own.length).toBeGreaterThan(500);
    expect(run('dpkg', ['--remove', 'driftline']).status).toBe(0);
    expect(existsSync(BASELINE)).toBe(true);
    expect(existsSync('/etc/driftline/driftline.yaml')).toBe(true);
    expect(run('dpkg', ['--purge', 'driftline']).status).toBe(0);
    expect([...own, '/etc/driftline', '/var/lib/driftline'].filter((file) => existsSync(file))).toEqual([]);
  });
});
