// driftline run: a real command on real changes, and everything that must not start it.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import type { Daemon } from './daemon.ts';
import { Lab } from './lab.ts';
import { PROGRAM, run } from './program.ts';

/** What a run was given, between brackets, into a file that nobody watches. */
const TELL = 'printf "[" >>"$0"; tr "\\0" " " >>"$0"; printf "]\\n" >>"$0"';

let lab: Lab;
let heard: string;

beforeEach((context) => {
  needCapabilities(context);
  lab = new Lab();
  lab.shell('mkdir in; echo a >in/a; mkdir in/d; echo x >in/d/x');
  heard = `${lab.scratch.dir}/heard`;
});
afterEach(async () => await lab?.[Symbol.asyncDispose]());

function start(options: readonly string[], command: readonly string[], env: NodeJS.ProcessEnv = {}): Daemon {
  const child: ChildProcess = spawn(process.execPath, [PROGRAM, 'run', ...options, 'in', '--', ...command], {
    cwd: lab.at,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return lab.attend(child);
}

/** Marks are set, and what is there is known. */
async function begin(options: readonly string[], command: readonly string[], env?: NodeJS.ProcessEnv): Promise<Daemon> {
  const daemon = start(options, command, env);
  await daemon.said(/^known: \d+ entr(y|ies)$/m);
  return daemon;
}

const told = (): string[] =>
  existsSync(heard)
    ? readFileSync(heard, 'latin1')
        .split('\n')
        .slice(0, -1)
        .map((line) => line.replaceAll(`${lab.at}/in/`, ''))
    : [];

/** A zombie is dead, whenever somebody reaps it. */
function isAlive(pid: string): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !/\) [ZX] /.test(readFileSync(stat, 'latin1'));
}

/** Waits until the command was told of something that comes after all else. */
async function settle(daemon: Daemon): Promise<string[]> {
  lab.shell(`echo ${Math.random()} >in/zz`);
  await daemon.until('the last change', () => told().some((line) => line.includes('zz')));
  return told();
}

test('one run for all that changed together; equal bytes, what comes and goes, and ignored names start none', async () => {
  const daemon = await begin(
    ['--quiet', '1s', '--deadline', '20s', '--ignore', '*.swp', '--ignore', `${lab.at}/in/out`],
    ['sh', '-c', TELL, heard],
  );
  const passing = lab.path('in/tmp');
  writeFileSync(passing, '');
  unlinkSync(passing);
  lab.shell('echo a >in/a; touch in/d/x; echo 1 >in/f.swp; mkdir in/out; echo 1 >in/out/o');
  lab.shell(`echo b >in/b; mv in/d in/e; chmod 600 in/a; echo x >in/$'new\\nline'`);
  await daemon.until('a run', () => told().length > 0);
  expect(told()[0]).toBe('[a b d d/x e e/x new');
  const lines = await settle(daemon);
  expect(lines).toEqual(['[a b d d/x e e/x new', 'line ]', '[zz ]']);
  expect(await daemon.stop()).toMatchObject({ code: 0, signal: null });
});

test('it keeps its environment, its directory and its output', async () => {
  const script = 'echo "$PWD $MINE $DRIFTLINE_PATHS"; echo error >&2; exit 3';
  const daemon = await begin(['--stdin', 'lines'], ['sh', '-c', script], { MINE: 'it is' });
  lab.shell('echo 1 >in/a');
  await daemon.said(/^driftline: sh: exit 3$/m);
  expect(daemon.stdout()).toBe(`${lab.at} it is 1\n`);
  expect(daemon.stderr()).toContain('\nerror\n');
});

test.each([
  ['itself', 'echo "$$" >in/own'],
  ['a program that it starts', 'sh -c "date +%N >in/own"; cp in/own in/copy; rm in/copy'],
  ['a child that executes nothing', '(date +%N >in/own)'],
])('what it does does not start it again and again: %s', async (who, work) => {
  const daemon = await begin(['--quiet', '50ms'], ['sh', '-c', `${TELL}; ${work}`, heard]);
  lab.shell('echo 1 >in/a');
  await daemon.said(/sh: ok, 1 path$/m);
  const lines = await settle(daemon);
  expect(lines.filter((line) => !line.includes('own'))).toEqual(expect.arrayContaining(['[a ]']));
  // A child may be gone before anybody could see whose it is: one run more for each change of somebody else's.
  expect(lines.filter((line) => line === '[own ]').length).toBeLessThanOrEqual(who === 'itself' ? 0 : 2);
});

