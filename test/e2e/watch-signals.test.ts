// Signals at bad moments: before the start is over, and while a hook does not end.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import { briefs } from './brief.ts';
import type { Daemon } from './daemon.ts';
import { Site } from './site.ts';

/** The design's second, and what a busy machine adds until the end of a process is seen. */
const STOP_MS = 1000 + 500;

let site: Site;

beforeEach((context) => {
  needCapabilities(context);
  site = new Site();
});
afterEach(async () => await site?.[Symbol.asyncDispose]());

/** Waits until the process has its handlers: SIGHUP's is the last, and bit 0 of SigCgt (proc_pid_status(5)). */
async function listens(daemon: Daemon): Promise<void> {
  await daemon.until('a handler', () =>
    /^SigCgt:\s+\w*[13579bdf]$/m.test(readFileSync(`/proc/${daemon.pid}/status`, 'utf8')),
  );
}

test('SIGTERM as soon as it is listened to: a clean stop', async () => {
  site.init();
  const daemon = site.spawn();
  await listens(daemon);
  const ended = await daemon.stop();
  expect(ended).toMatchObject({ code: 0, signal: null });
  expect(ended.ms).toBeLessThan(STOP_MS);
  expect(daemon.stderr()).toBe('');
});

test('SIGHUP as soon as it is listened to: a reload after the start', async () => {
  site.init();
  const daemon = site.spawn();
  await listens(daemon);
  daemon.signal('SIGHUP');
  await daemon.ready();
  await daemon.said(/the configuration was reloaded/);
  expect((await daemon.stop()).code).toBe(0);
});

/** A hook that heeds no signal and says in a file that it runs. */
async function beginDeaf(): Promise<{ daemon: Daemon; isRunning: () => boolean }> {
  const pidFile = join(site.scratch.dir, 'pid');
  const script = `trap '' TERM; echo $$ >"$DRIFTLINE_FILE"; while :; do sleep 1; done`;
  const deaf = { run: ['/bin/sh', '-c', script], with: { file: pidFile }, quiet: '10ms' };
  site.configure({ rule: { hooks: ['deaf'] }, hooks: { deaf } });
  const daemon = await site.begin();
  site.shell('echo 1 >file');
  await daemon.until('the hook', () => existsSync(pidFile) && readFileSync(pidFile, 'utf8').endsWith('\n'));
  const pid = readFileSync(pidFile, 'utf8').trim();
  return { daemon, isRunning: () => existsSync(`/proc/${pid}`) };
}

test('a reload does not wait for a hook: drift is recorded meanwhile, and SIGTERM still ends everything', async () => {
  const { daemon, isRunning } = await beginDeaf();
  await daemon.settled();
  daemon.signal('SIGHUP');
  await daemon.ready(2);
  site.shell('echo 2 >other');
  expect(briefs(await daemon.settled(), site.root)).toEqual(['added other']);
  expect(isRunning()).toBe(true);
  daemon.signal('SIGHUP');
  await daemon.ready(3);
  site.shell('echo 3 >third');
  expect(briefs(await daemon.settled(), site.root)).toEqual(['added third']);
  expect(site.json(['status'])).toMatchObject({ hooks: [{ name: 'deaf', pending: 3, running: true }] });
  expect(isRunning()).toBe(true);
  const ended = await daemon.stop();
  expect(ended).toMatchObject({ code: 0, signal: null });
  expect(ended.ms).toBeLessThan(STOP_MS);
  expect(isRunning()).toBe(false);
  expect(site.json(['status'])).toMatchObject({ hooks: [{ pending: 3, dead: 0 }] });
});

test('an outbox that cannot be read ends the watch, with its reason and without a socket', async () => {
  site.configure({ rule: { hooks: ['it'] }, hooks: { it: { run: ['true'], quiet: '8s', deadline: '8s' } } });
  const daemon = await site.begin();
  site.shell('echo 1 >file');
  await daemon.settled();
  const script = `import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None); db.execute("update outbox set record = '{}'")`;
  expect(spawnSync('python3', ['-c', script, site.baseline])).toMatchObject({ status: 0 });
  expect(await daemon.ended).toMatchObject({ code: 65 });
  expect(daemon.stderr()).toMatch(/its outbox does not match its seal/);
  expect(existsSync(`${site.baseline}.sock`)).toBe(false);
});
