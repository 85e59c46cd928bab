// Each kind of change reaches the consumer under the right names (catalogue: what each kind of change reports).
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { missingCapability, needCapabilities } from './capability.ts';
import { Probe } from './probe.ts';
import { Scratch } from './scratch.ts';

const runnable = missingCapability() === undefined;

beforeEach(needCapabilities);

describe.each(['tmpfs', 'ext4'] as const)('%s, auto', (type) => {
  let scratch: Scratch;
  let root: string;
  let probe: Probe;

  beforeAll(async () => {
    if (!runnable) return;
    scratch = new Scratch();
    const mount = type === 'tmpfs' ? scratch.tmpfs('fs') : scratch.ext4('fs');
    root = `${mount}/root`;
    for (const dir of [root, `${root}/a`, `${root}/b`, `${mount}/outside`]) mkdirSync(dir);
    for (const name of ['f', 'g', 'a/x', 'h']) writeFileSync(`${root}/${name}`, 'seed');
    mkdirSync(`${mount}/outside/tree`);
    writeFileSync(`${mount}/outside/tree/leaf`, 'seed');
    probe = await Probe.open([root]);
  });

  afterAll(async () => {
    await probe?.close();
    scratch?.[Symbol.dispose]();
  });

  test('coverage is of the filesystem', () => {
    expect(probe.source.coverage()).toMatchObject([{ mount: `${scratch.dir}/fs`, mode: 'filesystem', gaps: 0 }]);
  });

  test.each([
    ['write', 'echo 1 > f', ['f']],
    ['append', 'echo 1 >> f', ['f']],
    ['O_TRUNC', ': > f', ['f']],
    ['truncate(2)', `python3 -c "import os; os.truncate('g', 1)"`, ['g']],
    ['create', ': > new', ['new']],
    ['unlink', 'rm new', ['new']],
    ['rename within a directory', 'mv f f2', ['f', 'f2']],
    ['rename between directories', 'mv f2 a/f3', ['a/f3', 'f2']],
    ['rename over', 'mv a/f3 g', ['a/f3', 'g']],
    ['chmod', 'chmod 600 g', ['g']],
    ['chown', 'chown 12:34 g', ['g']],
    ['setxattr', `python3 -c "import os; os.setxattr('g', 'trusted.t', b'1')"`, ['g']],
    ['chmod of a directory', 'chmod 700 a', ['a']],
    ['symlink', 'ln -s nowhere link', ['link']],
    ['mkdir', 'mkdir c', ['c/']],
    ['rmdir', 'rmdir c', ['c/']],
    ['rename of a directory', 'mv b b2', ['b/', 'b2/']],
    ['a file named by every strange byte', `: > $'n\\nl\\e[31m\\xff'`, ['n\nl\x1b[31m\xff']],
    ['a name of 255 bytes', `: > ${'x'.repeat(255)}`, ['x'.repeat(255)]],
  ])('%s', async (_, script, expected) => {
    expect(await probe.dirtyAfter(`cd ${root}; ${script}`)).toEqual(expected.map((name) => `${root}/${name}`));
  });

  test('a hard link', async () => {
    expect(await probe.dirtyAfter(`cd ${root}; ln h h2`)).toContain(`${root}/h2`);
  });

  test('a path of directories and a file in it at once', async () => {
    const dirty = await probe.dirtyAfter(`cd ${root}; mkdir -p p/q/r; echo 1 > p/q/r/file`);
    expect(dirty).toEqual(
      expect.arrayContaining([`${root}/p/`, `${root}/p/q/`, `${root}/p/q/r/`, `${root}/p/q/r/file`]),
    );
  });

  test('a directory that moves in is a subtree, and one that moves out', async () => {
    const outside = `${scratch.dir}/fs/outside`;
    expect(await probe.dirtyAfter(`mv ${outside}/tree ${root}/tree`)).toEqual([`${root}/tree/`]);
    expect(await probe.dirtyAfter(`mv ${root}/tree ${outside}/tree`)).toEqual([`${root}/tree/`]);
  });

  test('nothing of what happens outside the rule paths', async () => {
    expect(await probe.dirtyAfter(`cd ${scratch.dir}/fs/outside; echo 1 > n; mkdir d; rm -r n d`)).toEqual([]);
  });

  test('the root that moves away and comes back', async () => {
    const moved = `${root}-moved`;
    expect(await probe.dirtyAfter(`mv ${root} ${moved}; mv ${moved} ${root}`)).toContain(`${root}/`);
  });

  test('a write through a bind mount, and from another mount namespace', async () => {
    const bind = scratch.bind(root, 'bind');
    expect(await probe.dirtyAfter(`echo 1 > ${bind}/via-bind`)).toEqual([`${root}/via-bind`]);
    const script = `unshare -m sh -c 'echo 1 > ${root}/via-namespace'`;
    expect(await probe.dirtyAfter(script)).toEqual([`${root}/via-namespace`]);
  });
});
