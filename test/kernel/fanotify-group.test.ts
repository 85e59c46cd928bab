// A group's own calls on the kernel, by the public name of the library.
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import * as fan from 'driftline/fanotify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needCapabilities } from './capability.ts';
import { Scratch } from './scratch.ts';

let scratch: Scratch;
let root: string;

beforeEach((context) => {
  needCapabilities(context);
  scratch = new Scratch();
  root = scratch.tmpfs('fs');
});

afterEach(() => {
  scratch?.[Symbol.dispose]();
});

const path = fan.pathFromText;
const namesIn = (group: fan.FanotifyGroup): string[] =>
  group.read().flatMap(({ records }) => records.flatMap((record) => ('name' in record ? [record.name] : [])));

test('all object types by path, and what fdinfo says of them', () => {
  using group = fan.FanotifyGroup.open({ flags: fan.FAN_REPORT_FID });
  const { dev, ino } = statSync(root, { bigint: true });
  const device = `${(dev >> 8n) & 0xfffn}:${(dev & 0xffn) | ((dev >> 12n) & ~0xffn)}`;
  writeFileSync(`${root}/f`, '');
  group.mark(fan.FAN_MARK_INODE, fan.FAN_CLOSE_WRITE, path(root));
  group.mark(fan.FAN_MARK_MOUNT, fan.FAN_MODIFY, path(root));
  group.mark(fan.FAN_MARK_FILESYSTEM | fan.FAN_MARK_ADD, fan.FAN_ATTRIB | fan.FAN_ONDIR, path(root));
  group.mark(fan.FAN_MARK_IGNORE_SURV | fan.FAN_MARK_EVICTABLE, fan.FAN_OPEN, path(`${root}/f`));
  const marks = group.marks();
  expect(marks.map(({ kind }) => kind).sort()).toEqual(['filesystem', 'inode', 'inode', 'mount']);
  expect(marks).toContainEqual(
    expect.objectContaining({ kind: 'inode', ino, device, flags: 0, mask: fan.FAN_CLOSE_WRITE, ignoredMask: 0 }),
  );
  expect(marks).toContainEqual({
    kind: 'filesystem',
    device,
    flags: 0,
    mask: fan.FAN_ATTRIB | fan.FAN_ONDIR,
    ignoredMask: 0,
  });
  expect(marks).toContainEqual(
    expect.objectContaining({
      kind: 'inode',
      ino: statSync(`${root}/f`, { bigint: true }).ino,
      flags: fan.FAN_MARK_IGNORE_SURV | fan.FAN_MARK_EVICTABLE,
      mask: 0,
      ignoredMask: fan.FAN_OPEN,
    }),
  );
  group.unmark(fan.FAN_MARK_INODE, fan.FAN_CLOSE_WRITE, path(root));
  group.flush(fan.FAN_MARK_FILESYSTEM);
  group.flush(fan.FAN_MARK_MOUNT);
  expect(group.marks()).toHaveLength(1);
  group.flush(fan.FAN_MARK_INODE);
  expect(group.marks()).toEqual([]);
});

test('a mount namespace', () => {
  using group = fan.FanotifyGroup.open({ flags: fan.FAN_REPORT_MNT });
  group.mark(fan.FAN_MARK_MNTNS, fan.FAN_MNT_ATTACH | fan.FAN_MNT_DETACH, path('/proc/self/ns/mnt'));
  const ino = BigInt(/\d+/.exec(readlinkSync('/proc/self/ns/mnt'))?.[0] ?? '');
  const mask = fan.FAN_MNT_ATTACH | fan.FAN_MNT_DETACH;
  expect(group.marks()).toEqual([{ kind: 'mountNamespace', ino, flags: 0, mask, ignoredMask: 0 }]);
  scratch.tmpfs('another');
  const [event] = group.read();
  expect(event).toMatchObject({ kind: 'event', mask: fan.FAN_MNT_ATTACH, records: [{ kind: 'mount' }] });
  group.flush(fan.FAN_MARK_MNTNS);
  expect(group.marks()).toEqual([]);
});

