// The library on the kernel: groups, marks, handles, errors.
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, renameSync, rmdirSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pathFromText } from '../../src/domain/path.ts';
import * as abi from '../../src/fanotify/abi.ts';
import { FanotifyGroup } from '../../src/fanotify/group.ts';
import { HandlePaths } from '../../src/fanotify/handles.ts';
import { fsidOfFd } from '../../src/libc/handle.ts';
import { needCapabilities } from './capability.ts';
import { Scratch } from './scratch.ts';

const FLAGS = abi.FAN_CLASS_NOTIF | abi.FAN_REPORT_DFID_NAME_TARGET;

let scratch: Scratch;
let group: FanotifyGroup;

beforeEach((context) => {
  needCapabilities(context);
  scratch = new Scratch();
  group = FanotifyGroup.open({ flags: FLAGS });
});

afterEach(() => {
  group?.close();
  scratch?.[Symbol.dispose]();
});

function fsidOf(path: string): string {
  const fd = openSync(path, 'r');
  try {
    return fsidOfFd(fd);
  } finally {
    closeSync(fd);
  }
}

test('a queue of the default length overflows once, with one event without records', () => {
  const root = scratch.tmpfs('fs');
  group.mark(abi.FAN_MARK_FILESYSTEM, abi.FAN_CREATE, pathFromText(root));
  const limit = Number(execFileSync('cat', ['/proc/sys/fs/fanotify/max_queued_events'], { encoding: 'utf8' }));
  for (let index = 0; index < limit + 100; index += 1) writeFileSync(`${root}/f${index}`, '');
  const events = [];
  for (let read = group.read(); read.length > 0; read = group.read()) events.push(...read);
  expect(events).toHaveLength(limit + 1);
  expect(events.at(-1)).toEqual({ kind: 'overflow', mask: abi.FAN_Q_OVERFLOW, fd: -1, pid: 0, records: [] });
  expect(new Set(events.slice(0, -1).map(({ pid, mask }) => `${pid} ${mask}`))).toEqual(
    new Set([`${process.pid} ${abi.FAN_CREATE}`]),
  );
});

test('a directory handle resolves to its present path, and to none once it is gone', () => {
  const root = scratch.ext4('fs');
  const fsid = fsidOf(root);
  mkdirSync(`${root}/one`);
  group.mark(abi.FAN_MARK_FILESYSTEM, abi.FAN_CREATE, pathFromText(root));
  writeFileSync(`${root}/one/f`, '');
  const record = group.read()[0]?.records[0];
  if (record?.kind !== 'dirFidName') throw new Error(`no name in ${JSON.stringify(record)}`);
  expect(record).toMatchObject({ fsid, name: 'f' });
  const resolve = (): readonly string[] => {
    const handles = new HandlePaths((id) => (id === fsid ? [{ path: pathFromText(root), fsid }] : []));
    try {
      return handles.pathsOf(record.fsid, record.handle);
    } finally {
      handles.close();
    }
  };
  expect(resolve()).toEqual([`${root}/one`]);
  renameSync(`${root}/one`, `${root}/two (deleted)`);
  expect(resolve()).toEqual([`${root}/two (deleted)`]);
  execFileSync('rm', [`${root}/two (deleted)/f`]);
  rmdirSync(`${root}/two (deleted)`);
  expect(resolve()).toEqual([]);
});

test('errors say what failed, on what, and what to do', () => {
  const overlay = scratch.overlay('merged');
  expect(() => group.mark(abi.FAN_MARK_FILESYSTEM, abi.FAN_CREATE, pathFromText(overlay))).toThrow(
    expect.objectContaining({
      code: 'EOPNOTSUPP',
      syscall: 'fanotify_mark',
      path: overlay,
      hint: expect.stringContaining('no file handles'),
    }),
  );
  expect(() => group.unmark(abi.FAN_MARK_INODE, abi.FAN_CREATE, pathFromText('/'))).toThrow(
    expect.objectContaining({ code: 'ENOENT' }),
  );
  expect(() => FanotifyGroup.open({ flags: abi.FAN_REPORT_NAME })).toThrow(
    expect.objectContaining({
      code: 'EINVAL',
      syscall: 'fanotify_init',
      hint: 'FAN_REPORT_NAME needs FAN_REPORT_DIR_FID',
    }),
  );
});

test('flush removes the marks of a type; close is idempotent and gives the descriptor back', () => {
  const root = scratch.tmpfs('fs');
  group.mark(abi.FAN_MARK_FILESYSTEM, abi.FAN_CREATE, pathFromText(root));
  group.flush(abi.FAN_MARK_FILESYSTEM);
  writeFileSync(`${root}/f`, '');
  expect(group.read()).toEqual([]);
  const fds = readdirSync('/proc/self/fd').length;
  group.close();
  group.close();
  expect(group.fd).toBe(-1);
  expect(group.read()).toEqual([]);
  expect(readdirSync('/proc/self/fd').length).toBe(fds - 1);
});
