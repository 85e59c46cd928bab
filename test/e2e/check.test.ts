// driftline check: exit statuses and formats.
import { spawnSync } from 'node:child_process';
import { readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { found, run, type Scratch, test } from './program.ts';

test('the exit status is the sum of 1 added, 2 removed, 4 changed or moved, 8 incomplete', ({ scratch }) => {
  for (const name of ['removed', 'changed', 'moved', 'stays']) scratch.write(name);
  scratch.init(scratch.tree);
  const statuses: number[] = [scratch.check().status];
  const then = (change: () => void): void => {
    change();
    const { status, document } = scratch.check();
    expect(document.exitCode).toBe(status);
    statuses.push(status);
  };
  then(() => renameSync(join(scratch.tree, 'moved'), join(scratch.tree, 'elsewhere')));
  then(() => scratch.write('added'));
  then(() => rmSync(join(scratch.tree, 'removed')));
  then(() => rmSync(join(scratch.tree, 'added')));
  then(() => renameSync(join(scratch.tree, 'elsewhere'), join(scratch.tree, 'moved')));
  then(() => scratch.write('changed', 'otherwise\n'));
  expect(statuses).toEqual([0, 4, 5, 7, 6, 2, 6]);
});

function populate(scratch: Scratch): void {
  for (const name of ['stays', 'removed', 'changed', 'moved']) scratch.write(name);
  scratch.init(scratch.tree);
  scratch.write('added \u001b[31m\n\u202e<b>&amp;');
  rmSync(join(scratch.tree, 'removed'));
  scratch.write('changed', 'otherwise\n');
  renameSync(join(scratch.tree, 'moved'), join(scratch.tree, 'moved \u0085 here'));
}

test('every format tells all, in its own form, with the same exit status', ({ scratch }) => {
  populate(scratch);
  const format = (name: string): string => {
    const { status, stdout, stderr } = scratch.drive('check', '--format', name);
    expect({ name, status, stderr }).toEqual({ name, status: 7, stderr: '' });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
    expect(stdout).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]/);
    for (const word of ['added', 'removed', 'changed', 'moved']) expect(stdout).toContain(`${scratch.tree}/${word}`);
    return stdout;
  };

  expect(format('text')).toMatch(
    /^ADDED .*\\e\[31m\\n\\u202e<b>&amp;$[\s\S]*^4 drifts .*\naccept all of it: .* --report \w+$/m,
  );
  const { drift, ...document } = JSON.parse(format('json'));
  expect(document).toMatchObject({ v: 1, type: 'check', entries: 5, added: 1, removed: 1, changed: 1, moved: 1 });
  expect(document).toMatchObject({ incomplete: 0, exitCode: 7, coverage: [], generation: 1 });
  for (const time of [document.start, document.end]) expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
  expect(drift).toHaveLength(4);

  const lines = format('ndjson').trimEnd().split('\n');
  const records = lines.map((line) => JSON.parse(line));
  expect(records.map(({ type }) => type)).toEqual(['drift', 'drift', 'drift', 'drift', 'check']);
  const changed = records.find(({ kind }) => kind === 'changed');
  expect(changed).toMatchObject({ v: 1, rule: 'default', severity: 'normal', generation: 1 });
  expect(changed.actor).toEqual({ source: 'unknown' });
  expect(changed.time).toMatch(/\.\d{9}Z$/);
  expect(changed.before).toMatchObject({ type: 'file', size: 8, digest: expect.stringMatching(/^[0-9a-f]{64}$/) });

  for (const line of format('ecs').trimEnd().split('\n')) expect(JSON.parse(line)).toHaveProperty('@timestamp');
  expect(format('aide')).toMatch(/^Added entries:$[\s\S]*^Removed entries:$[\s\S]*^Changed entries:$/m);
  const html = format('html');
  expect(html).not.toContain('<b>&amp;');
  const tidy = spawnSync('python3', ['-c', HTML_BALANCE], { input: html, encoding: 'utf8' });
  expect(tidy.stdout).toBe('[]\n');
});

/** Prints the elements that are not closed; those of cells need not be (html.spec.whatwg.org, optional tags). */
const HTML_BALANCE = `
import sys
from html.parser import HTMLParser
class Parser(HTMLParser):
    open = []
    def handle_starttag(self, tag, attrs):
        if tag not in ('meta', 'br', 'th', 'td'): self.open.append(tag)
    def handle_endtag(self, tag):
        if tag not in ('th', 'td'): assert self.open.pop() == tag, tag
parser = Parser()
parser.feed(sys.stdin.read())
print(parser.open)
`;

