// Each flag of fanotify_mark(2), and what it changes.
import { closeSync, openSync, writeFileSync } from 'node:fs';
import * as fan from 'driftline/fanotify';
import { expect } from 'vitest';
import { path, Stage } from './stage.ts';

const IDS = fan.FAN_REPORT_FID;
const NAMES = fan.FAN_REPORT_DFID_NAME_TARGET;
const CONTENT = fan.FAN_MODIFY | fan.FAN_CREATE;

const refused = (code: string): unknown => expect.objectContaining({ code });

/** A filesystem mark and an ignore mark on the directory `ign`. */
function ignoring(flags: number, mask: number): { stage: Stage; group: fan.FanotifyGroup } {
  const stage = new Stage();
  stage.sh('mkdir -p ign/sub ok; echo > ign/f; echo > ign/sub/f; echo > ok/f; echo > ok/x; echo > ign/y');
  const events = CONTENT | fan.FAN_DELETE | fan.FAN_ATTRIB | fan.FAN_RENAME | fan.FAN_MOVE | fan.FAN_ONDIR;
  const group = stage.watch(NAMES, events);
  group.mark(flags, mask, stage.at('ign'));
  return { stage, group };
}

const ALL = CONTENT | fan.FAN_DELETE | fan.FAN_ATTRIB | fan.FAN_MOVE;

