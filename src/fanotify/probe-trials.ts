// The calls by which `probe()` tries each flag and event: the least that the manual pages allow it to come with.
import * as abi from './abi.ts';

export interface Trial {
  readonly groupFlags: number;
  readonly markFlags: number;
  readonly mask: number;
}

const IDS = abi.FAN_REPORT_FID;
const NAMES = abi.FAN_REPORT_DFID_NAME;

function init(groupFlags: number): Trial {
  return { groupFlags, markFlags: 0, mask: 0 };
}

function mark(markFlags: number, groupFlags: number = IDS, mask: number = abi.FAN_OPEN): Trial {
  return { groupFlags, markFlags, mask };
}

function event(mask: number, groupFlags: number = IDS, markFlags: number = abi.FAN_MARK_INODE): Trial {
  return { groupFlags, markFlags, mask };
}

export const INIT_FLAGS: Readonly<Record<string, Trial>> = {
  FAN_CLASS_NOTIF: init(abi.FAN_CLASS_NOTIF),
  FAN_CLASS_CONTENT: init(abi.FAN_CLASS_CONTENT),
  FAN_CLASS_PRE_CONTENT: init(abi.FAN_CLASS_PRE_CONTENT),
  FAN_UNLIMITED_QUEUE: init(IDS | abi.FAN_UNLIMITED_QUEUE),
  FAN_UNLIMITED_MARKS: init(IDS | abi.FAN_UNLIMITED_MARKS),
  FAN_ENABLE_AUDIT: init(IDS | abi.FAN_ENABLE_AUDIT),
  FAN_REPORT_PIDFD: init(IDS | abi.FAN_REPORT_PIDFD),
  FAN_REPORT_TID: init(IDS | abi.FAN_REPORT_TID),
  FAN_REPORT_FID: init(IDS),
  FAN_REPORT_DIR_FID: init(abi.FAN_REPORT_DIR_FID),
  FAN_REPORT_NAME: init(NAMES),
  FAN_REPORT_TARGET_FID: init(abi.FAN_REPORT_DFID_NAME_TARGET),
  FAN_REPORT_FD_ERROR: init(IDS | abi.FAN_REPORT_FD_ERROR),
  FAN_REPORT_MNT: init(abi.FAN_REPORT_MNT),
};

export const MARK_FLAGS: Readonly<Record<string, Trial>> = {
  FAN_MARK_INODE: mark(abi.FAN_MARK_INODE),
  FAN_MARK_MOUNT: mark(abi.FAN_MARK_MOUNT),
  FAN_MARK_FILESYSTEM: mark(abi.FAN_MARK_FILESYSTEM),
  FAN_MARK_MNTNS: mark(abi.FAN_MARK_MNTNS, abi.FAN_REPORT_MNT, abi.FAN_MNT_ATTACH),
  FAN_MARK_DONT_FOLLOW: mark(abi.FAN_MARK_DONT_FOLLOW),
  FAN_MARK_ONLYDIR: mark(abi.FAN_MARK_ONLYDIR),
  FAN_MARK_IGNORED_MASK: mark(abi.FAN_MARK_IGNORED_MASK),
  FAN_MARK_IGNORED_SURV_MODIFY: mark(abi.FAN_MARK_IGNORED_MASK | abi.FAN_MARK_IGNORED_SURV_MODIFY),
  FAN_MARK_EVICTABLE: mark(abi.FAN_MARK_EVICTABLE),
  FAN_MARK_IGNORE: mark(abi.FAN_MARK_IGNORE_SURV),
};

export const EVENTS: Readonly<Record<string, Trial>> = {
  FAN_ACCESS: event(abi.FAN_ACCESS),
  FAN_MODIFY: event(abi.FAN_MODIFY),
  FAN_ATTRIB: event(abi.FAN_ATTRIB),
  FAN_CLOSE_WRITE: event(abi.FAN_CLOSE_WRITE),
  FAN_CLOSE_NOWRITE: event(abi.FAN_CLOSE_NOWRITE),
  FAN_OPEN: event(abi.FAN_OPEN),
  FAN_MOVED_FROM: event(abi.FAN_MOVED_FROM),
  FAN_MOVED_TO: event(abi.FAN_MOVED_TO),
  FAN_CREATE: event(abi.FAN_CREATE),
  FAN_DELETE: event(abi.FAN_DELETE),
  FAN_DELETE_SELF: event(abi.FAN_DELETE_SELF),
  FAN_MOVE_SELF: event(abi.FAN_MOVE_SELF),
  FAN_OPEN_EXEC: event(abi.FAN_OPEN_EXEC),
  FAN_FS_ERROR: event(abi.FAN_FS_ERROR, IDS, abi.FAN_MARK_FILESYSTEM),
  FAN_OPEN_PERM: event(abi.FAN_OPEN_PERM, abi.FAN_CLASS_CONTENT),
  FAN_ACCESS_PERM: event(abi.FAN_ACCESS_PERM, abi.FAN_CLASS_CONTENT),
  FAN_OPEN_EXEC_PERM: event(abi.FAN_OPEN_EXEC_PERM, abi.FAN_CLASS_CONTENT),
  FAN_PRE_ACCESS: event(abi.FAN_PRE_ACCESS, abi.FAN_CLASS_PRE_CONTENT),
  FAN_MNT_ATTACH: event(abi.FAN_MNT_ATTACH, abi.FAN_REPORT_MNT, abi.FAN_MARK_MNTNS),
  FAN_MNT_DETACH: event(abi.FAN_MNT_DETACH, abi.FAN_REPORT_MNT, abi.FAN_MARK_MNTNS),
  FAN_RENAME: event(abi.FAN_RENAME, NAMES),
  FAN_EVENT_ON_CHILD: event(abi.FAN_OPEN | abi.FAN_EVENT_ON_CHILD),
  FAN_ONDIR: event(abi.FAN_OPEN | abi.FAN_ONDIR),
};