test('check writes nothing: not to the tree, not to the baseline, no journal', ({ scratch }) => {
  populate(scratch);
  const state = (): unknown => [
    readFileSync(scratch.baseline).toString('latin1').length,
    statSync(scratch.baseline).mtimeMs,
    statSync(scratch.tree).mtimeMs,
    scratch.drive('journal', '--json').stdout,
  ];
  writeFileSync(join(scratch.tree, 'stays'), 'stays\n');
  const before = state();
  expect(scratch.check().status).toBe(7);
  expect(state()).toEqual(before);
});

test('a baseline without a configuration: `check --baseline FILE` alone compares what it was made of', ({
  scratch,
}) => {
  const other = join(scratch.base, 'other');
  scratch.write('one');
  writeFileSync(other, 'two\n');
  // Relative paths mean the directory of the call.
  const made = run(['--baseline', 'state/b.db', 'init', 'tree', './other'], { cwd: scratch.base });
  expect(made.status).toBe(0);
  scratch.write('new');
  writeFileSync(other, '2\n');
  const checked = run(['--baseline', 'b.db', 'check', '--json'], { cwd: join(scratch.base, 'state') });
  expect(checked.status).toBe(5);
  expect(found({ ...checked, document: JSON.parse(checked.stdout) }, scratch)).toEqual([
    'changed other',
    'added tree/new',
  ]);
});

test('check PATH compares a part; a path without a rule is 64', ({ scratch }) => {
  for (const name of ['a/one', 'b/two']) scratch.write(name);
  scratch.init(scratch.tree);
  scratch.write('a/new');
  rmSync(join(scratch.tree, 'b/two'));
  const at = (name: string): readonly [number, string[]] => {
    const checked = scratch.check(join(scratch.tree, name));
    return [checked.status, found(checked, scratch)];
  };
  expect(at('a')).toEqual([1, ['added tree/a/new']]);
  expect(at('b/two')).toEqual([2, ['removed tree/b/two']]);
  expect(at('a/one')).toEqual([0, []]);
  expect(at('nothing')).toEqual([0, []]);
  // Above a rule's path lies the whole rule.
  expect(found(scratch.check(scratch.base), scratch)).toEqual(['added tree/a/new', 'removed tree/b/two']);
  expect(scratch.drive('check', '/etc/passwd')).toMatchObject({ status: 64, stdout: '' });
});

test('a report that cannot be written is 74; SIGINT is 130 and SIGTERM 143', ({ scratch }) => {
  for (let n = 0; n < 500; n += 1) scratch.write(`${n % 20}/${n}`);
  scratch.init(scratch.tree);
  scratch.write('added');
  const args = ['--baseline', scratch.baseline, 'check'];
  const full = run(args, { by: ['sh', '-c', 'exec "$@" >/dev/full', 'sh'] });
  expect(full.status).toBe(74);
  expect(full.stderr).toMatch(/^driftline: .*ENOSPC/);
  for (const [signal, code] of [
    ['INT', 130],
    ['TERM', 143],
  ] as const) {
    const by = [
      'strace',
      '-f',
      '-o',
      '/dev/null',
      '-e',
      'trace=getdents64',
      '-e',
      `inject=getdents64:signal=${signal}:when=3`,
    ];
    expect(run(args, { by }).status).toBe(code);
  }
});

test('a check that is interrupted tells what it has found', ({ scratch }) => {
  scratch.write('a/one');
  truncateSync(scratch.write('b/large', ''), 16 * 1024 * 1024);
  scratch.init(scratch.tree);
  scratch.write('a/one', 'changed');
  const by = ['timeout', '--preserve-status', '--signal=INT', '4'];
  const { status, stdout } = run(['--baseline', scratch.baseline, 'check', '--jobs', '2', '--max-rate', '1MiB/s'], {
    by,
  });
  expect(status).toBe(130);
  expect(stdout).toMatch(/^CHANGED .*tree\/a\/one/);
});

test('text is sorted by path', ({ scratch }) => {
  const names = Array.from({ length: 40 }, (_, index) => `d${String(index).padStart(4, '0')}/file`);
  for (const name of names) scratch.write(name);
  scratch.init(scratch.tree);
  for (const name of names) scratch.write(name, 'changed');
  scratch.write('d0007/added');
  const told = scratch.drive('check').stdout.matchAll(/^[A-Z]+ .*tree\/(\S+)/gm);
  expect([...told].map(([, name]) => name)).toEqual([...names, 'd0007/added'].sort());
});
