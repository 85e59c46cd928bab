// Each info record, in the events of a group that asks for it (fanotify(7), "Info records").
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import * as fan from 'driftline/fanotify';
import { expect } from 'vitest';
import { answered } from './asking.ts';
import { drain } from './lines.ts';
import { path, Stage } from './stage.ts';
import { writeByHandle } from './system-calls.ts';

const NAMES = fan.FAN_REPORT_DFID_NAME_TARGET;

type Kind = fan.InfoRecord['kind'];

function recordsOf(group: fan.FanotifyGroup): fan.InfoRecord[] {
  return drain(group).flatMap(({ records }) => records);
}

function kindsOf(group: fan.FanotifyGroup): Kind[] {
  return recordsOf(group).map(({ kind }) => kind);
}

/** One record, which has the file system's id; and its handle leads to a path. */
function fileId(kind: Kind, flags: number, script: string, found: string): () => void {
  return () => {
    using stage = new Stage('ext4');
    stage.sh('mkdir d; echo > d/f');
    const events = fan.FAN_MODIFY | fan.FAN_CREATE | ((flags & fan.FAN_REPORT_NAME) === 0 ? 0 : fan.FAN_RENAME);
    const group = stage.watch(flags, events);
    stage.sh(script);
    const record = recordsOf(group).find((each) => each.kind === kind);
    if (record === undefined || !('handle' in record)) throw new Error(`no ${kind}`);
    expect(record.fsid).toBe(fan.fsidOfPath(path(stage.root)));
    const resolver = new fan.PathResolver([path(stage.root)]);
    const name = 'name' in record ? `/${record.name}` : '';
    expect(resolver.pathsOf(record).map((dir) => `${dir}${name}`)).toEqual([`${stage.root}${found}`]);
    resolver.release();
  };
}

