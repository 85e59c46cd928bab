import { expect, test } from 'vitest';
import { pathFromText } from '../../../src/domain/path.ts';
import { type Mount, mountTable } from '../../../src/fanotify/mounts.ts';
import { type MarkKind, targetsOf } from '../../../src/trace/targets.ts';

const mount = (id: number, parentId: number, device: string, at: string, type = 'ext4'): Mount => ({
  id,
  parentId,
  device,
  root: pathFromText('/'),
  mountPoint: pathFromText(at),
  type,
});

const TABLE = mountTable([
  mount(1, 0, '8:1', '/'),
  mount(2, 1, '0:4', '/proc', 'proc'),
  mount(3, 1, '0:20', '/run', 'tmpfs'),
  mount(4, 1, '8:2', '/srv'),
  mount(5, 4, '8:3', '/srv/data'),
  mount(6, 1, '8:2', '/mnt/bind'),
  mount(7, 1, '0:30', '/hidden', 'tmpfs'),
  mount(8, 7, '0:31', '/hidden', 'tmpfs'),
]);

const marked = (kind: MarkKind, ...paths: string[]): string[] =>
  targetsOf(TABLE, kind, paths.map(pathFromText)).map(({ kind, path }) => `${kind} ${path}`);

test('without paths: each filesystem once, nothing of the kernel itself, nothing hidden', () => {
  expect(marked('within')).toEqual([
    'filesystem /',
    'filesystem /run',
    'filesystem /srv',
    'filesystem /srv/data',
    'filesystem /hidden',
  ]);
});

test('without paths, mounts: all of them', () => {
  expect(marked('mount')).toEqual([
    'mount /',
    'mount /run',
    'mount /srv',
    'mount /srv/data',
    'mount /mnt/bind',
    'mount /hidden',
  ]);
});

test('a path: its filesystem and those mounted below', () => {
  expect(marked('within', '/srv/www')).toEqual(['filesystem /srv']);
  expect(marked('within', '/srv')).toEqual(['filesystem /srv', 'filesystem /srv/data']);
});

test('--filesystem and --mount: what holds the path, alone', () => {
  expect(marked('filesystem', '/srv', '/srv/www')).toEqual(['filesystem /srv']);
  expect(marked('mount', '/srv/data/x', '/etc')).toEqual(['mount /srv/data', 'mount /']);
});

test('--dir: the path itself', () => {
  expect(marked('dir', '/etc', '/etc', '/srv')).toEqual(['dir /etc', 'dir /srv']);
  expect(() => marked('dir')).toThrow(expect.objectContaining({ code: 'USAGE' }));
});
