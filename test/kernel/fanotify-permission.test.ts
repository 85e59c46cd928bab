// Permission events on the kernel, on filesystems of the test's own; whoever guards is a child process with a watchdog.
import { execFile, execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needCapabilities } from './capability.ts';
import { PermissionChild } from './permission-child.ts';
import { Scratch } from './scratch.ts';

const OPENER = new URL('permission-opener.mjs', import.meta.url).pathname;
const LEASE_HOLDER = new URL('lease-holder.mjs', import.meta.url).pathname;
const run = promisify(execFile);

let scratch: Scratch;

beforeEach((context) => {
  needCapabilities(context);
  scratch = new Scratch();
});

afterEach(() => scratch?.[Symbol.dispose]());

/** A tmpfs with files, made before anybody guards it. Their times are old enough for verdicts to be kept. */
function files(names: readonly string[], kind: 'tmpfs' | 'ext4' = 'tmpfs'): string {
  const root = scratch[kind]('fs');
  for (const name of names) writeFileSync(`${root}/${name}`, 'content');
  for (const name of names) settle(`${root}/${name}`);
  return root;
}

/** Waits until what was just changed is so old that its verdict is kept. */
function settle(path: string): void {
  while (Date.now() - statSync(path).ctimeMs < 40);
}

/** What a process holds open below a directory. */
function descriptorsBelow(root: string, pid: number): string[] {
  const paths = readdirSync(`/proc/${pid}/fd`).map((fd) => targetOf(`/proc/${pid}/fd/${fd}`));
  return paths.filter((path) => path.startsWith(`${root}/`));
}

function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    // Closed meanwhile.
    return '';
  }
}

