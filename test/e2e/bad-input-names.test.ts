// Whatever a directory may hold: names of any bytes and length, what must not be opened, links to nowhere, holes.
import { mkdirSync, renameSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Drift, found, system, test } from './program.ts';

const NAMES: Readonly<Record<string, string>> = {
  newline: 'a\nb',
  escape: 'a\x1b[31mb',
  'not UTF-8': 'a\xffb',
  'half a character': '\xc3',
  'a right-to-left override': '\xe2\x80\xaetxt.exe',
  'a backslash': 'a\\nb',
  quotes: `a"'b`,
  spaces: ' a ',
  'all control characters': Array.from({ length: 31 }, (_, index) => String.fromCharCode(index + 1)).join(''),
  '255 bytes': '\xe9'.repeat(255),
  'a dash': '--all',
  'a surrogate in CESU-8': '\xed\xa0\x80',
};

test('names of any bytes: JSON is valid and exact, text is escaped', ({ scratch }) => {
  const tree = Buffer.from(`${scratch.tree}/`, 'latin1');
  const at = (name: string): Buffer => Buffer.concat([tree, Buffer.from(name, 'latin1')]);
  writeFileSync(at('\xfe old'), 'moved\n');
  scratch.init(scratch.tree);
  for (const name of Object.values(NAMES)) writeFileSync(at(name), name);
  renameSync(at('\xfe old'), at('\xfe new'));
  const { status, document } = scratch.check();
  expect(status).toBe(5);
  const bytes = ({ path, pathBytes }: Drift): string =>
    (pathBytes === undefined ? Buffer.from(path) : Buffer.from(pathBytes, 'base64')).toString('latin1');
  const added = document.drift.filter(({ kind }) => kind === 'added');
  expect(added.map((drift) => bytes(drift)).sort()).toEqual(
    Object.values(NAMES)
      .map((name) => at(name).toString('latin1'))
      .sort(),
  );
  // Clean text needs no bytes beside it.
  expect(added.find(({ path }) => path.endsWith('a\nb'))).not.toHaveProperty('pathBytes');
  const moved = document.drift.find(({ kind }) => kind === 'moved') as Drift & { fromBytes: string };
  expect(Buffer.from(moved.fromBytes, 'base64').toString('latin1')).toBe(at('\xfe old').toString('latin1'));

  const { stdout } = scratch.drive('check');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
  expect(stdout).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ufffd]/);
  for (const shown of ['a\\nb', 'a\\e[31mb', 'a\\xffb', '\\xc3', '\\u202etxt.exe', 'a\\\\nb'])
    expect(stdout).toContain(`/${shown}\n`);

  // A path on the command line is bytes, too.
  const name = `${scratch.tree}/$(printf 'a\\377b')`;
  const args = `"$0" "$1" --baseline ${scratch.baseline}`;
  const script = `${args} accept "${name}" && ${args} check --json "${name}"`;
  const program = join(import.meta.dirname, '../../dist/cli/main.js');
  expect(JSON.parse(system('sh', '-c', script, process.execPath, program))).toMatchObject({ entries: 1, exitCode: 0 });
});

test('what must not be opened: FIFOs, sockets, devices, loops of links', ({ scratch }) => {
  const at = (name: string): string => join(scratch.tree, name);
  system('mkfifo', at('fifo'));
  system('mknod', at('console'), 'c', '5', '1');
  system('mknod', at('loop'), 'b', '7', '200');
  system('python3', '-c', `import socket; socket.socket(socket.AF_UNIX).bind('${at('socket')}')`);
  symlinkSync('other', at('one'));
  symlinkSync('one', at('other'));
  symlinkSync('.', at('self'));
  symlinkSync('nowhere', at('dangling'));
  symlinkSync('x'.repeat(4000), at('long'));
  scratch.init(scratch.tree);
  expect(scratch.check()).toMatchObject({ status: 0, document: { entries: 10, incomplete: 0 } });
  for (const name of ['fifo', 'console', 'loop', 'socket', 'one', 'self']) unlinkSync(at(name));
  system('mknod', at('console'), 'c', '1', '3');
  symlinkSync('..', at('self'));
  const { document } = scratch.check();
  const facts = document.drift.map(({ kind, path, changed, before }) => {
    return [
      kind,
      path.slice(scratch.tree.length + 1),
      changed.filter((name) => name !== 'mtime').join(),
      before?.['type'],
    ];
  });
  expect(facts).toEqual([
    ['changed', 'console', 'rdev', 'char'],
    ['changed', 'self', 'size,target', 'symlink'],
    ['removed', 'fifo', '', 'fifo'],
    ['removed', 'loop', '', 'block'],
    ['removed', 'one', '', 'symlink'],
    ['removed', 'socket', '', 'socket'],
  ]);
});

test('1 TiB of nothing is read at once, and a byte in its middle is found', ({ scratch }) => {
  const file = scratch.write('sparse', '');
  truncateSync(file, 2 ** 40);
  scratch.init(scratch.tree);
  expect(scratch.check().status).toBe(0);
  system(
    'sh',
    '-c',
    'touch -r "$0" "$0.ref"; printf x | dd of="$0" bs=1 seek=549755813888 conv=notrunc status=none; touch -r "$0.ref" "$0"; rm "$0.ref"',
    file,
  );
  const { document } = scratch.check();
  expect(document.drift.map(({ path, changed }) => [path, changed])).toEqual([[file, ['digest']]]);
  expect(document.bytes).toBeLessThan(2 ** 24);
});

test('paths beyond 4096 bytes are reported whole', ({ scratch }) => {
  const name = 'n'.repeat(250);
  const start = process.cwd();
  const deep: string[] = [];
  process.chdir(scratch.tree);
  try {
    for (let depth = 0; depth < 20; depth += 1) {
      mkdirSync(name);
      process.chdir(name);
      deep.push(name);
    }
    writeFileSync('removed', 'removed\n');
    writeFileSync('changed', 'changed\n');
    scratch.init(scratch.tree);
    expect(scratch.check()).toMatchObject({ status: 0, document: { entries: 23, incomplete: 0 } });
    unlinkSync('removed');
    writeFileSync('changed', 'CHANGED\n');
    writeFileSync('added', '');
  } finally {
    process.chdir(start);
  }
  const below = deep.join('/');
  const checked = scratch.check();
  expect(found(checked, scratch)).toEqual([
    `changed tree/${below}/changed`,
    `added tree/${below}/added`,
    `removed tree/${below}/removed`,
  ]);
  expect(scratch.drive('accept', '--all').status).toBe(0);
  expect(scratch.check().status).toBe(0);
});

test('a directory of 100,000 names', ({ scratch }) => {
  system(
    'python3',
    '-c',
    `
import os, sys
os.chdir(sys.argv[1])
for n in range(100000): os.close(os.open('name-%06d' % n, os.O_CREAT | os.O_WRONLY))
`,
    scratch.tree,
  );
  scratch.init(scratch.tree);
  unlinkSync(join(scratch.tree, 'name-050000'));
  scratch.write('name-099999', 'x');
  scratch.write('name-0500005', '');
  const checked = scratch.check();
  expect(checked.document.entries).toBe(100_001);
  expect(found(checked, scratch)).toEqual([
    'changed tree/name-099999',
    'removed tree/name-050000',
    'added tree/name-0500005',
  ]);
  expect(scratch.drive('accept', '--all').status).toBe(0);
  expect(scratch.check('--quick').document).toMatchObject({ exitCode: 0, entries: 100_001 });
});
