import { describe, expect, test } from 'vitest';
import { pathFromText } from '../../../src/domain/path.ts';
import { compileScope, type Rule } from '../../../src/domain/rule.ts';
import { mountTable, parseMountinfo } from '../../../src/fanotify/mounts.ts';
import { planMounts } from '../../../src/watch/mount-plan.ts';

const TABLE = [
  '20 1 8:1 / / rw,relatime shared:1 - ext4 /dev/vda rw',
  '21 20 0:5 / /proc rw - proc proc rw',
  '22 20 0:30 / /srv rw - tmpfs none rw',
  '23 22 0:31 / /srv/a/deep rw - tmpfs none rw',
  '24 22 0:32 / /srv/a rw master:3 propagate_from:2 - tmpfs none rw',
  '25 24 0:33 / /srv/a rw - tmpfs none rw',
  '26 20 8:1 /home/x /mnt/with\\040space\\012and\\134more rw - ext4 /dev/vda rw',
  'not a mount at all',
  '27 22 0:34 / /srv/b rw - tmpfs none rw',
  '28 22 0:35 / /srv/skip rw - tmpfs none rw',
].join('\n');

const mounts = parseMountinfo(TABLE);
const table = mountTable(mounts);
const at = (path: string): number | undefined => table.mountAt(pathFromText(path))?.id;

test('fields and octal escapes', () => {
  expect(mounts).toHaveLength(9);
  expect(mounts[6]).toEqual({
    id: 26,
    parentId: 20,
    device: '8:1',
    root: '/home/x',
    mountPoint: '/mnt/with space\nand\\more',
    type: 'ext4',
  });
  expect(mounts[4]?.type).toBe('tmpfs');
});

test.each([
  ['/', 20],
  ['/etc/passwd', 20],
  ['/proc/1', 21],
  ['/process', 20],
  ['/srv', 22],
  ['/srv/a/deep/x', 25],
  ['/srv/ab', 22],
  ['/srv/b', 27],
])('%s is on mount %i', (path, id) => {
  expect(at(path)).toBe(id);
});

test('what is mounted over is not visible', () => {
  expect(mounts.filter((mount) => !table.isVisible(mount)).map(({ id }) => id)).toEqual([23, 24]);
  expect(mountTable([]).mountAt(pathFromText('/'))).toBeUndefined();
});

describe('which mounts the rules need', () => {
  const plan = (paths: readonly string[], oneFileSystem = false): number[] => {
    const rule: Rule = {
      name: 'r',
      paths: paths.map(pathFromText),
      exclude: ['/srv/skip'],
      attributes: { names: new Set(), growing: false },
      severity: 'normal',
      onDrift: 'report',
      hooks: [],
      oneFileSystem,
    };
    const scope = compileScope({ rules: [rule], ignore: [], own: [] });
    return planMounts(table, scope)
      .map(({ id }) => id)
      .sort();
  };

  test('the mount of the path and the visible ones below, without the excluded', () => {
    expect(plan(['/srv'])).toEqual([22, 25, 27]);
    expect(plan(['/etc'])).toEqual([20]);
    expect(plan(['/srv/a/file', '/etc'])).toEqual([20, 25]);
  });

  test('only the mount of the path with oneFileSystem', () => {
    expect(plan(['/srv'], true)).toEqual([22]);
  });
});
