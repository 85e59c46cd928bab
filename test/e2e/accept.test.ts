// driftline accept: what becomes the baseline, and what is refused.
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { found, run, type Scratch, test } from './program.ts';

/** One of each kind, a directory that went, and one that moved. */
function drift(scratch: Scratch): void {
  const at = (name: string): string => join(scratch.tree, name);
  for (const name of ['changed', 'removed', 'moved', 'gone/a', 'gone/b/c', 'old/a', 'old/b/c']) scratch.write(name);
  scratch.init(scratch.tree);
  scratch.write('changed', 'otherwise\n');
  rmSync(at('removed'));
  renameSync(at('moved'), at('moved-away'));
  rmSync(at('gone'), { recursive: true });
  renameSync(at('old'), at('new'));
  scratch.write('added/a');
}

const ALL = [
  'changed tree/changed',
  'added tree/added',
  'added tree/added/a',
  'removed tree/gone',
  'removed tree/gone/a',
  'removed tree/gone/b',
  'removed tree/gone/b/c',
  'moved tree/moved -> tree/moved-away',
  'moved tree/old -> tree/new',
  'removed tree/removed',
].sort();

const left = (scratch: Scratch): string[] => found(scratch.check(), scratch).sort();

test('--all: then the check is clean, and the journal says who accepted what', ({ scratch }) => {
  drift(scratch);
  expect(left(scratch)).toEqual(ALL);
  const { status, stdout } = scratch.drive('accept', '--all', '--json');
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ v: 1, type: 'accept', generation: 2 });
  expect(left(scratch)).toEqual([]);
  const record = JSON.parse(scratch.drive('journal', '--json').stdout.trimEnd().split('\n').at(-1) ?? '');
  expect(record).toMatchObject({ v: 1, type: 'accept', generation: 2, by: { uid: 0, source: 'proc' } });
  expect(record.paths.map(({ path }: { path: string }) => path)).toContain(join(scratch.tree, 'gone/b/c'));
  // Nothing to accept is no new generation.
  expect(scratch.drive('accept', '--all').status).toBe(0);
  expect(scratch.check().stdout).toContain('"generation":2');
});

test('--json says every path, bytes that are no text included', ({ scratch }) => {
  scratch.init(scratch.tree);
  const bytes = Buffer.concat([Buffer.from(`${scratch.tree}/b`), Buffer.from([0xff])]);
  writeFileSync(bytes, '');
  scratch.write('a');
  const { stdout } = scratch.drive('accept', '--all', '--json');
  const { accepted, incomplete } = JSON.parse(stdout);
  expect(accepted).toEqual([
    { path: join(scratch.tree, 'a') },
    { path: `${scratch.tree}/b\ufffd`, pathBytes: bytes.toString('base64') },
  ]);
  expect(incomplete).toEqual([]);
});

test('PATH: the rest stays drift', ({ scratch }) => {
  drift(scratch);
  let rest = ALL;
  const accept = (names: readonly string[], settled: RegExp): void => {
    const { status, stderr } = scratch.drive('accept', ...names.map((name) => join(scratch.tree, name)));
    expect([names, status, stderr]).toEqual([names, 0, expect.any(String)]);
    rest = rest.filter((line) => !settled.test(line));
    expect(left(scratch)).toEqual(rest);
  };
  accept(['changed', 'removed'], /tree\/(changed|removed)$/);
  accept(['gone/b'], /tree\/gone\/b/);
  accept(['gone'], /tree\/gone/);
  accept(['added/a', 'added'], /tree\/added/);
  accept(['old', 'new'], /tree\/new$/);
  accept(['moved', 'moved-away'], /moved-away$/);
  expect(scratch.check().status).toBe(0);
});

test('one name of a move: accepted as what that name alone shows, the other name stays drift', ({ scratch }) => {
  drift(scratch);
  expect(scratch.drive('accept', join(scratch.tree, 'moved-away')).status).toBe(0);
  expect(left(scratch)).toContain('removed tree/moved');
  expect(scratch.drive('accept', join(scratch.tree, 'old')).status).toBe(0);
  expect(left(scratch)).toEqual(expect.arrayContaining(['added tree/new', 'added tree/new/b/c']));
  expect(scratch.drive('accept', '--all').status).toBe(0);
  expect(scratch.check().status).toBe(0);
});

