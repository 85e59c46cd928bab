// What a trace shows of real operations: names, both names of a rename, and what each kind of mark lets it see.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import { Lab } from './lab.ts';

let lab: Lab;
beforeEach(needCapabilities);
afterEach(async () => await lab?.[Symbol.asyncDispose]());

/** `cat: access,open f`: without pids, below the mount. */
const brief = (line: string): string =>
  line
    .replace(/\(\d+\)/, '')
    .replaceAll(`${lab.at}/`, '')
    .replace(lab.at, '.');
const briefs = (lines: readonly string[]): string[] => lines.map(brief);

describe.each(['tmpfs', 'ext4'] as const)('%s', (filesystem) => {
  test('create, write, read, chmod, rename, delete: full names, and who', async () => {
    lab = new Lab(filesystem);
    const trace = await lab.start('--events', 'create,close-write,access,attrib,rename,delete', lab.at);
    // Each waits for the one before: what one process does in a row to one file is one event.
    const steps: [script: string, word: string][] = [
      ['mkdir d', 'create,isdir'],
      ['touch d/f', 'close-write'],
      ['echo 1 | tee d/f >/dev/null', 'tee('],
      ['cat d/f >/dev/null', 'access'],
      ['chmod 600 d/f', 'chmod('],
      ['mv d/f g', 'rename'],
      ['mv d e', 'rename,isdir'],
      ['rm g', 'delete'],
      ['rmdir e', 'delete,isdir'],
    ];
    for (const [script, word] of steps) {
      lab.shell(script);
      await lab.lines(trace, word);
    }
    const lines = briefs(await lab.lines(trace, 'delete,isdir'));
    // What one process does to one file in a row may be one event or several.
    expect(lines.filter((line) => line.startsWith('touch: ')).join(' ')).toMatch(/create.* d\/f$/);
    expect(lines.filter((line) => !line.startsWith('touch: '))).toEqual([
      'mkdir: create,isdir d',
      'tee: close-write d/f',
      'cat: access d/f',
      'chmod: attrib d/f',
      'mv: rename d/f -> g',
      'mv: rename,isdir d -> e',
      'rm: delete g',
      'rmdir: delete,isdir e',
    ]);
  });
});

test('a path is traced with all below it, and nothing beside it', async () => {
  lab = new Lab();
  lab.shell('mkdir in out');
  const trace = await lab.start('-e', 'create,rename', 'in');
  lab.shell(
    'touch out/a; touch in/b; mkdir -p in/c/d; touch in/c/d/e; mv out/a in/a; mv in/a out/a; mv out/a out/z; touch in/end',
  );
  expect(briefs(await lab.lines(trace, 'in/end'))).toEqual([
    'touch: create in/b',
    'mkdir: create,isdir in/c',
    'mkdir: create,isdir in/c/d',
    'touch: create in/c/d/e',
    'mv: rename out/a -> in/a',
    'mv: rename in/a -> out/a',
    'touch: create in/end',
  ]);
});

test('what is mounted below a path later is traced as well', async () => {
  lab = new Lab();
  lab.shell('mkdir sub');
  const trace = await lab.start('-e', 'create', lab.at);
  lab.scratch.tmpfs('fs/sub');
  // The mark follows the mount; until it is there nothing below is seen.
  await trace.until('the new filesystem', () => {
    lab.shell('touch sub/probe; rm sub/probe');
    return trace.stdout().includes('sub/probe');
  });
});

test('--filesystem: everything on it, whatever the path', async () => {
  lab = new Lab();
  lab.shell('mkdir in out');
  const trace = await lab.start('--filesystem', '-e', 'create', 'in');
  lab.shell('touch out/a; touch in/b');
  expect(briefs(await lab.lines(trace, 'in/b'))).toEqual(['touch: create out/a', 'touch: create in/b']);
});

test('--mount: what is done through this mount, and not through another', async () => {
  lab = new Lab();
  lab.shell('mkdir in');
  const bind = lab.scratch.bind(lab.at, 'bind');
  const trace = await lab.start('--mount', '-e', 'close-write', lab.path('in'));
  lab.shell(`echo 1 >'${bind}/a'; echo 1 >in/b`);
  expect(briefs(await lab.lines(trace, 'in/b'))).toEqual(['bash: close-write in/b']);
});

