// Paths of events: both kinds of group, every kind of record, and objects that are gone.
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import * as fan from 'driftline/fanotify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { needCapabilities } from './capability.ts';
import { Scratch } from './scratch.ts';

let scratch: Scratch;
let root: string;
let group: fan.FanotifyGroup | undefined;

beforeEach((context) => {
  needCapabilities(context);
  scratch = new Scratch();
  root = scratch.ext4('fs');
});

afterEach(async () => {
  await group?.[Symbol.asyncDispose]();
  group = undefined;
  scratch?.[Symbol.dispose]();
});

const path = fan.pathFromText;
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;

function open(flags: number, mask: number): fan.FanotifyGroup {
  group = fan.FanotifyGroup.open({ flags });
  group.mark(fan.FAN_MARK_FILESYSTEM, mask, path(root));
  return group;
}

/** `FAN_CREATE a, b` or `FAN_RENAME old -> new`: what read() gives, by a resolver or the descriptors. */
function lines(opened: fan.FanotifyGroup, resolver = new fan.PathResolver([path(root)])): string[] {
  const found: string[] = [];
  for (let events = opened.read(); events.length > 0; events = opened.read()) {
    for (const event of events) {
      const { paths, oldPaths, isDeleted } = resolver.resolve(event);
      const old = oldPaths.length > 0 ? `${oldPaths.join(', ')} -> ` : '';
      found.push(`${fan.maskToString(event.mask)} ${old}${paths.join(', ')}${isDeleted ? ' is gone' : ''}`);
      fan.closeEvent(event);
    }
  }
  resolver.release();
  return found.map((line) => line.replaceAll(root, ''));
}

const ENTRIES = fan.FAN_CREATE | fan.FAN_DELETE | fan.FAN_RENAME | fan.FAN_ONDIR;

describe('with names', () => {
  test('create, rename between directories, delete', () => {
    const opened = open(fan.FAN_REPORT_DFID_NAME_TARGET, ENTRIES);
    mkdirSync(`${root}/a`);
    mkdirSync(`${root}/b`);
    writeFileSync(`${root}/a/x`, '');
    expect(lines(opened)).toEqual(['FAN_CREATE|FAN_ONDIR /a', 'FAN_CREATE|FAN_ONDIR /b', 'FAN_CREATE /a/x']);
    renameSync(`${root}/a/x`, `${root}/b/y`);
    expect(lines(opened)).toEqual(['FAN_RENAME /a/x -> /b/y']);
    unlinkSync(`${root}/b/y`);
    renameSync(`${root}/a`, `${root}/b/c`);
    expect(lines(opened)).toEqual(['FAN_DELETE /b/y', 'FAN_RENAME|FAN_ONDIR /a -> /b/c']);
  });

  test('a directory is itself, also after one above it was renamed', () => {
    const opened = open(fan.FAN_REPORT_DFID_NAME_TARGET, fan.FAN_ATTRIB | fan.FAN_ONDIR);
    mkdirSync(`${root}/a/b`, { recursive: true });
    execFileSync('chmod', ['700', `${root}/a/b`, root]);
    renameSync(`${root}/a`, `${root}/z`);
    expect(lines(opened).sort()).toEqual(['FAN_ATTRIB|FAN_ONDIR ', 'FAN_ATTRIB|FAN_ONDIR /z/b']);
  });

  test('names are bytes', () => {
    const opened = open(fan.FAN_REPORT_DFID_NAME, fan.FAN_CREATE);
    const name = Buffer.from([0xff, 0x01, 0xc3, 0xb6]);
    writeFileSync(Buffer.concat([Buffer.from(`${root}/`), name]), '');
    const [event] = opened.read();
    using resolver = new fan.PathResolver([path(root)]);
    const [found] = resolver.resolve(event!).paths;
    expect(fan.pathToBytes(found!).subarray(-4)).toEqual(name);
    expect(fan.pathToText(found!)).toBe(`${root}/\ufffd\x01ö`);
  });

  test('every mount that shows the object has its path, and a file that is mounted alone too', () => {
    mkdirSync(`${root}/dir`);
    writeFileSync(`${root}/dir/single`, '');
    const bound = scratch.bind(`${root}/dir`, 'bound');
    const single = `${scratch.dir}/single`;
    writeFileSync(single, '');
    execFileSync('mount', ['--bind', `${root}/dir/single`, single]);
    const opened = open(fan.FAN_REPORT_DFID_NAME_TARGET, fan.FAN_MODIFY);
    writeFileSync(`${root}/dir/single`, 'text');
    writeFileSync(`${root}/elsewhere`, 'text');
    const resolver = new fan.PathResolver([path(root), path(bound), path(single)]);
    expect(lines(opened, resolver)).toEqual([
      `FAN_MODIFY /dir/single, ${bound}/single, ${single}`,
      'FAN_MODIFY /elsewhere',
    ]);
    writeFileSync(`${root}/dir/single`, 'text');
    resolver.removeMount(path(bound));
    resolver.removeMount(path(single));
    expect(lines(opened, resolver)).toEqual(['FAN_MODIFY /dir/single']);
    resolver.removeMount(path(root));
    writeFileSync(`${root}/dir/single`, 'text');
    expect(lines(opened, resolver)).toEqual(['FAN_MODIFY ']);
  });

  test('a temporary file that was given a name has that name', () => {
    const opened = open(fan.FAN_REPORT_DFID_NAME_TARGET, fan.FAN_MODIFY);
    const fd = openSync(root, O_TMPFILE | constants.O_RDWR);
    execFileSync('ln', ['-L', `/proc/${process.pid}/fd/${fd}`, `${root}/named`]);
    writeSync(fd, 'text');
    expect(lines(opened)).toEqual(['FAN_MODIFY /named']);
    closeSync(fd);
  });
});

