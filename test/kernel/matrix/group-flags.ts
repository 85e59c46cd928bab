// Each flag of fanotify_init(2), and what it changes.
import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import * as fan from 'driftline/fanotify';
import { expect } from 'vitest';
import { answered } from './asking.ts';
import { drain } from './lines.ts';
import { RESPONSES } from './responses.ts';
import { path, Stage } from './stage.ts';

const FILES = fan.FAN_CLASS_NOTIF | fan.FAN_REPORT_FD_ERROR;
const NAMES = fan.FAN_REPORT_DFID_NAME;

/** `flags` (octal) of an open descriptor; `fdinfo` of a group begins with those too (proc_pid_fdinfo(5)). */
function openFlagsOf(fd: number): number {
  return Number.parseInt(/^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '', 8);
}

/** What one write and one new entry say in a group with these flags. */
function reports(flags: number, lines: readonly string[]): () => void {
  return () => {
    using stage = new Stage();
    stage.sh('echo > f');
    const group = stage.watch(flags, fan.FAN_MODIFY | fan.FAN_CREATE);
    expect(stage.after(group, 'echo x >> f; : > g')).toEqual(lines);
  };
}

/** A class that may ask this question, by whose answer a file opens; the class before it may not. */
function asks(flags: number, question: number, without: number): () => Promise<void> {
  return async () => {
    using stage = new Stage('ext4');
    writeFileSync(`${stage.root}/f`, 'content');
    expect(() => stage.watch(without, question)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    const group = stage.open(flags | fan.FAN_UNLIMITED_QUEUE);
    group.mark(fan.FAN_MARK_INODE, question, stage.at('f'));
    const { masks } = await answered(
      group,
      () => readFile(stage.at('f')),
      (event) => group.respond(event, fan.FAN_ALLOW),
    );
    expect([...new Set(masks)]).toEqual([question]);
  };
}

/** Runs with a limit of /proc/sys/fs/fanotify lowered. */
function withLimit(name: string, value: number, act: () => void): void {
  const file = `/proc/sys/fs/fanotify/${name}`;
  const before = readFileSync(file, 'utf8');
  try {
    writeFileSync(file, String(value));
    act();
  } finally {
    writeFileSync(file, before);
  }
}

/** The descriptors of events are opened with this. */
function opensWith(flag: number, mode: number = fan.O_RDONLY): () => void {
  return () => {
    using stage = new Stage();
    const group = stage.open(FILES, { eventFlags: mode | flag });
    group.mark(fan.FAN_MARK_FILESYSTEM, fan.FAN_MODIFY, path(stage.root));
    stage.sh('echo > f');
    const [event] = group.read();
    const flags = openFlagsOf(event?.fd ?? -1);
    // Only the access mode and what was asked for can be compared: the kernel adds some.
    expect(flags & 3).toBe(mode);
    expect(flags & flag).toBe(flag);
    const plain = stage.open(FILES, { eventFlags: mode });
    plain.mark(fan.FAN_MARK_FILESYSTEM, fan.FAN_MODIFY, path(stage.root));
    stage.sh('echo > f');
    const [other] = plain.read();
    // O_LARGEFILE is implied on 64 bits, as the man page says of open(2).
    const without = flag === fan.O_LARGEFILE ? flag : 0;
    expect(openFlagsOf(other?.fd ?? -1) & flag & ~mode).toBe(without);
    for (const each of [...drain(group), event!, other!]) fan.closeEvent(each);
  };
}

export const GROUP_FLAGS = {
  FAN_CLOEXEC: () => {
    using stage = new Stage();
    const group = stage.open(fan.FAN_REPORT_FID);
    expect(openFlagsOf(group.fd) & fan.O_CLOEXEC).toBe(fan.O_CLOEXEC);
    expect(execFileSync('bash', ['-c', 'ls -l /proc/self/fd'], { encoding: 'utf8' })).not.toContain('fanotify');
  },
  FAN_NONBLOCK: () => {
    using stage = new Stage();
    const group = stage.watch(fan.FAN_REPORT_FID, fan.FAN_MODIFY);
    expect(openFlagsOf(group.fd) & fan.O_NONBLOCK).toBe(fan.O_NONBLOCK);
    expect(group.read()).toEqual([]);
  },
  FAN_CLASS_NOTIF: () => {
    using stage = new Stage();
    const group = stage.watch(FILES, fan.FAN_MODIFY);
    expect(stage.after(group, 'echo > f')).toEqual(['MODIFY f']);
  },
  FAN_CLASS_CONTENT: asks(fan.FAN_CLASS_CONTENT, fan.FAN_OPEN_PERM, fan.FAN_CLASS_NOTIF),
  FAN_CLASS_PRE_CONTENT: asks(fan.FAN_CLASS_PRE_CONTENT, fan.FAN_PRE_ACCESS, fan.FAN_CLASS_CONTENT),

  FAN_UNLIMITED_QUEUE: () => {
    using stage = new Stage();
    withLimit('max_queued_events', 3, () => {
      const [limited, unlimited] = [0, fan.FAN_UNLIMITED_QUEUE].map((flag) =>
        stage.watch(NAMES | flag, fan.FAN_CREATE),
      );
      stage.sh('touch 1 2 3 4 5 6');
      expect(drain(limited!).map(({ kind }) => kind)).toEqual(['event', 'event', 'event', 'overflow']);
      expect(drain(unlimited!)).toHaveLength(6);
    });
  },
  FAN_UNLIMITED_MARKS: () => {
    using stage = new Stage();
    stage.sh('touch a b');
    withLimit('max_user_marks', 0, () => {
      expect(() => stage.watch(NAMES, fan.FAN_CREATE)).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
      const group = stage.open(NAMES | fan.FAN_UNLIMITED_MARKS);
      for (const name of ['a', 'b']) group.mark(fan.FAN_MARK_INODE, fan.FAN_OPEN, stage.at(name));
      expect(group.marks()).toHaveLength(2);
    });
  },
  FAN_ENABLE_AUDIT: RESPONSES.FAN_AUDIT,
  FAN_REPORT_PIDFD: () => {
    using stage = new Stage();
    const group = stage.watch(fan.FAN_REPORT_FID | fan.FAN_REPORT_PIDFD, fan.FAN_MODIFY);
    writeFileSync(`${stage.root}/f`, 'text');
    const [event] = group.read();
    const record = event?.records.find(({ kind }) => kind === 'pidfd');
    expect(record?.kind === 'pidfd' && record.pidfd).toBeGreaterThan(2);
    const info = readFileSync(`/proc/self/fdinfo/${record?.kind === 'pidfd' ? record.pidfd : -1}`, 'utf8');
    expect(info).toMatch(new RegExp(`^Pid:\\s+${process.pid}$`, 'm'));
    fan.closeEvent(event!);
  },
  FAN_REPORT_TID: async () => {
    using stage = new Stage();
    const [process_, thread] = [0, fan.FAN_REPORT_TID].map((flag) => stage.watch(NAMES | flag, fan.FAN_OPEN));
    writeFileSync(`${stage.root}/f`, '');
    drain(process_!);
    drain(thread!);
    // In the thread pool.
    await (await open(`${stage.root}/f`)).close();
    expect(drain(process_!).map(({ pid }) => pid)).toEqual([process.pid]);
    const [event] = drain(thread!);
    expect(event?.pid).not.toBe(process.pid);
    expect(readdirSync('/proc/self/task')).toContain(String(event?.pid));
  },
  // The object of an entry event is the directory, without a name beside it.
  FAN_REPORT_FID: reports(fan.FAN_REPORT_FID, ['MODIFY F', 'CREATE F']),
  FAN_REPORT_DIR_FID: reports(fan.FAN_REPORT_DIR_FID, ['MODIFY|CREATE dir']),
  'FAN_REPORT_DIR_FID|FAN_REPORT_FID': reports(fan.FAN_REPORT_DIR_FID | fan.FAN_REPORT_FID, [
    'MODIFY dir F',
    'CREATE dir',
  ]),
  FAN_REPORT_NAME: reports(fan.FAN_REPORT_DIR_FID | fan.FAN_REPORT_NAME, ["MODIFY 'f'", "CREATE 'g'"]),
  FAN_REPORT_DFID_NAME: reports(fan.FAN_REPORT_DFID_NAME, ["MODIFY 'f'", "CREATE 'g'"]),
  'FAN_REPORT_DFID_NAME|FAN_REPORT_FID': reports(NAMES | fan.FAN_REPORT_FID, ["MODIFY 'f' F", "CREATE 'g'"]),
  FAN_REPORT_TARGET_FID: reports(NAMES | fan.FAN_REPORT_FID | fan.FAN_REPORT_TARGET_FID, [
    "MODIFY 'f' F",
    "CREATE 'g' F",
  ]),
  FAN_REPORT_DFID_NAME_TARGET: reports(fan.FAN_REPORT_DFID_NAME_TARGET, ["MODIFY 'f' F", "CREATE 'g' F"]),
  FAN_REPORT_FD_ERROR: () => {
    using stage = new Stage();
    stage.sh('echo > f');
    const writing = { eventFlags: fan.O_RDWR };
    const [plain, telling] = [0, fan.FAN_REPORT_FD_ERROR].map((flag) => stage.open(flag, writing));
    for (const group of [plain!, telling!]) group.mark(fan.FAN_MARK_FILESYSTEM, fan.FAN_OPEN, path(stage.root));
    stage.sh('cat f');
    // What cannot be opened any more: EROFS.
    stage.sh('mount -o remount,ro .');
    expect(() => plain!.read()).toThrow(expect.objectContaining({ code: 'EROFS', syscall: 'read' }));
    expect(plain!.read()).toEqual([]);
    expect(drain(telling!).map(({ fd }) => fd)).toEqual([-30]);
  },
  'O_RDWR: a running program': () => {
    using stage = new Stage();
    stage.sh('cp /bin/sleep s');
    const group = stage.open(fan.FAN_CLASS_NOTIF, { eventFlags: fan.O_RDWR });
    group.mark(fan.FAN_MARK_FILESYSTEM, fan.FAN_OPEN_EXEC, path(stage.root));
    const running = spawn(stage.at('s'), ['60']);
    try {
      expect(() => group.read()).toThrow(expect.objectContaining({ code: 'ETXTBSY', syscall: 'read' }));
    } finally {
      running.kill();
    }
  },
  FAN_REPORT_MNT: () => {
    using stage = new Stage();
    const group = stage.open(fan.FAN_REPORT_MNT);
    group.mark(fan.FAN_MARK_MNTNS, fan.FAN_MNT_ATTACH, path('/proc/self/ns/mnt'));
    stage.scratch.tmpfs('another');
    expect(group.read()).toContainEqual(expect.objectContaining({ mask: fan.FAN_MNT_ATTACH, fd: fan.FAN_NOFD }));
  },

  O_RDONLY: opensWith(fan.O_RDONLY),
  O_WRONLY: opensWith(0, fan.O_WRONLY),
  O_RDWR: opensWith(0, fan.O_RDWR),
  O_APPEND: opensWith(fan.O_APPEND, fan.O_RDWR),
  O_NONBLOCK: opensWith(fan.O_NONBLOCK),
  O_DSYNC: opensWith(fan.O_DSYNC),
  O_SYNC: opensWith(fan.O_SYNC),
  O_NOATIME: opensWith(fan.O_NOATIME),
  O_CLOEXEC: opensWith(fan.O_CLOEXEC),
  O_LARGEFILE: opensWith(fan.O_LARGEFILE),
} satisfies Record<string, () => void | Promise<void>>;
