// driftline init: the state directory, what it refuses, and what an end in the middle leaves.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect } from 'vitest';
import { found, run, type Scratch, system, test } from './program.ts';

const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

test('makes the state directory with its missing parents, for nobody else', ({ scratch }) => {
  scratch.write('one');
  const baseline = join(scratch.base, 'a/b/c/baseline.db');
  const { status, stdout, stderr } = run(['--baseline', baseline, 'init', scratch.tree]);
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  expect(stderr).toMatch(/: generation 1, 2 entries, /);
  expect(['a', 'a/b', 'a/b/c'].map((name) => modeOf(join(scratch.base, name)))).toEqual(['700', '700', '700']);
  for (const name of readdirSync(dirname(baseline))) expect(modeOf(join(dirname(baseline), name))).toBe('600');
});

test('tells the totals as JSON, and with --quiet nothing', ({ scratch }) => {
  scratch.write('one');
  const { stdout, stderr } = scratch.drive('--quiet', 'init', '--json', scratch.tree);
  expect(JSON.parse(stdout)).toMatchObject({ v: 1, type: 'init', generation: 1, entries: 2, bytes: 4, incomplete: 0 });
  expect(stderr).toBe('');
});

test.for([
  ['/proc/driftline/state', 73],
  ['/proc/self/driftline', 73],
  ['/sys/driftline', 73],
  ['/dev/null/state', 73],
  [`/tmp/${'n'.repeat(256)}`, 73],
] as const)('a state directory that cannot be made, %s: %i, promptly', ([dir, code], { scratch }) => {
  const { status, stderr } = run(['--baseline', `${dir}/b.db`, 'init', scratch.tree], { by: ['timeout', '60'] });
  expect(status).toBe(code);
  expect(stderr).toMatch(/^driftline: cannot create .*\n {2}hint: /);
});

test('over a committed baseline 73, and the baseline stays as it is; --force makes the next generation', ({
  scratch,
}) => {
  scratch.write('one');
  scratch.init(scratch.tree);
  const before = readFileSync(scratch.baseline);
  const refused = scratch.drive('init', scratch.tree);
  expect(refused.status).toBe(73);
  expect(refused.stderr).toMatch(/holds generation 1 already\n {2}hint: .*--force/);
  expect(readFileSync(scratch.baseline).equals(before)).toBe(true);
  scratch.write('two');
  expect(scratch.check().status).toBe(1);
  expect(scratch.drive('init', '--force', scratch.tree).stderr).toContain('generation 2, 3 entries');
  expect(scratch.check().status).toBe(0);
  const journal = scratch.drive('journal', '--json').stdout.trimEnd().split('\n');
  expect(journal.map((line) => JSON.parse(line)).map(({ type, generation }) => [type, generation])).toEqual([
    ['init', 1],
    ['init', 2],
  ]);
});

describe('--force never overwrites what is not a driftline baseline: 65', () => {
  test.for([
    ['a text', (file: string) => writeFileSync(file, 'the only copy of my thesis\n')],
    [
      'another database',
      (file: string) => void system('sqlite3', file, 'create table mine(a); insert into mine values (1)'),
    ],
    [
      'the beginning of a baseline',
      (file: string, good: string) => writeFileSync(file, readFileSync(good).subarray(0, 5000)),
    ],
    ['a directory', (file: string) => void mkdirSync(file)],
    ['a symlink to a baseline', (file: string, good: string) => symlinkSync(good, file)],
    ['a device', (file: string) => void system('mknod', file, 'c', '1', '3')],
  ] as const)('%s', ([, make], { scratch }) => {
    scratch.init(scratch.tree);
    const file = join(scratch.base, 'foreign');
    make(file, scratch.baseline);
    const facts = (): unknown => [
      statSync(file).isFile() ? readFileSync(file).toString('latin1') : statSync(file).mode,
    ];
    const before = facts();
    const { status, stderr } = run(['--baseline', file, 'init', '--force', scratch.tree]);
    expect(status).toBe(65);
    expect(stderr).toMatch(/^driftline: baseline (\S+ )?cannot be trusted: /);
    expect(stderr).toContain(file);
    expect(facts()).toEqual(before);
  });
});

/** Three files in the old generation, and many more now. */
function grow(scratch: Scratch): void {
  for (const name of ['a', 'b', 'c']) scratch.write(name);
  scratch.init(scratch.tree);
  for (let n = 0; n < 2500; n += 1) scratch.write(`${n % 50}/name-that-takes-a-little-room-${n}`, '');
}

