// Inode numbers that repeat: in the subvolumes of one btrfs, and on clones of one filesystem under one rule. What happens to
// one file is not told of its namesake.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import { briefs } from './brief.ts';
import { Site, type SiteOptions } from './site.ts';

let site: Site | undefined;

beforeEach((context) => needCapabilities(context));
afterEach(async () => {
  await site?.[Symbol.asyncDispose]();
  site = undefined;
});

function make(options: SiteOptions): Site {
  site = new Site(options);
  return site;
}

const inode = (path: string): number => statSync(path).ino;

test('subvolumes: changes, links, files and subvolumes that go and come with the same numbers', async () => {
  const at = make({ filesystem: 'btrfs' });
  at.shell(`
    for part in a b; do
      btrfs -q subvolume create $part; cd $part
      echo 1 >file; echo 1 >linked; ln linked link; mkdir dir; echo 1 >dir/file; cd ..
    done
    echo 1 >a/last`);
  for (const name of ['', '/file', '/link', '/dir/file']) {
    expect(inode(at.path(`a${name}`))).toBe(inode(at.path(`b${name}`)));
  }
  const last = inode(at.path('a/last'));
  const daemon = await at.begin();
  const changes = async (script: string): Promise<string[]> => {
    at.shell(script);
    const records = (await daemon.settled()).filter(({ type }) => type === 'drift');
    return briefs(records, at.root).map((line) => line.replace(/:.*/, ''));
  };
  expect(await changes('echo 2 >a/file')).toEqual(['changed a/file']);
  expect(await changes('echo 2 >b/link')).toEqual(['changed b/link', 'changed b/linked']);
  expect(await changes('chmod 600 a/dir/file; mv b/dir/file b/dir/away')).toEqual([
    'changed a/dir/file',
    'moved b/dir/away from b/dir/file',
  ]);
  expect(await changes('rm a/last; echo other >b/new')).toEqual(['added b/new', 'removed a/last']);
  expect(inode(at.path('b/new'))).toBe(last);
  expect(await changes('btrfs -q subvolume snapshot b d')).toEqual(
    ['', '/dir', '/dir/away', '/file', '/link', '/linked', '/new'].map((name) => `added d${name}`),
  );
  await changes('btrfs -q subvolume delete d');
  // Top directories of all subvolumes have one number.
  const gone = ['', '/dir', '/dir/file', '/file', '/link', '/linked'].map((name) => `removed a${name}`);
  expect(await changes('btrfs -q subvolume delete a; btrfs -q subvolume create c; echo other >c/file')).toEqual([
    'added c',
    'added c/file',
    ...gone,
  ]);
  expect(await changes('mv b moved')).toContainEqual(expect.stringMatching(/^moved moved from b \(\d\)$/));
  await daemon.stop();
});

test('clones of one filesystem: a move here, a removal there', async () => {
  const at = make({ filesystem: 'ext4' });
  at.shell('echo 1 >file; echo 1 >linked; ln linked link; sync');
  const clone = at.scratch.ext4('clone', 'fs');
  at.configure({ rule: { paths: [at.root, join(clone, 'root')] } });
  expect(inode(join(clone, 'root/file'))).toBe(inode(at.path('file')));
  const daemon = await at.begin();
  at.shell(`rm ${clone}/root/file; mv file young; echo 2 >link`);
  const records = (await daemon.settled()).filter(({ type }) => type === 'drift');
  expect(briefs(records, at.scratch.dir).map((line) => line.replace(/:.*/, ''))).toEqual([
    'changed fs/root/link',
    'changed fs/root/linked',
    'moved fs/root/young from fs/root/file',
    'removed clone/root/file',
  ]);
});
