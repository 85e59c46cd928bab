// who: strict. Programs wait until they were looked at, but never for a watch that is stopped or killed. The loader's cache is a
// copy in a mount namespace of its own: no other program of the machine waits.
import { spawn } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import { collect, type Daemon, type Fields } from './daemon.ts';
import { Site } from './site.ts';

let site: Site;
let daemon: Daemon;

beforeEach(async (context) => {
  needCapabilities(context);
  site = new Site({ watch: { who: 'strict' } });
  const copy = join(site.scratch.tmpfs('loader'), 'ld.so.cache');
  copyFileSync('/etc/ld.so.cache', copy);
  const script = `mount --bind ${copy} /etc/ld.so.cache && exec "$@"`;
  daemon = await site.begin({ wrap: ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh'] });
});
afterEach(async () => await site?.[Symbol.asyncDispose]());

/** A script where the watch lives, in the watched directory. */
function inside(script: string): { readonly done: Promise<number | null>; readonly said: () => string } {
  const wrap = ['-t', String(daemon.pid), `--mount`, `--wd=${site.root}`, 'bash', '-ec', script];
  const child = spawn('nsenter', wrap, { stdio: ['ignore', 'pipe', 'inherit'] });
  return { said: collect(child.stdout), done: new Promise((resolve) => child.once('close', resolve)) };
}

/** Starts programs one after the other; prints the longest time of one, in ms. */
const storm = (count: number): string => `
  max=0; echo begun
  for ((i = 0; i < ${count}; i++)); do
    from=\${EPOCHREALTIME/./}; /bin/true; took=$(( (\${EPOCHREALTIME/./} - from) / 1000 ))
    if (( took > max )); then max=$took; fi
  done; echo longest $max`;

const longestMs = (text: string): number => Number(/longest (\d+)/.exec(text)?.[1]);
const begun = (run: { said: () => string }): Promise<unknown> => daemon.until('the storm', () => run.said() !== '');

function answererPid(): number {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== String(daemon.pid));
  const found = pids.find((pid) => {
    try {
      const cmdline = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return cmdline.includes('/answerer.js') && sameNamespace(pid);
    } catch {
      return false;
    }
  });
  return Number(found ?? Number.NaN);
}

const sameNamespace = (pid: string): boolean =>
  readlinkSync(`/proc/${pid}/ns/mnt`) === readlinkSync(`/proc/${daemon.pid}/ns/mnt`);

test('300 short writers are known with their command line, their user and their parents', async () => {
  const script = 'for i in {1..300}; do cp /etc/hostname strict-$i; done';
  expect(await inside(script).done).toBe(0);
  const records = (await daemon.settled()).filter(({ path }) => String(path).includes('/strict-'));
  expect(new Set(records.map(({ path }) => path)).size).toBe(300);
  // Only a program that was held up for half a second runs before it was looked at.
  const known = records.filter(({ actor }) => ['cmdline', 'uid'].every((key) => Object.hasOwn(actor as Fields, key)));
  process.stdout.write(`command line and user of cp: ${known.length} of 300\n`);
  expect(known.length).toBeGreaterThanOrEqual(297);
  for (const record of known) {
    const actor = record['actor'] as Fields;
    const cmdline = ['cp', '/etc/hostname', String(record['path']).split('/').at(-1)];
    expect(actor).toMatchObject({ source: 'exec', cmdline, uid: 0, exe: expect.stringMatching(/\/cp$/) });
    expect((actor['ppids'] as number[]).at(-1)).toBe(1);
  }
});

test('a watch that is stopped makes no program wait, and goes on as if nothing had been', async () => {
  daemon.signal('SIGSTOP');
  const run = inside(`${storm(300)}; for i in {1..5}; do cp /etc/hostname late-$i; done`);
  expect(await run.done).toBe(0);
  process.stdout.write(`watch stopped: the slowest of 300 programs took ${longestMs(run.said())} ms\n`);
  expect(longestMs(run.said())).toBeLessThan(10_000);
  daemon.signal('SIGCONT');
  const late = (await daemon.settled()).filter(({ path }) => String(path).includes('/late-'));
  expect(late).toHaveLength(5);
});

test('a watch that is killed in the middle leaves nobody waiting, and nothing behind', async () => {
  const answerer = answererPid();
  expect(answerer).toBeGreaterThan(0);
  const run = inside(storm(500));
  await begun(run);
  await daemon.stop('SIGKILL');
  expect(await run.done).toBe(0);
  process.stdout.write(`watch killed: the slowest of 500 programs took ${longestMs(run.said())} ms\n`);
  expect(longestMs(run.said())).toBeLessThan(10_000);
  await expect.poll(() => isAlive(answerer), { timeout: 60_000 }).toBe(false);
});

test('an answerer that is stopped is killed, what waits is allowed, and another one takes over', async () => {
  const answerer = answererPid();
  const run = inside(storm(300));
  await begun(run);
  process.kill(answerer, 'SIGSTOP');
  await daemon.said(/the process that looks at programs has ended, another one is started/);
  expect(await run.done).toBe(0);
  process.stdout.write(`answerer stopped: the slowest of 300 programs took ${longestMs(run.said())} ms\n`);
  expect(longestMs(run.said())).toBeLessThan(30_000);
  await daemon.until('another answerer', () => answererPid() > 0 && answererPid() !== answerer);
});

test('a watch that is killed while its answerer begins leaves nothing behind', async () => {
  const first = answererPid();
  process.kill(first, 'SIGKILL');
  await daemon.until('another answerer', () => answererPid() > 0 && answererPid() !== first);
  const second = answererPid();
  await daemon.stop('SIGKILL');
  await expect.poll(() => isAlive(second), { timeout: 60_000 }).toBe(false);
});

test('a stop ends the answerer, too', async () => {
  const answerer = answererPid();
  expect(await daemon.stop()).toMatchObject({ code: 0 });
  expect(isAlive(answerer)).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