/** Opens in the thread pool: the test goes on while it waits. */
async function open(path: string, flags = 'r'): Promise<string> {
  try {
    await (await openFile(path, flags)).close();
    return 'ok';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

test('each open gets the verdict of decide', async () => {
  const root = files(['allow-1', 'deny-1', 'content-good', 'content-bad']);
  writeFileSync(`${root}/content-bad`, 'something bad');
  await using guard = await PermissionChild.open(root);
  expect(await open(`${root}/allow-1`)).toBe('ok');
  expect(await open(`${root}/deny-1`)).toBe('EPERM');
  expect(await open(`${root}/deny-1`, 'r+')).toBe('EPERM');
  expect(await open(`${root}/content-good`)).toBe('ok');
  expect(await open(`${root}/content-bad`)).toBe('EPERM');
  expect((await guard.asked('allow-1')).pid).toBe(process.pid);
});

test('a denial carries an errno of choice in a pre-content group, and is EPERM in a content group', async () => {
  const root = files(['nospc-1']);
  {
    await using _ = await PermissionChild.open(root, { preContent: true });
    expect(await open(`${root}/nospc-1`)).toBe('ENOSPC');
  }
  await using guard = await PermissionChild.open(root, { failure: 'open' });
  expect(await open(`${root}/nospc-1`)).toBe('EPERM');
  await guard.waitFor(({ problem }) => problem === 'refused');
});

test('a verdict that is none is answered by failure, and reported', async () => {
  const root = files(['odd-1']);
  await using guard = await PermissionChild.open(root, { failure: 'closed' });
  expect(await open(`${root}/odd-1`)).toBe('EPERM');
  expect(await guard.waitFor(({ problem }) => problem === 'refused')).toMatchObject({
    message: expect.stringContaining('EINVAL'),
  });
});

test.for([
  ['allow', 'ok'],
  ['deny', 'EPERM'],
] as const)('at the deadline a decider that never answers is passed over: %s', async ([onDeadline, outcome]) => {
  const root = files(['never-1', 'allow-1']);
  await using guard = await PermissionChild.open(root, { deadlineMs: 300, onDeadline });
  const beganMs = performance.now();
  const waiting = open(`${root}/never-1`);
  await guard.asked('never-1');
  // Others are not held up by it.
  expect(await open(`${root}/allow-1`)).toBe('ok');
  expect(await waiting).toBe(outcome);
  expect(performance.now() - beganMs).toBeGreaterThanOrEqual(299);
  expect(await guard.counts()).toMatchObject({ asked: 1, deadline: 1, failed: 0 });
});

test('the deadline holds while the main thread does nothing but compute', async () => {
  const root = files(['allow-1']);
  await using guard = await PermissionChild.open(root, { deadlineMs: 100, onDeadline: 'allow', failure: 'closed' });
  guard.send('spin', '1500');
  await guard.waitFor(({ kind, command }) => kind === 'begun' && command === 'spin');
  expect(await open(`${root}/allow-1`)).toBe('ok');
  expect(guard.messages.filter(({ kind }) => kind === 'done')).toEqual([]);
  // What came too late is not decided at all.
  expect(await guard.counts()).toMatchObject({ asked: 0, deadline: 1 });
  expect(guard.names()).toEqual([]);
});

test.for([
  ['open', 'ok'],
  ['closed', 'EPERM'],
] as const)('a decider that throws is answered by failure: %s', async ([failure, outcome]) => {
  const root = files(['throw-1']);
  await using guard = await PermissionChild.open(root, { failure });
  expect(await open(`${root}/throw-1`)).toBe(outcome);
  expect(await open(`${root}/throw-1`)).toBe(outcome);
  expect(await guard.counts()).toMatchObject({ failed: 2, cached: 0 });
  expect(await guard.waitFor(({ problem }) => problem === 'failed')).toMatchObject({ message: 'no idea' });
});

test.for([
  ['open', 'ok'],
  ['closed', 'EPERM'],
] as const)('with too many being decided, more are answered by failure at once: %s', async ([failure, outcome]) => {
  const root = files(['held-1', 'held-2', 'allow-1']);
  await using guard = await PermissionChild.open(root, { failure, maxAsked: 2 });
  const waiting = [open(`${root}/held-1`), open(`${root}/held-2`)];
  await guard.asked('held-1');
  await guard.asked('held-2');
  expect(await open(`${root}/allow-1`)).toBe(outcome);
  await guard.run('release');
  expect(await Promise.all(waiting)).toEqual(['EPERM', 'EPERM']);
  expect(await open(`${root}/allow-1`)).toBe('ok');
  expect(await guard.counts()).toMatchObject({ full: 1 });
});

test('a verdict is kept until the file changes, even if its mtime is set back', async () => {
  const root = files(['allow-1', 'moment-1', 'content-1']);
  await using guard = await PermissionChild.open(root);
  for (let times = 0; times < 100; times += 1) expect(await open(`${root}/allow-1`)).toBe('ok');
  expect(await guard.counts()).toMatchObject({ asked: 1, cached: 99 });
  for (let times = 0; times < 3; times += 1) expect(await open(`${root}/moment-1`)).toBe('ok');
  expect(await guard.counts()).toMatchObject({ asked: 4, cached: 99 });

  const change = (text: string): void => {
    // In a process that is asked like any other; opened once, for writing.
    execFileSync('bash', ['-c', `echo ${text} > '${root}/content-1'`]);
    settle(`${root}/content-1`);
  };
  expect(await open(`${root}/content-1`)).toBe('ok');
  expect(await open(`${root}/content-1`)).toBe('ok');
  const before = await guard.counts();
  change('bad');
  utimesSync(`${root}/content-1`, 1_000_000_000, 1_000_000_000);
  settle(`${root}/content-1`);
  expect(await open(`${root}/content-1`)).toBe('EPERM');
  expect(await open(`${root}/content-1`)).toBe('EPERM');
  const after = await guard.counts();
  // cached: the open for writing saw the old content; then one EPERM of each kind.
  expect([after['asked']! - before['asked']!, after['cached']! - before['cached']!]).toEqual([1, 2]);
  await guard.run('forget');
  expect(await open(`${root}/content-1`)).toBe('EPERM');
  expect((await guard.counts())['asked']).toBe(after['asked']! + 1);
});

test('another file under the same name is asked about anew', async () => {
  const root = files(['content-1', 'content-2']);
  writeFileSync(`${root}/content-2`, 'bad');
  settle(`${root}/content-2`);
  await using guard = await PermissionChild.open(root);
  expect(await open(`${root}/content-1`)).toBe('ok');
  execFileSync('mv', [`${root}/content-2`, `${root}/content-1`]);
  settle(`${root}/content-1`);
  expect(await open(`${root}/content-1`)).toBe('EPERM');
  expect(await guard.counts()).toMatchObject({ asked: 2 });
});

test('the own process opens what it guards, on its main thread, without being asked', async () => {
  const root = files(['deny-1']);
  await using guard = await PermissionChild.open(root);
  expect(await guard.run('open', `${root}/deny-1`)).toMatchObject({ result: null });
  expect(await guard.counts()).toMatchObject({ own: 1, asked: 0 });
});

test('a program that it runs and waits for is on its own until the deadline, unless descendants are allowed', async () => {
  const root = files(['allow-1']);
  {
    await using guard = await PermissionChild.open(root, { deadlineMs: 200 });
    expect(await guard.run('run', `${root}/allow-1`)).toMatchObject({ error: '1' });
    expect(await guard.counts()).toMatchObject({ deadline: 1 });
  }
  await using guard = await PermissionChild.open(root, { allowDescendants: true });
  expect(await guard.run('run', `${root}/allow-1`)).toMatchObject({ result: 'content' });
  expect(await guard.counts()).toMatchObject({ own: 1 });
  expect(await open(`${root}/allow-1`)).toBe('ok');
  expect(guard.names()).toEqual(['allow-1']);
});

test.for([
  ['open', 'ok'],
  ['closed', 'EPERM'],
] as const)('a clean stop answers everything that waits by failure: %s', async ([failure, outcome]) => {
  const root = files(['held-1', 'held-2', 'deny-1']);
  await using guard = await PermissionChild.open(root, { failure });
  const waiting = [open(`${root}/held-1`), open(`${root}/held-2`)];
  await guard.asked('held-1');
  await guard.asked('held-2');
  await guard.run('close');
  expect(await Promise.all(waiting)).toEqual([outcome, outcome]);
  expect(await open(`${root}/deny-1`)).toBe('ok');
  expect(await guard.exited).toBe(0);
});

test.for(['crash', 'exit'])('an end of the program by itself answers by failure too: %s', async (command) => {
  const root = files(['held-1']);
  await using guard = await PermissionChild.open(root, { failure: 'closed' });
  const waiting = open(`${root}/held-1`);
  await guard.asked('held-1');
  guard.send(command);
  expect(await waiting).toBe('EPERM');
  expect(await guard.exited).toBe(command === 'crash' ? 1 : 0);
  expect(guard.stderr).toContain(command === 'crash' ? 'crashed as told' : '');
});

test('when it is killed the kernel lets everybody go, whatever failure says', async () => {
  const root = files(['held-1', 'deny-1']);
  await using guard = await PermissionChild.open(root, { failure: 'closed', onDeadline: 'deny' });
  const waiting = open(`${root}/held-1`);
  await guard.asked('held-1');
  guard.signal('SIGKILL');
  expect(await waiting).toBe('ok');
  expect(await open(`${root}/deny-1`)).toBe('ok');
});

test('while it is stopped processes wait beyond the deadline; once it goes on they get the verdict of the deadline', async () => {
  const root = files(['held-1']);
  await using guard = await PermissionChild.open(root, { deadlineMs: 300, onDeadline: 'deny' });
  let outcome = 'waiting';
  const waiting = open(`${root}/held-1`).then((verdict) => {
    outcome = verdict;
  });
  await guard.asked('held-1');
  guard.signal('SIGSTOP');
  // The time is the subject here: three deadlines long nobody answers.
  await new Promise((resolve) => setTimeout(resolve, 900));
  expect(outcome).toBe('waiting');
  guard.signal('SIGCONT');
  await waiting;
  expect(outcome).toBe('EPERM');
  expect(await guard.counts()).toMatchObject({ deadline: 1 });
});

test('a process that is killed while it waits leaves nothing behind', async () => {
  const root = files(['held-1', 'allow-1']);
  await using guard = await PermissionChild.open(root);
  const cat = execFile('cat', [`${root}/held-1`]);
  const ended = new Promise((resolve) => cat.on('exit', (_, signal) => resolve(signal)));
  await guard.asked('held-1');
  expect(descriptorsBelow(root, guard.pid)).toEqual([`${root}/held-1`]);
  cat.kill('SIGKILL');
  expect(await ended).toBe('SIGKILL');
  await guard.run('release');
  expect(await open(`${root}/allow-1`)).toBe('ok');
  // The last one is closed just after its answer.
  await expect.poll(() => descriptorsBelow(root, guard.pid)).toEqual([]);
});

test('four processes open 10,000 files each, and every verdict is right', async () => {
  const root = scratch.tmpfs('fs');
  mkdirSync(`${root}/d`);
  for (let index = 0; index < 10_000; index += 1) {
    writeFileSync(`${root}/d/${index % 3 === 0 ? 'deny' : 'allow'}-${index}`, '');
  }
  settle(`${root}/d`);
  await using guard = await PermissionChild.open(root);
  const openers = await Promise.all([1, 2, 3, 4].map(() => run(process.execPath, [OPENER, `${root}/d`])));
  for (const { stdout } of openers) expect(JSON.parse(stdout)).toEqual({ opened: 10_000, wrong: [] });
  const counts = await guard.counts();
  expect(counts['asked']! + counts['cached']!).toBe(40_000);
  expect(counts['asked']).toBeGreaterThanOrEqual(10_000);
  expect(counts['cached']).toBeGreaterThan(0);
  expect(counts).toMatchObject({ deadline: 0, full: 0, failed: 0, noDescriptor: 0 });
  // The last one is closed just after its answer.
  await expect.poll(() => descriptorsBelow(root, guard.pid)).toEqual([]);
}, 60_000);

test('a lease that nobody gives back does not keep the thread: that open is denied, others go on', async () => {
  const root = files(['allow-1', 'leased-1']);
  const holder = execFile(process.execPath, [LEASE_HOLDER, `${root}/leased-1`]);
  const released = new Promise((resolve) => holder.on('exit', resolve));
  try {
    await new Promise((resolve) => holder.stdout!.once('data', resolve));
    await using guard = await PermissionChild.open(root);
    const waiting = open(`${root}/leased-1`);
    expect(await open(`${root}/allow-1`)).toBe('ok');
    expect(await waiting).toBe('EPERM');
    expect(await guard.counts()).toMatchObject({ asked: 1, noDescriptor: 1, deadline: 0 });
  } finally {
    holder.kill('SIGKILL');
    await released;
  }
});

test('a program is asked about by its own event', async () => {
  const root = files([]);
  execFileSync('cp', ['/bin/true', `${root}/deny-program`]);
  await using guard = await PermissionChild.open(root, {}, { mask: 'FAN_OPEN_EXEC_PERM' });
  expect(await open(`${root}/deny-program`)).toBe('ok');
  expect(() => execFileSync(`${root}/deny-program`)).toThrow('EPERM');
  await guard.asked('deny-program');
  expect(guard.names()).toEqual(['deny-program']);
});

test('a read is asked about where the file was opened under the mark; before it, it is not', async () => {
  const root = files(['deny-1']);
  const before = openSync(`${root}/deny-1`, 'r');
  await using _ = await PermissionChild.open(root, {}, { mask: 'FAN_ACCESS_PERM' });
  expect(readFileSync(before, 'utf8')).toBe('content');
  closeSync(before);
  await expect(run('cat', [`${root}/deny-1`])).rejects.toMatchObject({
    stderr: expect.stringContaining('Operation not permitted'),
  });
});

test('before content is accessed the range is known, and a denial carries its errno', async () => {
  const root = files(['allow-1', 'nospc-1'], 'ext4');
  execFileSync('truncate', ['-s', '64K', `${root}/allow-1`]);
  await using guard = await PermissionChild.open(root, { preContent: true }, { mask: 'FAN_PRE_ACCESS' });
  await run('dd', [`if=${root}/allow-1`, 'of=/dev/null', 'bs=4096', 'skip=2', 'count=1']);
  expect((await guard.asked('allow-1')).range).toEqual({ offsetBytes: 8192, countBytes: 4096 });
  await expect(run('cat', [`${root}/nospc-1`])).rejects.toMatchObject({
    stderr: expect.stringContaining('No space left'),
  });
});

test('what the program consists of may lie on the filesystem that it guards', async () => {
  const root = files(['throw-1', 'odd-1', 'deny-1', 'held-1', 'allow-1']);
  const home = new URL('../..', import.meta.url).pathname;
  const parts = [
    'package.json',
    'dist/fanotify',
    'dist/libc',
    'dist/domain',
    'node_modules/koffi',
    'node_modules/@koromix',
  ];
  execFileSync(
    'cp',
    ['-r', '--parents', ...parts, 'node_modules/picomatch', 'test/kernel/permission-program.mjs', root],
    {
      cwd: home,
    },
  );
  const guard = await PermissionChild.open(root, { failure: 'closed' }, { home: root });
  await using _ = guard;
  const waiting = open(`${root}/held-1`);
  await guard.asked('held-1');
  for (const name of ['throw-1', 'odd-1', 'deny-1']) expect(await open(`${root}/${name}`)).toBe('EPERM');
  expect(await open(`${root}/allow-1`)).toBe('ok');
  expect(await guard.counts()).toMatchObject({ deadline: 0, failed: 1, asked: 3 });
  await guard.run('close');
  expect(await waiting).toBe('EPERM');
});

test('a thread that fails is reported, and the kernel lets everybody go', async () => {
  const root = files(['held-1', 'deny-1']);
  await using guard = await PermissionChild.open(root);
  const waiting = open(`${root}/held-1`);
  await guard.asked('held-1');
  guard.send('break');
  expect(await guard.waitFor(({ problem }) => problem === 'stopped')).toMatchObject({
    message: expect.stringContaining('EBADF'),
  });
  expect(await waiting).toBe('ok');
  expect(await open(`${root}/deny-1`)).toBe('ok');
  await guard.run('close');
  expect(await guard.exited).toBe(0);
});

test('marks that the kernel refuses are errors of open, and nothing is left running', async () => {
  const root = files([]);
  const guard = await PermissionChild.open(root, { preContent: true }, { mask: 'FAN_PRE_ACCESS' });
  expect(guard.messages).toEqual([expect.objectContaining({ kind: 'error', code: 'EOPNOTSUPP' })]);
  expect(await guard.exited).toBe(1);
});

test('answers are audited, with a rule', async () => {
  const root = files(['allow-1', 'deny-1', 'rule-1']);
  await using guard = await PermissionChild.open(root, { audit: 'all', failure: 'open' });
  expect(await open(`${root}/allow-1`)).toBe('ok');
  expect(await open(`${root}/deny-1`)).toBe('EPERM');
  expect(await open(`${root}/rule-1`)).toBe('EPERM');
  expect(guard.messages.filter(({ kind }) => kind === 'problem')).toEqual([]);
});
