// What to do about an errno of fanotify_init(2): which flags exclude each other, which capability they need. Each cause was
// provoked on Linux 6.18 (test/kernel/fanotify-errors.test.ts) or is named in the manual page.
import * as abi from './abi.ts';
import { initFlagsToString } from './names.ts';

const ALWAYS_SET = abi.FAN_CLOEXEC | abi.FAN_NONBLOCK;
const CLASSES = abi.FAN_CLASS_CONTENT | abi.FAN_CLASS_PRE_CONTENT;
const FILE_IDS = abi.FAN_REPORT_DFID_NAME_TARGET;
const UNPRIVILEGED = FILE_IDS | abi.FAN_REPORT_MNT | ALWAYS_SET;
const EVENT_FLAGS = abi.O_APPEND | abi.O_NONBLOCK | abi.O_SYNC | abi.O_NOATIME | abi.O_CLOEXEC | abi.O_LARGEFILE;
const ACCESS_MODES = abi.O_WRONLY | abi.O_RDWR;

type Rule = readonly [isBroken: (flags: number, eventFlags: number) => boolean, hint: string];

const has = (flags: number, wanted: number): boolean => (flags & wanted) === wanted;
const hasAny = (flags: number, wanted: number): boolean => (flags & wanted) !== 0;

const FORBIDDEN: readonly Rule[] = [
  [(flags) => has(flags, CLASSES), 'FAN_CLASS_CONTENT and FAN_CLASS_PRE_CONTENT exclude each other'],
  [
    (flags) => has(flags, abi.FAN_REPORT_NAME) && !has(flags, abi.FAN_REPORT_DIR_FID),
    'FAN_REPORT_NAME needs FAN_REPORT_DIR_FID',
  ],
  [
    (flags) => has(flags, abi.FAN_REPORT_TARGET_FID) && !has(flags, FILE_IDS),
    'FAN_REPORT_TARGET_FID needs FAN_REPORT_FID, FAN_REPORT_DIR_FID and FAN_REPORT_NAME',
  ],
  [
    (flags) => has(flags, abi.FAN_REPORT_MNT) && hasAny(flags, CLASSES | FILE_IDS | abi.FAN_REPORT_FD_ERROR),
    'FAN_REPORT_MNT goes with FAN_CLASS_NOTIF only, and with neither file ids nor FAN_REPORT_FD_ERROR',
  ],
  [
    (flags) => hasAny(flags, CLASSES) && hasAny(flags, FILE_IDS),
    'permission classes have no file ids: leave out FAN_REPORT_FID, _DIR_FID, _NAME and _TARGET_FID',
  ],
  [
    (flags) => has(flags, abi.FAN_REPORT_PIDFD | abi.FAN_REPORT_TID),
    'FAN_REPORT_PIDFD and FAN_REPORT_TID exclude each other before Linux 7.2',
  ],
  [
    (_, eventFlags) => (eventFlags & ACCESS_MODES) === ACCESS_MODES,
    'event flags need one access mode: O_RDONLY, O_WRONLY or O_RDWR',
  ],
  [
    (_, eventFlags) => (eventFlags & ~(EVENT_FLAGS | ACCESS_MODES)) !== 0,
    'event flags may hold an access mode, O_APPEND, O_NONBLOCK, O_SYNC, O_DSYNC, O_NOATIME, O_CLOEXEC and O_LARGEFILE only',
  ],
];

const OTHER: Readonly<Record<string, string>> = {
  EMFILE: 'close groups or raise fs.fanotify.max_user_groups (128 groups a user), or the limit of open files',
  ENOSYS: 'this kernel was built without CONFIG_FANOTIFY',
  ENOMEM: 'the kernel is out of memory for the group',
};

/** The likely cause of a failed call, one sentence in lower case; undefined for an errno that no page names. */
export function initHint(code: string, flags: number, eventFlags: number): string | undefined {
  if (code === 'EINVAL') return forbidden(flags, eventFlags) ?? lacking(flags);
  if (code === 'EPERM') return missing(flags);
  return OTHER[code];
}

function forbidden(flags: number, eventFlags: number): string | undefined {
  return FORBIDDEN.find(([isBroken]) => isBroken(flags, eventFlags))?.[1];
}

/** Flags of Linux 2.6.37 are in every kernel. */
function lacking(flags: number): string {
  const young = flags & ~(CLASSES | abi.FAN_UNLIMITED_QUEUE | abi.FAN_UNLIMITED_MARKS | ALWAYS_SET);
  return `this kernel lacks one of ${initFlagsToString(young)}: ask probe()`;
}

function missing(flags: number): string {
  const privileged = flags & ~UNPRIVILEGED & ~abi.FAN_ENABLE_AUDIT;
  if (privileged !== 0) return `CAP_SYS_ADMIN is missing: ${initFlagsToString(privileged)} needs it`;
  if (!hasAny(flags, FILE_IDS | abi.FAN_REPORT_MNT))
    return 'CAP_SYS_ADMIN is missing: without it a group needs FAN_REPORT_FID or FAN_REPORT_MNT';
  if (has(flags, abi.FAN_ENABLE_AUDIT)) return 'CAP_AUDIT_WRITE is missing: FAN_ENABLE_AUDIT needs it';
  return 'CAP_SYS_ADMIN is missing: kernels before 5.13 have no groups without it';
}
