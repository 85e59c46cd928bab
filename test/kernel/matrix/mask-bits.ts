// Each event bit, provoked.
import { execFile } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import * as fan from 'driftline/fanotify';
import { expect } from 'vitest';
import { answered } from './asking.ts';
import { drain } from './lines.ts';
import { path, Stage } from './stage.ts';

const NAMES = fan.FAN_REPORT_DFID_NAME_TARGET;
const CHILDREN = fan.FAN_EVENT_ON_CHILD;
const FILES = fan.FAN_CLASS_NOTIF | fan.FAN_REPORT_FD_ERROR;

type Scenario = () => void | Promise<void>;

/** The bit by a filesystem mark and by a mark of the directory with FAN_EVENT_ON_CHILD; where it has a path, by a mount mark too. */
function seen(bit: number, by: 'all' | 'no mount', run: string, line: string, before = 'true'): Scenario {
  return () => {
    using stage = new Stage();
    stage.sh(before);
    const groups = [stage.watch(NAMES, bit), stage.watch(NAMES, bit | CHILDREN, fan.FAN_MARK_INODE)];
    if (by === 'all') groups.push(stage.watch(NAMES, bit, fan.FAN_MARK_MOUNT));
    else expect(() => stage.watch(NAMES, bit, fan.FAN_MARK_MOUNT)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    stage.sh(run);
    const words = fan.maskToString(bit).replaceAll('FAN_', '');
    for (const group of groups) {
      const lines = stage.after(group, 'true');
      expect(lines).toEqual([`${words} ${line}`]);
    }
  };
}

/** A mark of the object itself; its parent is not marked. */
function self(bit: number, run: string): Scenario {
  return () => {
    using stage = new Stage();
    stage.sh('echo > f');
    const group = stage.open(fan.FAN_REPORT_FID);
    group.mark(fan.FAN_MARK_INODE, bit, stage.at('f'));
    expect(stage.after(group, run)).toEqual([`${fan.maskToString(bit).replace('FAN_', '')} F`]);
  };
}

/** What asks before it happens: denied once, allowed once. This thread answers, so another one or a process does it. */
function question(
  bit: number,
  attempt: (file: string) => Promise<unknown>,
  type: 'tmpfs' | 'ext4' = 'tmpfs',
): Scenario {
  return async () => {
    using stage = new Stage(type);
    const file = `${stage.root}/f`;
    writeFileSync(file, '#!/bin/true\n', { mode: 0o755 });
    const group = stage.open(fan.FAN_CLASS_PRE_CONTENT | fan.FAN_UNLIMITED_QUEUE);
    group.mark(fan.FAN_MARK_INODE, bit, path(file));
    for (const verdict of [fan.FAN_DENY, fan.FAN_ALLOW]) {
      const { masks, errno } = await answered(
        group,
        () => attempt(file),
        (event) => group.respond(event, verdict),
      );
      expect([...new Set(masks)]).toEqual([bit]);
      expect(errno === 0).toBe(verdict === fan.FAN_ALLOW);
    }
  };
}

/** Not this thread: spawning a program waits for its exec, which waits for the answer. */
const byShell = (file: string): Promise<unknown> => promisify(execFile)('bash', ['-c', file]);

function mountEvents(expected: number, before: (stage: Stage) => void, act: (stage: Stage) => void): Scenario {
  return () => {
    using stage = new Stage();
    stage.sh('mkdir a b');
    before(stage);
    const group = stage.open(fan.FAN_REPORT_MNT);
    group.mark(fan.FAN_MARK_MNTNS, fan.FAN_MNT_ATTACH | fan.FAN_MNT_DETACH, path('/proc/self/ns/mnt'));
    act(stage);
    // Others may mount something too.
    const events = group.read().map(({ mask, records }) => [mask, records.map(({ kind }) => kind)]);
    expect(events).toContainEqual([expected, ['mount']]);
  };
}

const FILE = 'echo content > f';
const mounted = (stage: Stage): void => stage.sh('mount -t tmpfs none a');

export const MASK_BITS = {
  FAN_ACCESS: seen(fan.FAN_ACCESS, 'all', 'cat f', "'f' F", FILE),
  FAN_MODIFY: seen(fan.FAN_MODIFY, 'all', 'echo x >> f', "'f' F", FILE),
  FAN_ATTRIB: seen(fan.FAN_ATTRIB, 'no mount', 'chmod 600 f', "'f' F", FILE),
  FAN_CLOSE_WRITE: seen(fan.FAN_CLOSE_WRITE, 'all', 'exec 3>>f; exec 3>&-', "'f' F", FILE),
  FAN_CLOSE_NOWRITE: seen(fan.FAN_CLOSE_NOWRITE, 'all', 'exec 3<f; exec 3<&-', "'f' F", FILE),
  FAN_CLOSE: seen(fan.FAN_CLOSE, 'all', 'exec 3<f; exec 3<&-; exec 3>>f; exec 3>&-', "'f' F", FILE),
  FAN_OPEN: seen(fan.FAN_OPEN, 'all', 'exec 3<f', "'f' F", FILE),
  FAN_MOVED_FROM: seen(fan.FAN_MOVED_FROM, 'no mount', 'mv f g', "'f' F", FILE),
  FAN_MOVED_TO: seen(fan.FAN_MOVED_TO, 'no mount', 'mv g f', "'f' F", 'echo > g'),
  FAN_CREATE: seen(fan.FAN_CREATE, 'no mount', 'echo > f', "'f' F"),
  FAN_DELETE: seen(fan.FAN_DELETE, 'no mount', 'rm f', "'f' F", FILE),
  FAN_RENAME: seen(fan.FAN_RENAME, 'no mount', 'mv f g', "'f'>'g' F", FILE),
  FAN_OPEN_EXEC: seen(fan.FAN_OPEN_EXEC, 'all', './f', "'f' F", "printf '#!/bin/true\\n' > f; chmod 755 f"),
  FAN_DELETE_SELF: self(fan.FAN_DELETE_SELF, 'rm f'),
  FAN_MOVE_SELF: self(fan.FAN_MOVE_SELF, 'mv f g'),

  FAN_MOVE: () => {
    using stage = new Stage();
    stage.sh(FILE);
    const group = stage.watch(NAMES, fan.FAN_MOVE);
    expect(stage.after(group, 'mv f g')).toEqual(["MOVED_FROM 'f' F", "MOVED_TO 'g' F"]);
  },

  FAN_EVENT_ON_CHILD: () => {
    using stage = new Stage();
    stage.sh(`${FILE}; mkdir d; echo > d/f`);
    const [alone, children] = [0, CHILDREN].map((bit) => stage.watch(NAMES, fan.FAN_MODIFY | bit, fan.FAN_MARK_INODE));
    stage.sh('echo x >> f; echo x >> d/f');
    expect(stage.after(alone!, 'true')).toEqual([]);
    expect(stage.after(children!, 'true')).toEqual(["MODIFY 'f' F"]);
  },

  FAN_ONDIR: () => {
    using stage = new Stage();
    const [files, both] = [0, fan.FAN_ONDIR].map((bit) => stage.watch(NAMES, fan.FAN_CREATE | bit));
    stage.sh('mkdir d; echo > f');
    expect(stage.after(files!, 'true')).toEqual(["CREATE 'f' F"]);
    expect(stage.after(both!, 'true')).toEqual(["CREATE|ONDIR 'd' F", "CREATE 'f' F"]);
    // Without file ids it is asked for but never said.
    const byDescriptor = stage.watch(FILES, fan.FAN_OPEN | fan.FAN_ONDIR);
    expect(stage.after(byDescriptor, 'ls d')).toEqual(['OPEN d']);
  },

  FAN_Q_OVERFLOW: () => {
    using stage = new Stage();
    const limit = '/proc/sys/fs/fanotify/max_queued_events';
    const before = readFileSync(limit, 'utf8');
    try {
      writeFileSync(limit, '3');
      const group = stage.watch(fan.FAN_REPORT_DFID_NAME, fan.FAN_CREATE);
      const pidfds = stage.watch(NAMES | fan.FAN_REPORT_PIDFD | fan.FAN_REPORT_FD_ERROR, fan.FAN_CREATE);
      stage.sh('touch 1 2 3 4 5');
      expect(drain(group).map(({ kind }) => kind)).toEqual(['event', 'event', 'event', 'overflow']);
      const events = drain(pidfds);
      expect(events.at(-1)).toMatchObject({ kind: 'overflow', mask: fan.FAN_Q_OVERFLOW, pid: 0, fd: -9 });
      events.forEach(fan.closeEvent);
    } finally {
      writeFileSync(limit, before);
    }
  },

  FAN_FS_ERROR: () => {
    using stage = new Stage('ext4');
    const group = stage.watch(fan.FAN_REPORT_FID, fan.FAN_FS_ERROR);
    const device = `$(basename $(findmnt -no SOURCE ${stage.root}))`;
    stage.sh(`for i in 1 2 3; do echo test > /sys/fs/ext4/${device}/trigger_fs_error; done`);
    const [event, ...more] = group.read();
    expect(more).toEqual([]);
    expect(event?.mask).toBe(fan.FAN_FS_ERROR);
    expect(event?.records).toContainEqual({ kind: 'error', errno: 117, count: 3 });
  },

  FAN_OPEN_PERM: question(fan.FAN_OPEN_PERM, (file) => readFile(file)),
  FAN_ACCESS_PERM: question(fan.FAN_ACCESS_PERM, (file) => readFile(file)),
  FAN_OPEN_EXEC_PERM: question(fan.FAN_OPEN_EXEC_PERM, byShell),
  FAN_PRE_ACCESS: question(fan.FAN_PRE_ACCESS, (file) => readFile(file), 'ext4'),

  FAN_MNT_ATTACH: mountEvents(fan.FAN_MNT_ATTACH, () => undefined, mounted),
  FAN_MNT_DETACH: mountEvents(fan.FAN_MNT_DETACH, mounted, (stage) => stage.sh('umount a')),
  'FAN_MNT_ATTACH|FAN_MNT_DETACH': mountEvents(
    fan.FAN_MNT_ATTACH | fan.FAN_MNT_DETACH,
    (stage) => stage.sh('mount --make-private .; mount -t tmpfs none a'),
    (stage) => stage.sh('mount --move a b'),
  ),

  'by a descriptor that was opened before the mark': () => {
    using stage = new Stage();
    const fd = openSync(`${stage.root}/f`, 'w');
    const group = stage.watch(NAMES, fan.FAN_MODIFY | fan.FAN_CLOSE_WRITE);
    writeFileSync(fd, 'text');
    closeSync(fd);
    expect(stage.after(group, 'true')).toEqual(["MODIFY|CLOSE_WRITE 'f' F"]);
  },
} satisfies Record<string, Scenario>;