test('by descriptor, and by a name below a descriptor', () => {
  using group = fan.FanotifyGroup.open({ flags: fan.FAN_REPORT_DFID_NAME });
  mkdirSync(`${root}/dir`);
  const rootFd = openSync(root, 'r');
  const dirFd = openSync(`${root}/dir`, 'r');
  try {
    group.mark(fan.FAN_MARK_INODE, fan.FAN_CREATE, dirFd);
    writeFileSync(`${root}/not-seen`, '');
    writeFileSync(`${root}/dir/seen`, '');
    expect(namesIn(group)).toEqual(['seen']);
    group.unmark(fan.FAN_MARK_INODE, fan.FAN_CREATE, path('dir'), rootFd);
    expect(group.marks()).toEqual([]);
    group.mark(fan.FAN_MARK_ONLYDIR, fan.FAN_CREATE, path('dir'), rootFd);
    expect(group.marks()).toHaveLength(1);
  } finally {
    closeSync(dirFd);
    closeSync(rootFd);
  }
});

test('a symbolic link, or what it points to; names of any bytes', () => {
  using group = fan.FanotifyGroup.open({ flags: fan.FAN_REPORT_FID });
  writeFileSync(Buffer.from(`${root}/\xff\x01`, 'latin1'), '');
  symlinkSync('nowhere', `${root}/link`);
  group.mark(fan.FAN_MARK_INODE, fan.FAN_MODIFY, fan.pathFromBytes(Buffer.from(`${root}/\xff\x01`, 'latin1')));
  group.mark(fan.FAN_MARK_DONT_FOLLOW, fan.FAN_ATTRIB, path(`${root}/link`));
  expect(group.marks()).toHaveLength(2);
  expect(() => group.mark(fan.FAN_MARK_INODE, fan.FAN_ATTRIB, path(`${root}/link`))).toThrow(
    expect.objectContaining({ code: 'ENOENT', path: `${root}/link` }),
  );
});

test.each(['', '/etc\0/passwd', '/\u0161'])('%j is no path and reaches no call', (text) => {
  using group = fan.FanotifyGroup.open({ flags: fan.FAN_REPORT_FID });
  expect(() => group.mark(fan.FAN_MARK_INODE, fan.FAN_MODIFY, text as fan.BytePath)).toThrow(
    expect.objectContaining({ code: 'USAGE' }),
  );
});

test('the queue counts its events, whatever their size', () => {
  using group = fan.FanotifyGroup.open({ flags: fan.FAN_REPORT_DFID_NAME_TARGET });
  group.mark(fan.FAN_MARK_FILESYSTEM, fan.FAN_CREATE, path(root));
  expect(group.queueDepth()).toBe(0);
  for (let index = 0; index < 5; index += 1) writeFileSync(`${root}/${'long'.repeat(index)}${index}`, '');
  expect(group.queueDepth()).toBe(5);
  expect(group.read()).toHaveLength(5);
  expect(group.queueDepth()).toBe(0);
});

test('an overflow is of its own kind', () => {
  using group = fan.FanotifyGroup.open({ flags: fan.FAN_REPORT_DFID_NAME });
  group.mark(fan.FAN_MARK_FILESYSTEM, fan.FAN_CREATE, path(root));
  const limit = Number(readFileSync('/proc/sys/fs/fanotify/max_queued_events', 'utf8'));
  for (let index = 0; index < limit + 100; index += 1) writeFileSync(`${root}/${index}`, '');
  const kinds = new Map<string, number>();
  for (let events = group.read(); events.length > 0; events = group.read())
    for (const { kind } of events) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  expect([...kinds]).toEqual([
    ['event', limit],
    ['overflow', 1],
  ]);
});

test('once closed it has no descriptor, no marks and no events, and says so when marked', async () => {
  const before = readdirSync('/proc/self/fd').length;
  const group = fan.FanotifyGroup.open({ flags: fan.FAN_REPORT_FID });
  group.mark(fan.FAN_MARK_FILESYSTEM, fan.FAN_CREATE, path(root));
  group.close();
  group.close();
  await group[Symbol.asyncDispose]();
  expect([group.fd, group.marks(), group.read(), group.queueDepth()]).toEqual([-1, [], [], 0]);
  expect(() => group.mark(fan.FAN_MARK_INODE, fan.FAN_CREATE, path(root))).toThrow(
    expect.objectContaining({ code: 'EBADF', syscall: 'fanotify_mark' }),
  );
  expect(readdirSync('/proc/self/fd')).toHaveLength(before);
});