test.each([
  ['queue', ['[a ]', '[b c ]', '[zz ]']],
  ['restart', ['[a ]', '[a b c ]', '[zz ]']],
])('changes during a run: %s', async (policy, expected) => {
  const gate = `${lab.scratch.dir}/gate`;
  const script = `${TELL}; while [ ! -e "${gate}" ]; do sleep 0.05; done`;
  const daemon = await begin(['--quiet', '300ms', '--on-busy', policy], ['sh', '-c', script, heard]);
  lab.shell('echo 1 >in/a');
  await daemon.until('the first run', () => told().length > 0);
  lab.shell('echo 1 >in/b; echo 1 >in/c');
  if (policy === 'restart') await daemon.until('a new run', () => told().length > 1);
  lab.shell(`touch ${gate}`);
  await daemon.until('the second run', () => told().length > 1);
  expect(await settle(daemon)).toEqual(expected);
});

test('of a large file a new time is a change, and its content is not read', async () => {
  lab.shell('truncate -s 65M in/large; truncate -s 63M in/small; truncate -s 1T in/huge');
  const daemon = await begin(['--quiet', '500ms'], ['sh', '-c', TELL, heard]);
  lab.shell('touch in/small in/large in/huge');
  await daemon.until('a run', () => told().length > 0);
  expect(told()).toEqual(['[huge large ]']);
});

test('rsync fed by it keeps a mirror: hostile names, deletions, directories that move', async () => {
  const target = `${lab.scratch.dir}/target`;
  lab.shell(`cp -a in/a in/-a; mkdir -p ${target}${lab.at}; rsync -a in ${target}${lab.at}/`);
  const rsync = ['rsync', '-a', '--from0', '--files-from=-', '--delete-missing-args', '--force', '/', `${target}/`];
  const daemon = await begin(['--quiet', '50ms'], rsync);
  const isEqual = (): boolean => {
    const args = [
      '-a',
      '--omit-dir-times',
      '--checksum',
      '--delete',
      '-n',
      '-i',
      `${lab.at}/in/`,
      `${target}${lab.at}/in/`,
    ];
    return spawnSync('rsync', args, { encoding: 'utf8' }).stdout === '';
  };
  const steps = [
    "echo more >>in/a; rm in/-a; echo 1 >in/$'new\\nline'; echo 1 >in/$'\\xff \\e[31m'; echo 1 >in/--delete",
    'mv in/d in/e; mkdir -p in/deep/er/still; echo 1 >in/deep/er/still/f',
    'mv in/deep in/e/; rm -r in/e/deep/er; ln -s a in/link; rm in/a; mkdir in/a; echo 1 >in/a/b',
  ];
  for (const step of steps) {
    lab.shell(step);
    expect(await daemon.until('an equal mirror', isEqual)).toBe(true);
  }
});

test.each([
  ['its exit status', ['sh', '-c', 'exit 7'], 7],
  ['a signal', ['sh', '-c', 'kill -SEGV $$'], 139],
  ['a success', ['true'], 0],
])('--once, --initial: %s', (_, command, status) => {
  const ran = run(['run', '--once', '--initial', '.', '--', ...command], { cwd: lab.at });
  expect(ran).toMatchObject({ status, stdout: '' });
});

