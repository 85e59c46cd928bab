// Which kind a difference has: one object that moved, another object under the same name, or something new.
import { linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { found, test } from './program.ts';

test('a directory that moves is one drift with its entries, whatever lies in it', ({ scratch }) => {
  const at = (name: string): string => join(scratch.tree, name);
  for (let n = 0; n < 20; n += 1) scratch.write(`old/deep/er/file-${n}`);
  scratch.write('other/file');
  scratch.init(scratch.tree);
  renameSync(at('old'), at('other/new'));
  const checked = scratch.check();
  expect([checked.status, found(checked, scratch)]).toEqual([4, ['moved tree/old -> tree/other/new']]);
  expect(checked.document.drift[0]).toMatchObject({ entries: 22, changed: [], before: { type: 'directory' } });

  // What changed on the way is told on its own.
  scratch.write('other/new/deep/er/file-7', 'otherwise\n');
  scratch.write('other/new/deep/added');
  rmSync(at('other/new/deep/er/file-9'));
  const partly = scratch.check();
  expect(found(partly, scratch).sort()).toEqual([
    'added tree/other/new/deep/added',
    'changed tree/old/deep/er/file-7 -> tree/other/new/deep/er/file-7',
    'moved tree/old -> tree/other/new',
    'removed tree/old/deep/er/file-9',
  ]);
  expect(partly.status).toBe(7);
});

test('a file moves when inode and content say so; the inode alone proves nothing', ({ scratch }) => {
  const at = (name: string): string => join(scratch.tree, name);
  for (const name of ['moved', 'edited', 'gone', 'copied', 'd/into']) scratch.write(name, `content of ${name}\n`);
  scratch.init(scratch.tree);
  renameSync(at('moved'), at('d/moved'));
  renameSync(at('d/into'), at('out'));
  renameSync(at('edited'), at('edited-too'));
  writeFileSync(at('edited-too'), 'other content\n');
  // The same content in another inode is an addition and a removal.
  writeFileSync(at('copy'), 'content of copied\n');
  rmSync(at('copied'));
  // The freed inode goes to the next file.
  rmSync(at('gone'));
  writeFileSync(at('next'), 'something else\n');
  const checked = scratch.check();
  expect(found(checked, scratch)).toEqual([
    'removed tree/copied',
    'added tree/copy',
    'moved tree/moved -> tree/d/moved',
    'removed tree/edited',
    'added tree/edited-too',
    'removed tree/gone',
    'added tree/next',
    'moved tree/d/into -> tree/out',
  ]);
});

test('another object under the same name is `changed`', ({ scratch }) => {
  const at = (name: string): string => join(scratch.tree, name);
  for (const name of ['over', 'again', 'type', 'dir/below']) scratch.write(name, 'first\n');
  scratch.init(scratch.tree);
  writeFileSync(at('new'), 'second\n');
  renameSync(at('new'), at('over'));
  rmSync(at('again'));
  writeFileSync(at('again'), 'third\n');
  rmSync(at('type'));
  mkdirSync(at('type'));
  rmSync(at('dir'), { recursive: true });
  writeFileSync(at('dir'), 'a file now\n');
  const checked = scratch.check();
  expect(found(checked, scratch).sort()).toEqual([
    'changed tree/again',
    'changed tree/dir',
    'changed tree/over',
    'changed tree/type',
    'removed tree/dir/below',
  ]);
  for (const { path, changed } of checked.document.drift) {
    if (path === at('type') || path === at('dir')) expect(changed).toContain('type');
  }
  expect(scratch.drive('accept', '--all').status).toBe(0);
  expect(scratch.check().status).toBe(0);
});

test('moves among hard links, chains and swaps keep every name', ({ scratch }) => {
  const at = (name: string): string => join(scratch.tree, name);
  for (const name of ['a', 'b', 'link']) scratch.write(name, `content of ${name}\n`);
  linkSync(at('link'), at('link2'));
  scratch.init(scratch.tree);
  // a and b change places: both names are still there, with the other's content.
  renameSync(at('a'), at('t'));
  renameSync(at('b'), at('a'));
  renameSync(at('t'), at('b'));
  renameSync(at('link'), at('link3'));
  expect(found(scratch.check(), scratch)).toEqual([
    'changed tree/a',
    'changed tree/b',
    'moved tree/link -> tree/link3',
  ]);
});