test('--report: exactly what a check reported; 75 when the tree has changed since, or is clean', ({ scratch }) => {
  drift(scratch);
  const { document } = scratch.check();
  expect(scratch.check('--quick').document.report).toBe(document.report);
  scratch.write('added/late');
  const refused = scratch.drive('accept', '--report', document.report);
  expect([refused.status, refused.stdout]).toEqual([75, '']);
  expect(refused.stderr).toMatch(/report of what is there now is \w+\n {2}hint: .*driftline check/);
  expect(scratch.check().document.drift).toHaveLength(ALL.length + 1);
  rmSync(join(scratch.tree, 'added/late'));
  expect(scratch.drive('accept', '--report', document.report).status).toBe(0);
  expect(scratch.check().status).toBe(0);
  expect(scratch.drive('accept', '--report', document.report).status).toBe(75);
});

test('--report PATH: the report of a check of that path', ({ scratch }) => {
  drift(scratch);
  const gone = join(scratch.tree, 'gone');
  const { document } = scratch.check(gone);
  expect(scratch.drive('accept', '--report', document.report, gone).status).toBe(0);
  expect(left(scratch)).toEqual(ALL.filter((line) => !line.includes('/gone')));
});

test('--interactive: asks about each on standard error, and takes the answers from standard input', ({ scratch }) => {
  drift(scratch);
  const ask = (input: string): ReturnType<typeof run> =>
    run(['--baseline', scratch.baseline, 'accept', '--interactive'], { input });
  const none = ask('n\n'.repeat(ALL.length));
  expect([none.status, none.stdout]).toEqual([0, '']);
  expect(none.stderr).toMatch(/CHANGED .*tree\/changed/);
  expect(left(scratch)).toEqual(ALL);
  // The first question is about `changed`; the end of the input is a no to everything else.
  expect(ask('y\n').status).toBe(0);
  expect(left(scratch)).toEqual(ALL.filter((line) => !line.startsWith('changed')));
  expect(ask('y\n'.repeat(ALL.length)).status).toBe(0);
  expect(scratch.check().status).toBe(0);
});

test('a path without a rule is 64; nothing is accepted', ({ scratch }) => {
  drift(scratch);
  expect(scratch.drive('accept', join(scratch.tree, 'changed'), '/etc')).toMatchObject({ status: 64, stdout: '' });
  expect(left(scratch)).toEqual(ALL);
});

test('a type swap is accepted with all below it, both ways', ({ scratch }) => {
  const at = (name: string): string => join(scratch.tree, name);
  for (const name of ['dir/a/b', 'file']) scratch.write(name);
  scratch.init(scratch.tree);
  rmSync(at('dir'), { recursive: true });
  writeFileSync(at('dir'), '');
  rmSync(at('file'));
  mkdirSync(at('file'));
  scratch.write('file/x/y');
  expect(scratch.drive('accept', at('dir'), at('file')).status).toBe(0);
  expect(scratch.check().status).toBe(0);
});

test('a file in a new directory: the directory stays drift, and when it goes the file is removed', ({ scratch }) => {
  scratch.init(scratch.tree);
  scratch.write('new/sub/x');
  const at = (name: string): string => join(scratch.tree, name);
  expect(scratch.drive('accept', at('new/sub')).status).toBe(0);
  expect(left(scratch)).toEqual(['added tree/new']);
  const explained = (name: string): unknown =>
    JSON.parse(scratch.drive('explain', '--json', at(name)).stdout).inBaseline;
  expect([explained('new'), explained('new/sub')]).toEqual([false, true]);
  rmSync(at('new'), { recursive: true });
  expect(left(scratch)).toEqual(['removed tree/new/sub', 'removed tree/new/sub/x']);
  expect(scratch.check('--quick').status).toBe(2);
});

test('below what was a file nothing is accepted alone: 64, with what has to be accepted first', ({ scratch }) => {
  scratch.write('f');
  scratch.init(scratch.tree);
  rmSync(join(scratch.tree, 'f'));
  scratch.write('f/x');
  const { status, stderr } = scratch.drive('accept', join(scratch.tree, 'f/x'));
  expect({ status, stderr }).toEqual({
    status: 64,
    stderr: expect.stringContaining('is not a directory in the baseline'),
  });
  expect(scratch.drive('accept', join(scratch.tree, 'f')).status).toBe(0);
  expect(left(scratch)).toEqual([]);
});
