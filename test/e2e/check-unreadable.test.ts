// What cannot be read is reported as that, never as removed.
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type CheckDocument, found, PROGRAM, run, system, test } from './program.ts';

const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

test('for an unprivileged user: incomplete with the errno, bit 8, everything else as always', ({ scratch }) => {
  const at = (name: string): string => join(scratch.tree, name);
  for (const name of ['open', 'secret', 'closed/below', 'listed/below']) scratch.write(name);
  chownSync(scratch.base, 65534, 65534);
  const as = (...args: string[]): ReturnType<typeof run> =>
    run(['--baseline', scratch.baseline, ...args], { by: NOBODY });
  expect(as('init', scratch.tree).status).toBe(0);
  chmodSync(at('secret'), 0o600);
  chmodSync(at('closed'), 0o700);
  chmodSync(at('listed'), 0o744);
  const { status, stdout } = as('check', '--json');
  const document = JSON.parse(stdout) as CheckDocument;
  expect(
    document.unreadable.map(({ path, incomplete }) => `${path.slice(scratch.tree.length + 1)} ${incomplete}`).sort(),
  ).toEqual(['closed EACCES', 'listed/below EACCES', 'secret EACCES']);
  expect(document).toMatchObject({ removed: 0, added: 0, changed: 3 });
  expect(status).toBe(12);
  // Init over it tells, and makes a baseline of the rest.
  const again = as('init', '--force', scratch.tree);
  expect(again.status).toBe(0);
  expect(again.stderr).toMatch(/cannot read .*secret: EACCES/);
  expect(as('check').status).toBe(8);
  // Another user's baseline cannot be opened.
  chownSync(join(scratch.base, 'state'), 0, 0);
  expect(as('check')).toMatchObject({ status: 77, stdout: '' });
});

test('a disk that fails: EIO is never `removed`, and nothing of it becomes the baseline', ({ scratch }) => {
  const disk = join(scratch.tree, 'disk');
  const image = join(scratch.base, 'image');
  mkdirSync(disk);
  system('truncate', '-s', '8M', image);
  system('mkfs.ext4', '-q', image);
  system('mount', '-o', 'loop', image, disk);
  for (const name of ['disk/file', 'disk/d/below', 'beside']) scratch.write(name);
  scratch.init(scratch.tree);
  // EXT4_IOC_SHUTDOWN, linux/ext4.h: from now on nothing can be read that is not in memory.
  system(
    'python3',
    '-c',
    `import fcntl, os, struct; fcntl.ioctl(os.open('${disk}', 0), 0x8004587d, struct.pack('I', 2))`,
  );
  const { status, document } = scratch.check();
  expect(document.unreadable.map(({ path, incomplete }) => `${path.slice(disk.length)} ${incomplete}`)).toEqual([
    '/file EIO',
    '/d/below EIO',
  ]);
  expect([status, document.drift]).toEqual([8, []]);
  expect(scratch.drive('accept', '--all').status).toBe(74);
  system('umount', '-l', disk);
  const gone = scratch.check().document.drift.filter(({ kind }) => kind === 'removed');
  expect(gone.map(({ path }) => path.slice(disk.length))).toEqual(['/d', '/d/below', '/file', '/lost+found']);
});

/** Each system call that a check makes on a directory (or on a file) fails there, in every way that it may be asked. */
test.for([
  ['statx', 'd'],
  ['openat', 'd'],
  ['openat2', 'd'],
  ['getdents64', 'd'],
  ['flistxattr', 'd'],
  ['ioctl', 'd'],
  ['statx', 'd/file'],
  ['read', 'd/file'],
] as const)('EIO from %s at %s is incomplete, nothing else', ([call, name], { scratch }) => {
  for (const file of ['d/file', 'd/e/below', 'beside']) scratch.write(file);
  for (const marked of ['d', 'd/file', 'd/e']) {
    system('setfattr', '-n', 'user.note', '-v', 'hello', join(scratch.tree, marked));
    system('chattr', '+A', join(scratch.tree, marked));
  }
  scratch.init(scratch.tree);
  const by = ['strace', '-f', '-o', '/dev/null', '-P', join(scratch.tree, name)];
  by.push('-e', `trace=${call}`, '-e', `inject=${call}:error=EIO`);
  const { status, stdout } = run(['--baseline', scratch.baseline, 'check', '--json'], { by });
  const { drift, unreadable } = JSON.parse(stdout) as CheckDocument;
  expect(drift).toEqual([]);
  expect(unreadable.length).toBeGreaterThan(0);
  for (const { path, incomplete } of unreadable) expect(`${path} ${incomplete}`).toMatch(/\/d(\/.*)? EIO$/);
  expect(new Set(unreadable.map(({ path }) => path)).size).toBe(unreadable.length);
  expect(status).toBe(8);
});

/** Never still: files come, go, change their type and their mode under the same few names. */
const CHURN = `
import os, random, sys
os.chdir(sys.argv[1])
random.seed(7)
print('ready', flush=True)
while True:
    name = 'n%d' % random.randrange(30)
    try:
        what = random.randrange(7)
        if what == 0: open(name, 'w').write('x' * random.randrange(300000))
        elif what == 1: os.mkdir(name); open(name + '/below', 'w').write(name)
        elif what == 2: os.symlink('n1', name)
        elif what == 3: os.rename(name, 'n%d' % random.randrange(30))
        elif what == 4: os.unlink(name)
        elif what == 5: os.unlink(name + '/below'); os.rmdir(name)
        else: os.mkfifo(name)
    except OSError: pass
`;

test('paths that vanish, change their type or their content while they are read: drift or incomplete, never a failure', async ({
  scratch,
}) => {
  for (let n = 0; n < 200; n += 1) scratch.write(`still/${n}`);
  mkdirSync(join(scratch.tree, 'busy'));
  const churn = spawn('python3', ['-c', CHURN, join(scratch.tree, 'busy')], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await new Promise((resolve) => churn.stdout.once('data', resolve));
    scratch.init(scratch.tree);
    for (let round = 0; round < 3; round += 1) {
      const { status, document, stderr } = scratch.check();
      expect([status, stderr]).toEqual([status & 15, '']);
      expect(document.drift.filter(({ path }) => !path.startsWith(join(scratch.tree, 'busy')))).toEqual([]);
      expect(document.unreadable.filter(({ path }) => !path.startsWith(join(scratch.tree, 'busy/')))).toEqual([]);
    }
    expect([0, 74, 75]).toContain(scratch.drive('accept', '--all').status);
  } finally {
    churn.kill('SIGKILL');
    await new Promise((resolve) => churn.once('close', resolve));
  }
  // At rest everything is exact again.
  expect(scratch.drive('accept', '--all').status).toBe(0);
  expect(scratch.check()).toMatchObject({ status: 0, document: { drift: [], unreadable: [] } });
  expect(scratch.check().document.entries).toBe(system('find', scratch.tree).trimEnd().split('\n').length);
  expect(found(scratch.check(), scratch)).toEqual([]);
});

test('a reader that leaves early ends the check without a message', ({ scratch }) => {
  for (let n = 0; n < 2000; n += 1) scratch.write(`${n}`);
  scratch.init(scratch.base);
  system('rm', '-r', scratch.tree);
  const script = `"$0" "${PROGRAM}" --baseline "${scratch.baseline}" check 2>&1 >&3 3>&- | cat >&2`;
  expect(system('bash', '-c', `{ ${script}; } 3>&1 | head -n 1`, process.execPath)).toMatch(/^REMOVED /);
});