test('watch --once is run --once: after a change, with its names', async () => {
  const args = ['watch', '--once', 'in', '--stdin', 'lines', '--marks', 'mount', '--', 'sh', '-c', 'cat; exit 9'];
  const daemon = lab.attend(
    spawn(process.execPath, [PROGRAM, ...args], { cwd: lab.at, stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  await daemon.ready();
  lab.shell('echo 1 >in/a');
  expect(await daemon.ended).toMatchObject({ code: 9 });
  expect(daemon.stdout()).toBe(`${lab.at}/in/a\n`);
});

test.each([
  ['is gone', 'rm', 127],
  ['cannot be executed any more', 'chmod 600', 126],
])('--once: a program that %s when it is to run', async (_, spoil, code) => {
  lab.shell('printf "#!/bin/sh\\n" >../program; chmod 700 ../program');
  const daemon = await begin(['--once'], [`${lab.scratch.dir}/program`]);
  lab.shell(`${spoil} ../program; echo 1 >in/a`);
  expect(await daemon.ended).toMatchObject({ code });
});

test('--timeout ends a run, with what it started', async () => {
  const daemon = start(['--once', '--initial', '--timeout', '300ms'], ['sh', '-c', 'sleep 1000 & echo $!; wait']);
  expect(await daemon.ended).toMatchObject({ code: 124 });
  expect(isAlive(daemon.stdout().trim())).toBe(false);
});

test.each([
  ['SIGTERM', 0],
  ['SIGINT', 130],
  ['SIGHUP', 129],
] as const)('%s ends it and the command', async (signal, code) => {
  const daemon = await begin(['--initial'], ['sh', '-c', 'echo $$; exec sleep 1000']);
  await daemon.until('the command', () => daemon.stdout().includes('\n'));
  expect(await daemon.stop(signal)).toMatchObject({ code, signal: null });
  expect(isAlive(daemon.stdout().trim())).toBe(false);
});

test('a command that does not want to end is killed by a second signal', async () => {
  const deaf = 'trap "echo asked" TERM; echo $$; while :; do sleep 0.1; done';
  const daemon = await begin(['--initial'], ['sh', '-c', deaf]);
  await daemon.until('the command', () => daemon.stdout().includes('\n'));
  daemon.signal('SIGINT');
  await daemon.until('it to be asked', () => daemon.stdout().includes('asked'));
  expect(await daemon.stop('SIGINT')).toMatchObject({ code: 130, signal: null });
  expect(isAlive(daemon.stdout().split('\n')[0] ?? '')).toBe(false);
});

describe('before anything is watched', () => {
  test.each([
    ['no path', ['--', 'true']],
    ['no command', ['.']],
    ['nothing behind --', ['.', '--']],
    ['a time that is none', ['--quiet', '.', '--', 'true']],
    ['a deadline before the quiet', ['--quiet', '2s', '--deadline', '1s', '.', '--', 'true']],
    ['a pattern for everything', ['--ignore', '/', '.', '--', 'true']],
    ['a policy that there is not', ['--on-busy', 'panic', '.', '--', 'true']],
  ])('%s is 64', (_, args) => {
    const { status, stdout, stderr } = run(['run', ...args], { cwd: lab.at });
    expect({ status, stdout }).toEqual({ status: 64, stdout: '' });
    expect(stderr).toMatch(/^driftline: \S/);
  });

  test.each([
    ['is not there', 'no-such-program', 127, /no-such-program: not found in \//],
    ['is not there, by its path', './no/such', 127, /\/no\/such: not found$/m],
    ['is not executable', '/etc/passwd', 126, /\/etc\/passwd: not executable/],
    ['is a directory', '/etc', 126, /\/etc: not a regular file/],
  ])('a program that %s', (_, program, status, message) => {
    for (const options of [[], ['--once']]) {
      const ran = run(['run', ...options, '.', '--', program], { cwd: lab.at });
      expect(ran).toMatchObject({ status, stdout: '', stderr: expect.stringMatching(message) });
    }
  });

  test('a path that is not there is 74', () => {
    expect(run(['run', '/no/such', '--', 'true'])).toMatchObject({ status: 74 });
  });

  test('without the capability it is 77', () => {
    const by = ['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-sys_admin'];
    const ran = run(['run', lab.at, '--', 'true'], { by });
    expect(ran).toMatchObject({ status: 77, stdout: '' });
    expect(ran.stderr).toMatch(/CAP_SYS_ADMIN/);
  });
});