describe('without names', () => {
  test('FAN_REPORT_DIR_FID: the directory', () => {
    const opened = open(fan.FAN_REPORT_DIR_FID, fan.FAN_CREATE);
    mkdirSync(`${root}/a`);
    writeFileSync(`${root}/a/x`, '');
    expect(lines(opened)).toEqual(['FAN_CREATE /a']);
  });

  test('FAN_REPORT_FID: the object, if the kernel remembers a name', () => {
    const opened = open(fan.FAN_REPORT_FID, fan.FAN_MODIFY | fan.FAN_DELETE_SELF);
    writeFileSync(`${root}/x`, 'text');
    expect(lines(opened)).toEqual(['FAN_MODIFY /x']);
    unlinkSync(`${root}/x`);
    expect(lines(opened)).toEqual(['FAN_DELETE_SELF ']);
  });

  test('mount events and an overflow have none', () => {
    using resolver = new fan.PathResolver([path(root)]);
    const nowhere = { paths: [], oldPaths: [], isDeleted: false };
    const overflow = { kind: 'overflow', mask: fan.FAN_Q_OVERFLOW, fd: -1, pid: 0, records: [] } as const;
    expect(resolver.resolve(overflow)).toEqual(nowhere);
    expect(resolver.resolve({ ...overflow, records: [{ kind: 'mount', mountId: 1n }] })).toEqual(nowhere);
  });
});

describe('by descriptor', () => {
  const FLAGS = fan.FAN_CLASS_NOTIF | fan.FAN_REPORT_FD_ERROR;

  test('the present path; of a removed file the last one; a name that only looks like it', () => {
    writeFileSync(`${root}/one`, 'text');
    writeFileSync(`${root}/two`, 'text');
    writeFileSync(`${root}/three (deleted)`, 'text');
    const opened = open(FLAGS, fan.FAN_ACCESS);
    for (const name of ['one', 'two', 'three (deleted)']) readFileSync(`${root}/${name}`);
    const events = opened.read();
    renameSync(`${root}/one`, `${root}/renamed`);
    unlinkSync(`${root}/two`);
    using resolver = new fan.PathResolver();
    const found = events.map((event) => resolver.resolve(event));
    for (const event of events) fan.closeEvent(event);
    expect(found).toEqual([
      { paths: [`${root}/renamed`], oldPaths: [], isDeleted: false },
      { paths: [`${root}/two`], oldPaths: [], isDeleted: true },
      { paths: [`${root}/three (deleted)`], oldPaths: [], isDeleted: false },
    ]);
  });

  test('a file without a known name has none, the root of the mount is no such file', () => {
    mkdirSync(`${root}/d`);
    symlinkSync('d', `${root}/link`);
    const opened = open(FLAGS, fan.FAN_OPEN | fan.FAN_ONDIR);
    closeSync(openSync(root, 'r'));
    closeSync(openSync(`${root}/link`, 'r'));
    expect(lines(opened)).toEqual(['FAN_OPEN ', 'FAN_OPEN /d']);
  });
});

