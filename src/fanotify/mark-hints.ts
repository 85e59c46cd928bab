// What to do about an errno of fanotify_mark(2): which combination is forbidden, what the filesystem lacks, which limit to
// raise. Each cause was provoked on Linux 6.18 (test/kernel/fanotify-errors.test.ts) or is named in the manual page.
import * as abi from './abi.ts';
import { maskToString } from './names.ts';

/** The arguments of a failed call. */
export interface MarkCall {
  /** Of fanotify_init(2). */
  readonly groupFlags: number;
  readonly flags: number;
  readonly mask: number;
}

const COMMANDS = [abi.FAN_MARK_ADD, abi.FAN_MARK_REMOVE, abi.FAN_MARK_FLUSH];
const KNOWN_FLAGS =
  abi.FAN_MARK_ADD |
  abi.FAN_MARK_REMOVE |
  abi.FAN_MARK_FLUSH |
  abi.FAN_MARK_DONT_FOLLOW |
  abi.FAN_MARK_ONLYDIR |
  abi.FAN_MARK_MNTNS |
  abi.FAN_MARK_IGNORED_MASK |
  abi.FAN_MARK_IGNORE_SURV |
  abi.FAN_MARK_EVICTABLE;
const FILE_IDS = abi.FAN_REPORT_FID | abi.FAN_REPORT_DIR_FID;
const QUESTIONS = abi.FAN_OPEN_PERM | abi.FAN_ACCESS_PERM | abi.FAN_OPEN_EXEC_PERM;
const MOUNT_EVENTS = abi.FAN_MNT_ATTACH | abi.FAN_MNT_DETACH;
/** Events that come without a path (fanotify_mark(2), FAN_MARK_MOUNT). */
const PATHLESS =
  abi.FAN_ATTRIB |
  abi.FAN_CREATE |
  abi.FAN_DELETE |
  abi.FAN_DELETE_SELF |
  abi.FAN_MOVE |
  abi.FAN_MOVE_SELF |
  abi.FAN_RENAME |
  abi.FAN_FS_ERROR;
const PATHED = abi.FAN_ACCESS | abi.FAN_MODIFY | abi.FAN_CLOSE | abi.FAN_OPEN | abi.FAN_OPEN_EXEC;
const KNOWN_EVENTS =
  PATHED | PATHLESS | QUESTIONS | abi.FAN_PRE_ACCESS | MOUNT_EVENTS | abi.FAN_EVENT_ON_CHILD | abi.FAN_ONDIR;

const typeOf = (flags: number): number => flags & abi.FAN_MARK_MNTNS;
const has = (bits: number, wanted: number): boolean => (bits & wanted) === wanted;
const hasAny = (bits: number, wanted: number): boolean => (bits & wanted) !== 0;

type Rule = readonly [isBroken: (call: MarkCall) => boolean, hint: string];

const FORBIDDEN: readonly Rule[] = [
  [({ flags }) => (flags & ~KNOWN_FLAGS) !== 0, 'there is a mark flag that no kernel up to 6.18 has'],
  [
    ({ flags }) => COMMANDS.filter((command) => has(flags, command)).length !== 1,
    'exactly one of FAN_MARK_ADD, FAN_MARK_REMOVE and FAN_MARK_FLUSH',
  ],
  [
    ({ flags }) => has(flags, abi.FAN_MARK_FLUSH) && (flags & ~abi.FAN_MARK_MNTNS) !== abi.FAN_MARK_FLUSH,
    'FAN_MARK_FLUSH goes with an object type and nothing else',
  ],
  [({ flags, mask }) => mask === 0 && !has(flags, abi.FAN_MARK_FLUSH), 'the mask is empty'],
  [
    ({ mask }) => mask > 0xffff_ffff || (mask & ~KNOWN_EVENTS) !== 0,
    'the mask has bits that cannot be asked for (FAN_Q_OVERFLOW comes by itself)',
  ],
  [
    ({ flags }) => has(flags, abi.FAN_MARK_IGNORE | abi.FAN_MARK_IGNORED_MASK),
    'FAN_MARK_IGNORE and FAN_MARK_IGNORED_MASK exclude each other',
  ],
  [
    ({ groupFlags, flags, mask }) =>
      has(groupFlags, abi.FAN_REPORT_MNT) !== (typeOf(flags) === abi.FAN_MARK_MNTNS) ||
      (hasAny(mask, MOUNT_EVENTS) && typeOf(flags) !== abi.FAN_MARK_MNTNS),
    'mount events need a FAN_REPORT_MNT group and FAN_MARK_MNTNS, and those go with nothing else',
  ],
  [
    ({ flags, mask }) => typeOf(flags) === abi.FAN_MARK_MNTNS && (mask & ~MOUNT_EVENTS) !== 0,
    'FAN_MARK_MNTNS knows FAN_MNT_ATTACH and FAN_MNT_DETACH only',
  ],
  [
    ({ groupFlags, mask }) => hasAny(mask, abi.FAN_PRE_ACCESS) && !has(groupFlags, abi.FAN_CLASS_PRE_CONTENT),
    'FAN_PRE_ACCESS needs a FAN_CLASS_PRE_CONTENT group',
  ],
  [
    ({ groupFlags, mask }) =>
      hasAny(mask, QUESTIONS) && !hasAny(groupFlags, abi.FAN_CLASS_CONTENT | abi.FAN_CLASS_PRE_CONTENT),
    'permission events need a FAN_CLASS_CONTENT or FAN_CLASS_PRE_CONTENT group',
  ],
  [({ mask }) => has(mask, abi.FAN_PRE_ACCESS | abi.FAN_ONDIR), 'FAN_PRE_ACCESS does not go with FAN_ONDIR'],
  [
    ({ flags, mask }) => hasAny(mask, abi.FAN_FS_ERROR) && typeOf(flags) !== abi.FAN_MARK_FILESYSTEM,
    'FAN_FS_ERROR needs FAN_MARK_FILESYSTEM',
  ],
  [
    ({ flags }) => has(flags, abi.FAN_MARK_EVICTABLE) && typeOf(flags) !== abi.FAN_MARK_INODE,
    'FAN_MARK_EVICTABLE is for inode marks',
  ],
  [
    ({ flags, mask }) => hasAny(mask, PATHLESS) && typeOf(flags) === abi.FAN_MARK_MOUNT,
    'a mount mark sees only access, modify, open and close: take FAN_MARK_FILESYSTEM or FAN_MARK_INODE for the others',
  ],
  [
    ({ groupFlags, mask }) => hasAny(mask, PATHLESS) && !hasAny(groupFlags, FILE_IDS),
    'these events need a group with file ids (FAN_REPORT_FID or FAN_REPORT_DIR_FID)',
  ],
  [
    ({ groupFlags, mask }) => hasAny(mask, abi.FAN_RENAME) && !has(groupFlags, abi.FAN_REPORT_NAME),
    'FAN_RENAME needs a FAN_REPORT_NAME group',
  ],
  [
    ({ flags }) => (flags & abi.FAN_MARK_IGNORE_SURV) === abi.FAN_MARK_IGNORE && typeOf(flags) !== abi.FAN_MARK_INODE,
    'FAN_MARK_IGNORE on a mount or filesystem needs FAN_MARK_IGNORED_SURV_MODIFY (FAN_MARK_IGNORE_SURV)',
  ],
];

