// What belongs to a rule, and what --quick reads.
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { found, system, test } from './program.ts';

test('exclude and ignore leave out names, paths and globs with everything below', ({ scratch }) => {
  const { tree } = scratch;
  scratch.configure(`ignore: ['*.swp', ${tree}/cache/]
rules:
  - { name: outer, paths: [${tree}], exclude: ['${tree}/**/tmp', node_modules] }
  - { name: inner, paths: [${tree}/cache/kept, ${tree}/inner], severity: critical }
`);
  const names = ['a.swp', 'cache/x', 'b/tmp/x', 'b/node_modules/x', 'inner/tmp', 'inner/node_modules', 'b/atmp'];
  for (const name of names) scratch.write(name);
  scratch.init();
  for (const name of names) scratch.write(name, 'otherwise\n');
  expect(found(scratch.check(), scratch).sort()).toEqual(
    ['b/atmp', 'inner/node_modules', 'inner/tmp'].map((name) => `changed tree/${name}`),
  );
  expect(scratch.check().document.drift.find(({ path }) => path.endsWith('inner/tmp'))?.rule).toBe('inner');
});

test('a mount below a rule path belongs to it, unless oneFileSystem', ({ scratch }) => {
  const mount = (name: string): void => {
    mkdirSync(join(scratch.tree, name, 'mount'), { recursive: true });
    system('mount', '-t', 'tmpfs', 'driftline-e2e', join(scratch.tree, name, 'mount'));
    scratch.write(`${name}/mount/deep/file`);
  };
  mount('all');
  mount('one');
  scratch.configure(`rules:
  - { name: all, paths: [${scratch.tree}/all] }
  - { name: one, paths: [${scratch.tree}/one], oneFileSystem: true }
`);
  scratch.init();
  for (const name of ['all', 'one']) scratch.write(`${name}/mount/deep/file`, 'otherwise\n');
  expect(found(scratch.check(), scratch)).toEqual(['changed tree/all/mount/deep/file']);
  // Without the mount, what it hid is compared as it now looks.
  system('umount', join(scratch.tree, 'all/mount'));
  expect(found(scratch.check(), scratch)).toContain('removed tree/all/mount/deep/file');
});

test('a rule path that is missing or a symlink: a warning, and that link or what appears', ({ scratch }) => {
  const at = (name: string): string => join(scratch.tree, name);
  scratch.write('real/file');
  symlinkSync('real', at('link'));
  scratch.configure(`rules: [{ name: odd, paths: [${at('missing')}, ${at('link')}] }]`);
  const warnings = /warning: .*\/link is a symbolic link|warning: .*\/missing does not exist/g;
  expect(scratch.init().stderr.match(warnings)).toHaveLength(2);
  scratch.write('real/file', 'otherwise\n');
  const first = scratch.check();
  expect([first.status, found(first, scratch)]).toEqual([0, []]);
  expect(first.stderr.match(warnings)).toHaveLength(2);
  scratch.write('missing/file');
  rmSync(at('link'));
  symlinkSync('missing', at('link'));
  const second = scratch.check();
  expect(found(second, scratch)).toEqual(['changed tree/link', 'added tree/missing', 'added tree/missing/file']);
  expect(second.stderr.match(warnings)).toHaveLength(1);
});

test('onDrift ignore: nothing is reported', ({ scratch }) => {
  scratch.configure(`rules: [{ name: quiet, paths: [${scratch.tree}], onDrift: ignore }]`);
  for (const name of ['a', 'b']) scratch.write(name);
  scratch.init();
  scratch.write('a', 'otherwise\n');
  renameSync(join(scratch.tree, 'b'), join(scratch.tree, 'c'));
  expect(scratch.check()).toMatchObject({ status: 0, document: { drift: [] } });
});

test('--quick reads only what differs in inode, size, times, mode or owner', ({ scratch }) => {
  const at = (name: string): string => join(scratch.tree, name);
  const names = ['same', 'size', 'ctime', 'inode', 'undone', 'mode'];
  for (const name of names) scratch.write(name, 'hello\n');
  scratch.init(scratch.tree);
  const nothing = scratch.check('--quick');
  expect(nothing).toMatchObject({ status: 0, document: { bytes: 0, entries: 7 } });
  expect(nothing.document.quick).toEqual({ trusted: 7, by: 'baseline', since: expect.stringMatching(/^20\d\d-.*Z$/) });
  expect(scratch.check().document).toMatchObject({ bytes: 36, quick: null });
  // To read is what would be needed to notice: proven by what the kernel was asked for.
  const program = join(import.meta.dirname, '../../dist/cli/main.js');
  const trace = join(scratch.base, 'trace');
  const check = [process.execPath, program, '--baseline', scratch.baseline, 'check', '--quick'];
  system('strace', '-f', '-o', trace, '-e', 'trace=openat', ...check);
  expect(readFileSync(trace, 'utf8')).toMatch(/openat/);
  expect(readFileSync(trace, 'utf8')).not.toMatch(/"(same|size|ctime|inode|undone|mode)"/);

  appendFileSync(at('size'), 'x');
  const { atime, mtime } = statSync(at('ctime'));
  system('touch', '-r', at('same'), at('reference'));
  writeFileSync(at('ctime'), 'HELLO\n');
  utimesSync(at('ctime'), atime, mtime);
  writeFileSync(at('reference'), 'HeLLo\n');
  system('touch', '-r', at('inode'), at('reference'));
  renameSync(at('reference'), at('inode'));
  chmodSync(at('undone'), 0o600);
  chmodSync(at('undone'), 0o644);
  chmodSync(at('mode'), 0o600);
  const quick = scratch.check('--quick');
  const changes = quick.document.drift.map(({ path, changed }) => [
    path.slice(scratch.tree.length + 1),
    changed.filter((name) => name !== 'mtime'),
  ]);
  expect(changes).toEqual([
    ['ctime', ['digest']],
    ['inode', ['digest']],
    ['mode', ['mode']],
    ['size', ['size', 'digest']],
  ]);
  expect(quick.document.report).toBe(scratch.check().document.report);
});