export const RECORDS = {
  FAN_EVENT_INFO_TYPE_FID: fileId('fid', fan.FAN_REPORT_FID, 'echo x >> d/f', '/d/f'),
  FAN_EVENT_INFO_TYPE_DFID: fileId('dirFid', fan.FAN_REPORT_DIR_FID, ': > d/g', '/d'),
  'the directory of a file event is a record FID where nothing else is asked for': fileId(
    'fid',
    fan.FAN_REPORT_DIR_FID,
    'echo x >> d/f',
    '/d',
  ),
  FAN_EVENT_INFO_TYPE_DFID_NAME: fileId('dirFidName', fan.FAN_REPORT_DFID_NAME, 'echo x >> d/f', '/d/f'),
  FAN_EVENT_INFO_TYPE_OLD_DFID_NAME: fileId('oldDirFidName', NAMES, 'mv d/f g', '/d/f'),
  FAN_EVENT_INFO_TYPE_NEW_DFID_NAME: fileId('newDirFidName', NAMES, 'mv d/f g', '/g'),

  FAN_EVENT_INFO_TYPE_PIDFD: () => {
    using stage = new Stage();
    const group = stage.watch(NAMES | fan.FAN_REPORT_PIDFD, fan.FAN_CREATE);
    writeFileSync(stage.at('f'), '');
    const [event] = group.read();
    expect(event?.records.map(({ kind }) => kind)).toEqual(['dirFidName', 'fid', 'pidfd']);
    expect(fan.descriptorsOf(event!)).toHaveLength(1);
    fan.closeEvent(event!);
  },
  // The process has exited and was waited for; with FAN_REPORT_FD_ERROR it is ESRCH.
  FAN_NOPIDFD: () => {
    using stage = new Stage();
    const [plain, telling] = [0, fan.FAN_REPORT_FD_ERROR].map((flag) =>
      stage.watch(fan.FAN_REPORT_FID | fan.FAN_REPORT_PIDFD | flag, fan.FAN_CREATE),
    );
    const { pid } = spawnSync('bash', ['-c', ': > f'], { cwd: stage.root });
    const [event] = plain!.read();
    expect(event?.pid).toBe(pid);
    expect(event?.records).toContainEqual({ kind: 'pidfd', pidfd: fan.FAN_NOPIDFD });
    expect(recordsOf(telling!)).toContainEqual({ kind: 'pidfd', pidfd: -3 });
  },
  // No descriptor is left for it; the event itself is not lost.
  FAN_EPIDFD: () => {
    const program = `
      import { writeFileSync } from 'node:fs';
      import * as fan from ${JSON.stringify(new URL('../../../dist/fanotify/index.js', import.meta.url).href)};
      const group = fan.FanotifyGroup.open({ flags: ${NAMES | fan.FAN_REPORT_PIDFD} });
      group.mark(${fan.FAN_MARK_FILESYSTEM}, ${fan.FAN_CREATE}, process.argv[1]);
      for (let index = 0; index < 300; index += 1) writeFileSync(process.argv[1] + '/' + index, '');
      const pidfds = group.read().flatMap(({ records }) => records.flatMap((each) => each.pidfd ?? []));
      console.log(JSON.stringify([pidfds.length, pidfds.at(-1), pidfds.some((fd) => fd > 0)]));`;
    using stage = new Stage();
    const node = [process.execPath, '--input-type=module', '-e', program, stage.root];
    const said = execFileSync('prlimit', ['--nofile=100:100', ...node], { encoding: 'utf8' });
    expect(JSON.parse(said)).toEqual([300, fan.FAN_EPIDFD, true]);
  },
  FAN_NOFD: () => {
    using stage = new Stage();
    const group = stage.watch(NAMES, fan.FAN_CREATE);
    stage.sh('echo > f');
    expect(drain(group).map(({ fd }) => fd)).toEqual([fan.FAN_NOFD]);
  },
  FANOTIFY_METADATA_VERSION: () => {
    using stage = new Stage();
    const group = stage.watch(NAMES, fan.FAN_CREATE);
    stage.sh('echo > f');
    const bytes = Buffer.alloc(4096);
    const length = readSync(group.fd, bytes);
    expect(bytes.readUInt8(4)).toBe(fan.FANOTIFY_METADATA_VERSION);
    expect(fan.decodeEvents(bytes, length)).toHaveLength(1);
  },

  FAN_EVENT_INFO_TYPE_ERROR: () => {
    using stage = new Stage('ext4');
    const group = stage.watch(fan.FAN_REPORT_FID | fan.FAN_REPORT_PIDFD, fan.FAN_FS_ERROR);
    stage.sh(`echo test > /sys/fs/ext4/$(basename $(findmnt -no SOURCE .))/trigger_fs_error`);
    const records = recordsOf(group);
    expect(records).toContainEqual({ kind: 'error', errno: 117, count: 1 });
    // The error is of no inode: a handle of no bytes and the type 0xff.
    const object = records.find(({ kind }) => kind === 'fid');
    expect(object).toMatchObject({ handle: '\0\0\0\0\xff\0\0\0' });
  },
  FAN_EVENT_INFO_TYPE_RANGE: async () => {
    using stage = new Stage('ext4');
    stage.sh('truncate -s 64K f');
    const group = stage.open(fan.FAN_CLASS_PRE_CONTENT | fan.FAN_UNLIMITED_QUEUE);
    group.mark(fan.FAN_MARK_INODE, fan.FAN_PRE_ACCESS, stage.at('f'));
    const ranges: fan.InfoRecord[] = [];
    await answered(
      group,
      () => readFile(stage.at('f')),
      (event) => {
        ranges.push(...event.records);
        group.respond(event, fan.FAN_ALLOW);
      },
    );
    expect(ranges[0]).toMatchObject({ kind: 'range', offsetBytes: 0n });
    expect(ranges[0]?.kind === 'range' && ranges[0].countBytes).toBeGreaterThanOrEqual(4096n);
  },
  FAN_EVENT_INFO_TYPE_MNT: () => {
    using stage = new Stage();
    const group = stage.open(fan.FAN_REPORT_MNT);
    group.mark(fan.FAN_MARK_MNTNS, fan.FAN_MNT_ATTACH, path('/proc/self/ns/mnt'));
    const at = stage.scratch.tmpfs('another');
    const ids = recordsOf(group).flatMap((record) => (record.kind === 'mount' ? [record.mountId] : []));
    // Unique ids are never used again, and far beyond those of /proc/self/mountinfo (statx(2), STATX_MNT_ID_UNIQUE).
    expect(ids.length).toBeGreaterThan(0);
    for (const id of ids) expect(id).toBeGreaterThan(0x7fff_ffffn);
    expect(readdirSync(at)).toEqual([]);
  },

  'directories are named . in themselves': () => {
    using stage = new Stage();
    stage.sh('mkdir d');
    const group = stage.watch(NAMES, fan.FAN_ATTRIB | fan.FAN_ONDIR);
    expect(stage.after(group, 'chmod 700 d')).toEqual(["ATTRIB|ONDIR '.'"]);
  },
  'what happens to the object itself has no name, and is nothing without ids': () => {
    using stage = new Stage();
    stage.sh('echo > f');
    const mask = fan.FAN_DELETE_SELF | fan.FAN_ATTRIB;
    const [names, both] = [fan.FAN_REPORT_DFID_NAME, NAMES].map((flags) => stage.watch(flags, mask));
    stage.sh('rm f');
    expect([kindsOf(names!), kindsOf(both!)]).toEqual([[], ['fid']]);
  },
  'a file that the kernel knows no name of has none': () => {
    using stage = new Stage('ext4');
    stage.sh('echo > f');
    const first = stage.watch(NAMES, fan.FAN_MODIFY);
    stage.sh('echo x >> f');
    const handle = recordsOf(first).flatMap((record) => (record.kind === 'fid' ? [record.handle] : []))[0] ?? '';
    first.close();
    // Mounted anew, nothing is cached.
    execFileSync('umount', [stage.root]);
    stage.scratch.remount('fs');
    const [names, both] = [fan.FAN_REPORT_DFID_NAME, NAMES].map((flags) => stage.watch(flags, fan.FAN_MODIFY));
    stage.sh(writeByHandle('.', handle));
    expect([kindsOf(names!), kindsOf(both!)]).toEqual([[], ['fid']]);
    expect(readFileSync(stage.at('f'), 'latin1')[0]).toBe('x');
  },
  'one side of a rename, by marks of directories': () => {
    using stage = new Stage();
    stage.sh('mkdir a b; echo > a/f');
    const [from, to] = ['a', 'b'].map((name) => {
      const group = stage.open(NAMES);
      group.mark(fan.FAN_MARK_INODE, fan.FAN_RENAME, stage.at(name));
      return group;
    });
    stage.sh('mv a/f b/g');
    expect([kindsOf(from!), kindsOf(to!)]).toEqual([
      ['oldDirFidName', 'fid'],
      ['newDirFidName', 'fid'],
    ]);
  },
} satisfies Record<string, () => void | Promise<void>>;