const OTHER: Readonly<Record<string, string>> = {
  EPERM: 'CAP_SYS_ADMIN is missing: it is needed for mount and filesystem marks',
  EACCES: 'CAP_DAC_READ_SEARCH is missing: the object has to be readable',
  ENODEV: 'this filesystem has no filesystem id (FUSE): use a group without file ids',
  ENOSPC: 'raise fs.fanotify.max_user_marks, or open the group with FAN_UNLIMITED_MARKS (CAP_SYS_ADMIN)',
  EMFILE: 'raise the limit of open files',
  ENOMEM: 'the kernel is out of memory for the mark',
  EEXIST:
    'the object has a mark that this one would weaken: an ignore mark of the other kind, or one that is not evictable',
  EISDIR: 'FAN_MARK_IGNORE on a directory needs FAN_MARK_IGNORED_SURV_MODIFY (FAN_MARK_IGNORE_SURV)',
  ELOOP: 'there are too many symbolic links on the way',
};

/** The likely cause of a failed call, one sentence in lower case; undefined for an errno that no page names. */
export function markHint(code: string, call: MarkCall): string | undefined {
  switch (code) {
    case 'EINVAL':
      return FORBIDDEN.find(([isBroken]) => isBroken(call))?.[1] ?? lacking(call);
    case 'EOPNOTSUPP':
      return hasAny(call.mask, abi.FAN_PRE_ACCESS)
        ? 'this filesystem cannot ask before an access: FAN_PRE_ACCESS works on ext4, xfs and btrfs'
        : 'this filesystem has no file handles (overlayfs, procfs, sysfs): use a group without file ids';
    case 'EXDEV':
      return typeOf(call.flags) === abi.FAN_MARK_INODE
        ? 'a group with file ids cannot mix inode marks of a btrfs subvolume with those of others: one group for each'
        : 'this is a btrfs subvolume: mark the top level (subvolid=5), or use a group without file ids';
    case 'ENOTDIR':
      return 'FAN_MARK_ONLYDIR and events on directory entries need a directory';
    case 'ENOENT':
      return has(call.flags, abi.FAN_MARK_REMOVE)
        ? 'there is no such object, or it has no mark'
        : 'there is no such object';
    case 'EBADF':
      return 'the group is closed, or the descriptor of the object is none';
    default:
      return OTHER[code];
  }
}

function lacking({ groupFlags, mask }: MarkCall): string {
  if (hasAny(mask, QUESTIONS))
    return 'permission events do not work on this filesystem (procfs), or this kernel lacks them';
  if (!hasAny(groupFlags, FILE_IDS) || (mask & ~PATHED) === 0)
    return 'the object belongs to a filesystem without mounts (pipe, socket, memfd): mark the inode; or this kernel lacks a flag';
  return `this kernel lacks a flag or one of ${maskToString(mask)}: ask probe()`;
}
