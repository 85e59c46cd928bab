// The inode numbers in the handles of each filesystem are those of stat(2).
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { inodeKey } from '../../src/domain/inode-table.ts';
import { inodeKeyOfHandle } from '../../src/fanotify/handle-inode.ts';
import { handleOfPath } from '../../src/libc/handle.ts';
import { needCapabilities } from './capability.ts';
import { Scratch } from './scratch.ts';

let scratch: Scratch;

beforeEach((context) => {
  needCapabilities(context);
  scratch = new Scratch();
});
afterEach(() => scratch?.[Symbol.dispose]());

test.each(['ext4', 'xfs', 'btrfs', 'subvolume', 'tmpfs'] as const)('%s', (filesystem) => {
  const at = scratch[filesystem]('fs');
  mkdirSync(`${at}/d`);
  writeFileSync(`${at}/d/f`, '');
  for (const path of [at, `${at}/d`, `${at}/d/f`]) {
    expect(inodeKeyOfHandle(handleOfPath(path))).toBe(inodeKey(statSync(path, { bigint: true }).ino));
  }
});

test('overlayfs: a layout of its own, so that stat(2) has to be asked', () => {
  expect(inodeKeyOfHandle(handleOfPath(scratch.overlay('merged')))).toBeUndefined();
});
