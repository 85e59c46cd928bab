// What each group of attributes notices.
import {
  appendFileSync,
  chmodSync,
  chownSync,
  linkSync,
  lutimesSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Checked, system, test } from './program.ts';

const GROUPS = ['content', 'owner', 'default', 'strict', 'growing', 'mine'] as const;

/** What is done to a file (or what else the name says) of every group, and what each group makes of it; '' is no drift. */
const CHANGES: Readonly<
  Record<string, readonly [(file: string) => void, Readonly<Partial<Record<(typeof GROUPS)[number], string>>>]>
> = {
  chmod: [(file) => chmodSync(file, 0o600), { owner: 'mode', default: 'mode', strict: 'mode ctime', growing: 'mode' }],
  chown: [
    (file) => chownSync(file, 1, 2),
    { owner: 'uid gid', default: 'uid gid', strict: 'uid gid ctime', growing: 'uid gid' },
  ],
  touch: [(file) => utimesSync(file, 1, 1), { default: 'mtime', strict: 'mtime ctime' }],
  // Nothing but the inode's change time tells, and only strict asks for it.
  undone: [
    (file) => {
      chmodSync(file, 0o600);
      chmodSync(file, 0o644);
    },
    { strict: 'ctime' },
  ],
  rewritten: [
    (file) => {
      const old = `${file}.excluded`;
      system('cp', '-p', file, old);
      writeFileSync(file, 'NEW CONTENT\n');
      system('touch', '-r', old, file);
    },
    { content: 'digest', default: 'digest', strict: 'ctime digest', growing: 'digest' },
  ],
  appended: [
    (file) => appendFileSync(file, 'more\n'),
    { content: 'size digest', default: 'size mtime digest', strict: 'size mtime ctime digest', mine: 'size' },
  ],
  truncated: [
    (file) => truncateSync(file, 3),
    {
      content: 'size digest',
      default: 'size mtime digest',
      strict: 'size mtime ctime digest',
      growing: 'size digest',
      mine: 'size',
    },
  ],
  rewrittenAndLonger: [
    (file) => writeFileSync(file, 'another beginning and more\n'),
    {
      content: 'size digest',
      default: 'size mtime digest',
      strict: 'size mtime ctime digest',
      growing: 'digest',
      mine: 'size',
    },
  ],
  linked: [(file) => linkSync(file, `${file}.excluded`), { strict: 'ctime nlink' }],
  // Another inode with the same content and times under the same name.
  replaced: [
    (file) => {
      system('cp', '-p', file, `${file}.excluded`);
      renameSync(`${file}.excluded`, file);
    },
    { strict: 'ctime inode' },
  ],
  xattr: [
    (file) => system('setfattr', '-n', 'user.note', '-v', 'hello', file),
    { default: 'xattrs', strict: 'ctime xattrs' },
  ],
  capability: [(file) => system('setcap', 'cap_net_raw+ep', file), { default: 'xattrs', strict: 'ctime xattrs' }],
  acl: [(file) => system('setfacl', '-m', 'u:daemon:r', file), { default: 'xattrs', strict: 'ctime xattrs' }],
  flags: [(file) => system('chattr', '+A', file), { default: 'flags', strict: 'ctime flags' }],
  link: [
    (file) => {
      rmSync(file);
      symlinkSync('elsewhere', file);
      lutimesSync(file, 2, 2);
    },
    { content: 'target', default: 'target', strict: 'ctime target' },
  ],
  swapped: [
    (file) => {
      rmSync(file);
      symlinkSync('hello world', file);
    },
    {},
  ],
};

/** What is not compared here, or differs from one filesystem to the next. */
const UNCERTAIN = new Set(['inode']);

test('each group notices what it names, of files and links', ({ scratch }) => {
  const rules = GROUPS.map(
    (group) =>
      `  - { name: ${group}, paths: [${join(scratch.tree, group)}], attributes: [${group}], exclude: ['*.excluded'] }`,
  );
  scratch.configure(`attributes: { mine: [type, size] }\nrules:\n${rules.join('\n')}\n`);
  for (const group of GROUPS) {
    for (const change of Object.keys(CHANGES)) {
      const file = scratch.write(`${group}/${change}`, 'hello world\n');
      if (change !== 'link') continue;
      rmSync(file);
      symlinkSync('somewhere', file);
      lutimesSync(file, 2, 2);
    }
  }
  scratch.init();
  expect(scratch.check().status).toBe(0);
  for (const group of GROUPS)
    for (const [name, [change]] of Object.entries(CHANGES)) change(join(scratch.tree, group, name));

  const seen = changesOf(scratch.check(), scratch.tree);
  for (const [name, [, expected]] of Object.entries(CHANGES)) {
    if (name === 'swapped') continue;
    for (const group of GROUPS) {
      const wanted = expected[group] ?? '';
      const got = (seen.get(`${group}/${name}`) ?? []).filter((word) => name === 'replaced' || !UNCERTAIN.has(word));
      expect([group, name, got.toSorted()]).toEqual([group, name, wanted.split(' ').filter(Boolean).toSorted()]);
    }
  }
  for (const group of GROUPS) expect(seen.get(`${group}/swapped`), group).toContain('type');
});

function changesOf({ document }: Checked, tree: string): Map<string, readonly string[]> {
  return new Map(
    document.drift.map(({ kind, path, changed }) => {
      expect([path, kind]).toEqual([path, 'changed']);
      return [path.slice(tree.length + 1), changed];
    }),
  );
}

test('of a directory only type, mode, owner, xattrs and flags count, even when strict', ({ scratch }) => {
  scratch.configure(`rules: [{ name: all, paths: [${scratch.tree}], attributes: strict }]`);
  for (const name of ['entries', 'times', 'mode', 'owner', 'xattrs', 'acl', 'flags', 'type'])
    scratch.write(`${name}/file`);
  scratch.init();
  const at = (name: string): string => join(scratch.tree, name);
  scratch.write('entries/new');
  utimesSync(at('times'), 1, 1);
  chmodSync(at('mode'), 0o1777);
  chownSync(at('owner'), 1, 1);
  system('setfattr', '-n', 'user.note', '-v', 'hello', at('xattrs'));
  system('setfacl', '-d', '-m', 'u:daemon:r', at('acl'));
  system('chattr', '+d', at('flags'));
  rmSync(at('type'), { recursive: true });
  writeFileSync(at('type'), '');
  const drift = scratch.check().document.drift.map(({ kind, path, changed }) => {
    return `${kind} ${path.slice(scratch.tree.length + 1)} ${changed.join(' ')}`.trim();
  });
  const type = drift.find((line) => line.startsWith('changed type type'));
  expect(type).toBeDefined();
  expect(drift.filter((line) => line !== type)).toEqual([
    'changed acl xattrs',
    'changed flags flags',
    'changed mode mode',
    'changed owner uid gid',
    'changed xattrs xattrs',
    'added entries/new',
    'removed type/file',
  ]);
});

test('a hard link is one object under two names: both change', ({ scratch }) => {
  const one = scratch.write('one');
  linkSync(one, join(scratch.tree, 'two'));
  scratch.init(scratch.tree);
  writeFileSync(join(scratch.tree, 'two'), 'otherwise\n');
  expect(changesOf(scratch.check(), scratch.tree)).toEqual(
    new Map([
      ['one', ['size', 'mtime', 'digest']],
      ['two', ['size', 'mtime', 'digest']],
    ]),
  );
});