describe('in a loop', () => {
  async function until(check: () => boolean): Promise<void> {
    while (!check()) await new Promise<void>((resolve) => setImmediate(resolve));
  }

  test('a path is looked up when the event is read, not when the consumer comes to it', async () => {
    const opened = open(fan.FAN_REPORT_DFID_NAME, fan.FAN_CREATE);
    const resolver = new fan.PathResolver([path(root)]);
    const stream = opened.events({ resolver });
    const first = stream.next();
    writeFileSync(`${root}/first`, '');
    const held = (await first).value;
    expect(held?.pathsOf(held.events[0]!).paths).toEqual([`${root}/first`]);
    mkdirSync(`${root}/gone`);
    writeFileSync(`${root}/gone/file`, '');
    await until(() => opened.queueDepth() === 0);
    // Read after it, so its paths were looked up before.
    writeFileSync(`${root}/last`, '');
    await until(() => opened.queueDepth() === 0);
    rmSync(`${root}/gone`, { recursive: true });
    const found: string[] = [];
    while (!found.includes(`${root}/last`)) {
      const batch = (await stream.next()).value;
      for (const event of batch ?? []) found.push(...(batch?.pathsOf(event).paths ?? []));
    }
    expect(found).toEqual([`${root}/gone/file`, `${root}/last`]);
  });

  test('of a tree that comes and goes at once, every event has its path', async () => {
    const opened = open(fan.FAN_REPORT_DFID_NAME_TARGET, ENTRIES | fan.FAN_DELETE_SELF | fan.FAN_CLOSE_WRITE);
    const resolver = new fan.PathResolver([path(root)]);
    const stream = opened.events({ resolver });
    const unresolved: string[] = [];
    const deleted = new Set<string>();
    for (let round = 0; round < 50; round += 1) {
      mkdirSync(`${root}/a${round}/b/c`, { recursive: true });
      for (const name of ['x', 'b/x', 'b/c/x']) writeFileSync(`${root}/a${round}/${name}`, '');
      rmSync(`${root}/a${round}`, { recursive: true });
      for (let isOver = false; !isOver; ) {
        const batch = (await stream.next()).value;
        for (const event of batch ?? []) {
          const { paths } = batch?.pathsOf(event) ?? { paths: [] };
          if (paths.length === 0) unresolved.push(JSON.stringify([fan.maskToString(event.mask), event.records]));
          const name = (paths[0] ?? '').replace(`${root}/a${round}`, 'a');
          if ((event.mask & fan.FAN_DELETE) !== 0) deleted.add(name);
          if ((event.mask & fan.FAN_DELETE) !== 0 && name === 'a') isOver = true;
        }
      }
    }
    expect(unresolved).toEqual([]);
    expect([...deleted].sort()).toEqual(['a', 'a/b', 'a/b/c', 'a/b/c/x', 'a/b/x', 'a/x']);
    await stream.return();
  });

  test('a mount that is added while the loop waits; and none of them is held', async () => {
    const opened = open(fan.FAN_REPORT_DFID_NAME, fan.FAN_CREATE);
    const resolver = new fan.PathResolver();
    const stream = opened.events({ resolver });
    const first = stream.next();
    writeFileSync(`${root}/first`, '');
    const held = (await first).value;
    expect(held?.pathsOf(held.events[0]!).paths).toEqual([]);
    const second = stream.next();
    const other = scratch.tmpfs('other');
    opened.mark(fan.FAN_MARK_FILESYSTEM, fan.FAN_CREATE, path(other));
    resolver.addMount(path(other));
    writeFileSync(`${other}/second`, '');
    const batch = (await second).value;
    expect(batch?.pathsOf(batch.events[0]!).paths).toEqual([`${other}/second`]);
    const third = stream.next();
    execFileSync('umount', [other]);
    opened.close();
    expect((await third).done).toBe(true);
  });
});