describe('an init that is ended in the middle leaves the old generation, or none', () => {
  const inject = (call: string, signal: string, when: number): string[] => [
    ...['strace', '-f', '-o', '/dev/null', '-e', `trace=${call}`],
    ...['-e', `inject=${call}:signal=${signal}:when=${when}`],
  ];

  /** The nth of a kind of system call, in any thread, is its last. */
  test.for([
    ['getdents64', [20]],
    ['pwrite64', [2, 60, 150]],
    ['fsync', [1, 2]],
  ] as const)('killed at %s', ([call, moments], { scratch }) => {
    grow(scratch);
    rmSync(join(scratch.tree, 'a'));
    for (const when of moments) {
      expect(
        run(['--baseline', scratch.baseline, 'init', '--force', scratch.tree], { by: inject(call, 'KILL', when) }),
      ).toMatchObject({ status: 137 });
      const checked = scratch.check(join(scratch.tree, 'a'));
      // The kill may come after the commit, too: then the new generation is there, whole.
      const generation = Number(/"generation":(\d+)/.exec(checked.stdout)?.[1]);
      expect([call, when, generation, found(checked, scratch)]).toEqual([
        call,
        when,
        generation,
        generation === 1 ? ['removed tree/a'] : [],
      ]);
      expect(scratch.drive('journal', '--verify').status).toBe(0);
    }
    expect(scratch.drive('init', '--force', scratch.tree).status).toBe(0);
    expect(scratch.check().status).toBe(0);
  });

  test('killed the first time: 65 until the next init, which needs no --force', ({ scratch }) => {
    for (const name of ['a', 'b', 'c']) scratch.write(name);
    for (const [call, when] of [
      ['pwrite64', 1],
      ['pwrite64', 4],
      ['getdents64', 2],
      ['fsync', 1],
    ] as const) {
      rmSync(dirname(scratch.baseline), { recursive: true, force: true });
      const killed = run(['--baseline', scratch.baseline, 'init', scratch.tree], { by: inject(call, 'KILL', when) });
      expect(killed.status).toBe(137);
      const checked = scratch.drive('check');
      expect([call, when, checked.status]).toEqual([call, when, 65]);
      expect(checked.stderr).toMatch(/hint: .*driftline init/);
      expect(scratch.drive('init', scratch.tree).status).toBe(0);
      expect(scratch.check().status).toBe(0);
    }
  });

  test('SIGINT is 130 and SIGTERM 143, and nothing was changed', ({ scratch }) => {
    grow(scratch);
    for (const [signal, code] of [
      ['INT', 130],
      ['TERM', 143],
    ] as const) {
      // strace(1) counts calls by thread: with two of them a second signal may come, which ends the program at once.
      const ended = run(['--baseline', scratch.baseline, 'init', '--force', '--jobs', '1', scratch.tree], {
        by: inject('getdents64', signal, 10),
      });
      expect(ended.stderr).toContain('interrupted, nothing was changed');
      expect(ended.status).toBe(code);
    }
    expect(scratch.check().document).toMatchObject({ added: 2550, removed: 0, changed: 0 });
  });
});

test('a full disk: 74, and the last committed generation stays', ({ scratch }) => {
  mkdirSync(dirname(scratch.baseline));
  system('mount', '-t', 'tmpfs', '-o', 'size=300k', 'driftline-e2e', dirname(scratch.baseline));
  grow(scratch);
  for (const command of [
    ['init', '--force', scratch.tree],
    ['accept', '--all'],
  ]) {
    const { status, stdout, stderr } = scratch.drive(...command);
    expect({ command, status, stdout }).toEqual({ command, status: 74, stdout: '' });
    expect(stderr).toMatch(/full|no space/i);
  }
  const { document } = scratch.check();
  expect(document).toMatchObject({ added: 2550, removed: 0, changed: 0 });
  expect(scratch.drive('journal', '--verify').status).toBe(0);
  rmSync(join(scratch.tree, '7'), { recursive: true });
  expect(existsSync(scratch.baseline)).toBe(true);
  system('mount', '-o', 'remount,size=16m', dirname(scratch.baseline));
  expect(scratch.drive('init', '--force', scratch.tree).status).toBe(0);
  expect(scratch.check().status).toBe(0);
});