export const MARK_FLAGS = {
  FAN_MARK_ADD: () => {
    using stage = new Stage();
    const group = stage.watch(NAMES, fan.FAN_MODIFY, fan.FAN_MARK_FILESYSTEM | fan.FAN_MARK_ADD);
    group.mark(fan.FAN_MARK_FILESYSTEM, fan.FAN_CREATE, path(stage.root));
    expect(group.marks().map(({ mask }) => mask & ~fan.FAN_EVENT_ON_CHILD)).toEqual([CONTENT]);
    expect(stage.after(group, 'echo > f')).toEqual(["MODIFY|CREATE 'f' F"]);
  },
  FAN_MARK_REMOVE: () => {
    using stage = new Stage();
    const group = stage.watch(NAMES, CONTENT);
    group.mark(fan.FAN_MARK_REMOVE | fan.FAN_MARK_FILESYSTEM, fan.FAN_CREATE, path(stage.root));
    expect(stage.after(group, 'echo > f')).toEqual(["MODIFY 'f' F"]);
    group.unmark(fan.FAN_MARK_FILESYSTEM, fan.FAN_MODIFY, path(stage.root));
    // In a group with directories the kernel added FAN_EVENT_ON_CHILD, which goes last.
    if (group.marks().length > 0) group.unmark(fan.FAN_MARK_FILESYSTEM, fan.FAN_EVENT_ON_CHILD, path(stage.root));
    expect(group.marks()).toEqual([]);
    expect(() => group.unmark(fan.FAN_MARK_FILESYSTEM, fan.FAN_MODIFY, path(stage.root))).toThrow(refused('ENOENT'));
  },
  FAN_MARK_FLUSH: () => {
    using stage = new Stage();
    const group = stage.watch(NAMES, CONTENT);
    group.mark(fan.FAN_MARK_INODE, CONTENT, path(stage.root));
    group.mark(fan.FAN_MARK_FLUSH, 0, path(stage.root));
    expect(group.marks().map(({ kind }) => kind)).toEqual(['filesystem']);
    group.mark(fan.FAN_MARK_FLUSH | fan.FAN_MARK_FILESYSTEM, 0, path('/does/not/matter'));
    expect(stage.after(group, 'echo > f')).toEqual([]);
  },
  FAN_MARK_DONT_FOLLOW: () => {
    using stage = new Stage();
    stage.sh('echo > f; ln -s f link');
    const [followed, link] = [0, fan.FAN_MARK_DONT_FOLLOW].map((flag) => {
      const group = stage.open(IDS);
      group.mark(flag, fan.FAN_ATTRIB, stage.at('link'));
      return group;
    });
    expect(stage.after(followed!, 'chown -h 1 link')).toEqual([]);
    expect(stage.after(link!, 'chown 1 f')).toEqual(['ATTRIB F']);
    expect(stage.after(followed!, 'true')).toEqual(['ATTRIB F']);
  },
  FAN_MARK_ONLYDIR: () => {
    using stage = new Stage();
    stage.sh('echo > f; mkdir d');
    const group = stage.open(IDS);
    group.mark(fan.FAN_MARK_ONLYDIR, fan.FAN_OPEN, stage.at('d'));
    expect(() => group.mark(fan.FAN_MARK_ONLYDIR, fan.FAN_OPEN, stage.at('f'))).toThrow(refused('ENOTDIR'));
  },
  FAN_MARK_INODE: () => {
    using stage = new Stage();
    stage.sh('mkdir a b');
    const group = stage.open(NAMES);
    group.mark(fan.FAN_MARK_INODE, fan.FAN_CREATE, stage.at('a'));
    expect(stage.after(group, 'echo > a/f; echo > b/f')).toEqual(["CREATE 'f' F"]);
  },
  FAN_MARK_MOUNT: () => {
    using stage = new Stage();
    const bind = stage.scratch.bind(stage.root, 'bind');
    const group = stage.watch(NAMES, fan.FAN_MODIFY, fan.FAN_MARK_MOUNT);
    expect(stage.after(group, `echo > ${bind}/f`)).toEqual([]);
    expect(stage.after(group, 'unshare -m bash -c "echo > f"')).toEqual([]);
    expect(stage.after(group, 'echo > f')).toEqual(["MODIFY 'f' F"]);
  },
  FAN_MARK_FILESYSTEM: () => {
    using stage = new Stage();
    const bind = stage.scratch.bind(stage.root, 'bind');
    const group = stage.watch(NAMES, fan.FAN_MODIFY);
    expect(stage.after(group, `echo > ${bind}/f`)).toEqual(["MODIFY 'f' F"]);
    expect(stage.after(group, 'unshare -m bash -c "echo > f"')).toEqual(["MODIFY 'f' F"]);
    expect(stage.after(group, `umount ${bind}; echo > f`)).toEqual(["MODIFY 'f' F"]);
  },
  FAN_MARK_MNTNS: () => {
    using stage = new Stage();
    stage.sh('mkdir a');
    const group = stage.open(fan.FAN_REPORT_MNT);
    group.mark(fan.FAN_MARK_MNTNS, fan.FAN_MNT_ATTACH, path('/proc/self/ns/mnt'));
    const ids = (): unknown[] => group.read().flatMap(({ records }) => records);
    const before = ids();
    stage.sh('mount -t tmpfs none a');
    expect(before.length + ids().length).toBeGreaterThan(0);
    expect(() => group.mark(fan.FAN_MARK_MNTNS, fan.FAN_MNT_ATTACH, path(stage.root))).toThrow(refused('EINVAL'));
  },
  FAN_MARK_EVICTABLE: () => {
    using stage = new Stage('ext4');
    stage.sh('touch pinned evictable; sync -f .');
    const group = stage.open(IDS);
    group.mark(fan.FAN_MARK_INODE, fan.FAN_OPEN, stage.at('pinned'));
    group.mark(fan.FAN_MARK_EVICTABLE, fan.FAN_OPEN, stage.at('evictable'));
    expect(
      group
        .marks()
        .map(({ flags }) => flags)
        .sort(),
    ).toEqual([0, fan.FAN_MARK_EVICTABLE]);
    // proc_sys_vm(5): directory entries and inodes that nobody holds; what was used just now is spared at first.
    for (let round = 0; round < 20 && group.marks().length > 1; round += 1)
      writeFileSync('/proc/sys/vm/drop_caches', '2');
    expect(group.marks().map(({ flags }) => flags)).toEqual([0]);
    group.mark(fan.FAN_MARK_EVICTABLE, fan.FAN_OPEN, stage.at('evictable'));
    group.mark(fan.FAN_MARK_INODE, fan.FAN_OPEN, stage.at('evictable'));
    expect(group.marks().map(({ flags }) => flags)).toEqual([0, 0]);
  },
  FAN_MARK_IGNORED_MASK: () => {
    const { stage, group } = ignoring(fan.FAN_MARK_IGNORED_MASK | fan.FAN_MARK_IGNORED_SURV_MODIFY, ALL);
    using _ = stage;
    // FAN_EVENT_ON_CHILD is taken from the normal mask, which is not there.
    expect(stage.after(group, 'echo x >> ign/f; rm ign/y; mkdir ign/new')).toEqual(["MODIFY 'f' F", 'ATTRIB F']);
  },
  FAN_MARK_IGNORED_SURV_MODIFY: () => {
    using stage = new Stage();
    stage.sh('echo > f; echo > g');
    const group = stage.watch(NAMES, fan.FAN_OPEN);
    group.mark(fan.FAN_MARK_IGNORED_MASK, fan.FAN_OPEN, stage.at('f'));
    group.mark(fan.FAN_MARK_IGNORED_MASK | fan.FAN_MARK_IGNORED_SURV_MODIFY, fan.FAN_OPEN, stage.at('g'));
    expect(stage.after(group, 'cat f g')).toEqual([]);
    expect(stage.after(group, 'echo x >> f; echo x >> g; cat f g')).toEqual(["OPEN 'f' F"]);
    // Without it there is no mark at all while somebody writes.
    const fd = openSync(stage.at('h'), 'w');
    group.mark(fan.FAN_MARK_IGNORED_MASK, fan.FAN_OPEN, stage.at('h'));
    closeSync(fd);
    expect(
      group
        .marks()
        .map(({ ignoredMask }) => ignoredMask)
        .sort(),
    ).toEqual([0, 0, fan.FAN_OPEN]);
  },
  FAN_MARK_IGNORE: () => {
    using stage = new Stage();
    stage.sh('echo > f; mkdir d');
    const group = stage.watch(NAMES, fan.FAN_OPEN);
    group.mark(fan.FAN_MARK_IGNORE, fan.FAN_OPEN, stage.at('f'));
    expect(stage.after(group, 'cat f')).toEqual([]);
    expect(() => group.mark(fan.FAN_MARK_IGNORE, fan.FAN_OPEN, stage.at('d'))).toThrow(refused('EISDIR'));
  },
  FAN_MARK_IGNORE_SURV: () => {
    const mask = ALL | fan.FAN_ONDIR | fan.FAN_EVENT_ON_CHILD;
    const { stage, group } = ignoring(fan.FAN_MARK_IGNORE_SURV, mask);
    using _ = stage;
    expect(stage.after(group, 'echo x >> ign/f; chmod 600 ign/f; mkdir ign/new; rmdir ign/new; chmod 700 ign')).toEqual(
      [],
    );
    // Neither recursive, nor for what happens to the object itself.
    expect(stage.after(group, 'echo x >> ign/sub/f')).toEqual(["MODIFY 'f' F"]);
    expect(stage.after(group, 'rm ign/f')).toEqual(['ATTRIB F']);
    expect(stage.after(group, 'mv ok/x ign/z')).toEqual(["RENAME 'x'>'z' F", "MOVED_FROM 'x' F"]);
    // A rename is ignored for both sides when one of them ignores it.
    group.mark(fan.FAN_MARK_IGNORE_SURV, fan.FAN_RENAME, stage.at('ign'));
    expect(stage.after(group, 'mv ok/f ign/g')).toEqual(["MOVED_FROM 'f' F"]);
  },
  'FAN_MARK_IGNORE_SURV without FAN_EVENT_ON_CHILD': () => {
    const { stage, group } = ignoring(fan.FAN_MARK_IGNORE_SURV, ALL | fan.FAN_ONDIR);
    using _ = stage;
    expect(stage.after(group, 'echo x >> ign/f; mkdir ign/new; rmdir ign/new')).toEqual(["MODIFY 'f' F"]);
  },
  'FAN_MARK_IGNORE_SURV on a mount': () => {
    using stage = new Stage();
    stage.sh('echo > f');
    const bind = stage.scratch.bind(stage.root, 'bind');
    const group = stage.watch(NAMES, CONTENT);
    group.mark(fan.FAN_MARK_IGNORE_SURV | fan.FAN_MARK_MOUNT, fan.FAN_MODIFY, path(bind));
    expect(stage.after(group, `echo x >> ${bind}/f; echo > ${bind}/g`)).toEqual(["CREATE 'g' F"]);
    expect(stage.after(group, `: > ${bind}/f`)).toEqual(["MODIFY 'f' F"]);
  },
  'marks of all types on one object': () => {
    using stage = new Stage();
    stage.sh('echo > f');
    const group = stage.watch(NAMES, fan.FAN_ATTRIB);
    group.mark(fan.FAN_MARK_MOUNT, fan.FAN_CLOSE_WRITE, path(stage.root));
    group.mark(fan.FAN_MARK_INODE, fan.FAN_MODIFY | fan.FAN_EVENT_ON_CHILD, path(stage.root));
    group.mark(fan.FAN_MARK_INODE, fan.FAN_OPEN, stage.at('f'));
    stage.sh('echo x >> f');
    expect(group.queueDepth()).toBe(1);
    expect(stage.after(group, 'true')).toEqual(["MODIFY|CLOSE_WRITE|OPEN 'f' F"]);
  },
} satisfies Record<string, () => void | Promise<void>>;