test('--dir: the entries of one directory, not of those below; also a file', async () => {
  lab = new Lab();
  lab.shell('mkdir -p one/sub two; touch file other');
  const trace = await lab.start('--dir', '-e', 'create,close-write,rename', 'one', 'file');
  lab.shell('touch one/sub/no two/no other; mv two/no one/in; mv one/in two/out; echo 1 >file; touch one/end');
  const lines = briefs(await lab.lines(trace, 'one/end'));
  // The shell executes its last command in place: one pid, two programs, and each has its own.
  expect(lines.slice(0, 3)).toEqual([
    'mv: rename two/no -> one/in',
    'mv: rename one/in -> two/out',
    'bash: close-write file',
  ]);
  for (const line of lines.slice(3)) expect(line).toMatch(/^touch: .* one\/end$/);
});

test('the default shows opens, reads and closes of files and directories', async () => {
  lab = new Lab();
  lab.shell('echo 1 >f; mkdir d');
  const trace = await lab.start(lab.at);
  lab.shell('cat f >/dev/null; ls d');
  const lines = briefs(await lab.lines(trace, 'ls(', 'close-nowrite'));
  expect(lines.join('\n')).toMatch(/^cat: access,close-nowrite,open f$/m);
  expect(lines.join('\n')).toMatch(/^ls: .*open,isdir d$/m);
});

test('programs that start, and bits that are asked for one by one', async () => {
  lab = new Lab();
  lab.shell('cp /bin/true program');
  const trace = await lab.start('-e', 'exec,moved-from,moved-to', lab.at);
  lab.shell('./program; mv program p2');
  const lines = briefs(await lab.lines(trace, 'moved-to'));
  expect(lines).toEqual([expect.stringMatching(/: open-exec program$/), 'mv: moved-from program', 'mv: moved-to p2']);
});

test('a filesystem without file handles: content is seen, and it is said what is not', async () => {
  lab = new Lab('overlay');
  const trace = await lab.start('-e', 'close-write,create,delete', lab.at);
  await trace.said(/overlay has no file handles: create, delete are not seen here/);
  lab.shell('echo 1 >a; rm a; echo 1 >b');
  expect(briefs(await lab.lines(trace, '/b'))).toEqual(['bash: close-write a', 'bash: close-write b']);
});

test('a link is followed, and the events name what it leads to', async () => {
  lab = new Lab();
  lab.shell('mkdir real; ln -s real link');
  const trace = await lab.start('-e', 'create', 'link');
  lab.shell('touch link/a');
  expect(briefs(await lab.lines(trace, '/a'))).toEqual(['touch: create real/a']);
});

test('without a path: every mounted filesystem, also one that comes later', async () => {
  lab = new Lab();
  const trace = await lab.start('-e', 'create', '--path', `${lab.scratch.dir}/**`);
  lab.shell('touch a');
  await lab.lines(trace, `create ${lab.path('a')}`);
  const later = lab.scratch.tmpfs('later');
  await trace.until('the new filesystem', () => {
    lab.shell(`touch '${later}/b'; rm '${later}/b'`);
    return trace.stdout().includes(`${later}/b`);
  });
});

test('what happens in a directory that is gone at once has its full name', async () => {
  lab = new Lab();
  const trace = await lab.start('-e', 'create,rename,delete', lab.at);
  lab.shell('for i in {1..50}; do mkdir d; mkdir d/e; : >d/e/f; mv d/e d/g; mv d/g/f d/h; rm -r d; done; touch end');
  const lines = briefs(await lab.lines(trace, '/end')).slice(0, -1);
  const count = (pattern: RegExp): number => lines.filter((line) => pattern.test(line)).length;
  expect(count(/create,isdir d$/)).toBe(50);
  expect(count(/create d\/e\/f$/) + count(/create d\/g\/f$/)).toBe(50);
  expect(count(/rename,isdir d\/e -> d\/g$/)).toBe(50);
  expect(count(/rename d\/g\/f -> d\/h$/)).toBe(50);
  expect(count(/delete,isdir d\/g$/)).toBe(50);
  expect(count(/delete d\/h$/)).toBe(50);
  expect(lines).toHaveLength(400);
});
