// Numbers of the fanotify interface, as <linux/fanotify.h> of Linux 6.18 has them. "Since" is the kernel version of
// fanotify_init(2), fanotify_mark(2) and fanotify(7), man-pages 6.20, unless a comment says otherwise; stable kernels have
// some of them earlier, so ask `probe()` and not the version.
import { constants } from 'node:fs';

// fanotify_init(2), flags.
/** Close-on-exec on the group. Since 2.6.37. */
export const FAN_CLOEXEC = 0x1;
/** `read(2)` fails with EAGAIN instead of waiting. Since 2.6.37. */
export const FAN_NONBLOCK = 0x2;
/** The default class: events only. Since 2.6.37. */
export const FAN_CLASS_NOTIF = 0x0;
/** Allows FAN_OPEN_PERM, FAN_ACCESS_PERM and FAN_OPEN_EXEC_PERM; no file ids; CAP_SYS_ADMIN. Since 2.6.37. */
export const FAN_CLASS_CONTENT = 0x4;
/** The same and FAN_PRE_ACCESS; asked first; no file ids; CAP_SYS_ADMIN. Since 2.6.37. */
export const FAN_CLASS_PRE_CONTENT = 0x8;
/** No overflow, memory without bound, charged to the reader's cgroup; CAP_SYS_ADMIN. Since 2.6.37. */
export const FAN_UNLIMITED_QUEUE = 0x10;
/** The marks of this group are not counted; CAP_SYS_ADMIN. Since 2.6.37. */
export const FAN_UNLIMITED_MARKS = 0x20;
/** Allows FAN_AUDIT in responses; CAP_AUDIT_WRITE. Since 4.15. */
export const FAN_ENABLE_AUDIT = 0x40;
/** A record with a pidfd of the process; CAP_SYS_ADMIN; not with FAN_REPORT_TID before 7.2. Since 5.15. */
export const FAN_REPORT_PIDFD = 0x80;
/** `pid` is the thread; CAP_SYS_ADMIN. Since 4.20. */
export const FAN_REPORT_TID = 0x100;
/** A record with the file id of the object, and no descriptor. Since 5.1. */
export const FAN_REPORT_FID = 0x200;
/** A record with the file id of the directory. Since 5.9. */
export const FAN_REPORT_DIR_FID = 0x400;
/** The name beside the directory; needs FAN_REPORT_DIR_FID. Since 5.9. */
export const FAN_REPORT_NAME = 0x800;
/** The child's file id with directory entry events; needs FID, DIR_FID and NAME. Since 5.17. */
export const FAN_REPORT_TARGET_FID = 0x1000;
/** Descriptors that could not be opened are -errno; CAP_SYS_ADMIN. Since 6.13. */
export const FAN_REPORT_FD_ERROR = 0x2000;
/** Mount events; with no file ids. Since 6.15 by the date of its commit (the man page says 6.14). */
export const FAN_REPORT_MNT = 0x4000;
/** FAN_REPORT_DIR_FID | FAN_REPORT_NAME. Since 5.9. */
export const FAN_REPORT_DFID_NAME = FAN_REPORT_DIR_FID | FAN_REPORT_NAME;
/** FAN_REPORT_DFID_NAME | FAN_REPORT_FID | FAN_REPORT_TARGET_FID. Since 5.17. */
export const FAN_REPORT_DFID_NAME_TARGET = FAN_REPORT_DFID_NAME | FAN_REPORT_FID | FAN_REPORT_TARGET_FID;

// fanotify_init(2), event_f_flags: how the descriptors of events are opened. An access mode, and any of the others.
/** Open for reading only, the mode to use. */
export const O_RDONLY = constants.O_RDONLY;
/** Open for writing only; an event whose object cannot be opened so is lost (EROFS, ETXTBSY). */
export const O_WRONLY = constants.O_WRONLY;
/** Open for both; the same holds. */
export const O_RDWR = constants.O_RDWR;
/** Append on each write. */
export const O_APPEND = constants.O_APPEND;
/** Non-blocking descriptors. */
export const O_NONBLOCK = constants.O_NONBLOCK;
/** Writes wait for the data. */
export const O_DSYNC = constants.O_DSYNC;
/** Writes wait for data and metadata. */
export const O_SYNC = constants.O_SYNC;
/** Reading leaves the access time alone. */
export const O_NOATIME = constants.O_NOATIME;
/** Close-on-exec; the same on x86-64 and arm64, as asm-generic/fcntl.h has it. */
export const O_CLOEXEC = 0o2000000;
/** Files beyond 2 GiB; implied by 64-bit kernels, and a number of each architecture's own (asm/fcntl.h). */
export const O_LARGEFILE = { arm: 0o400000, arm64: 0o400000, ppc64: 0o200000 }[process.arch as string] ?? 0o100000;

// fanotify_mark(2), flags. The object type is the two-bit field 0x110.
/** Command: adds bits to a mark; the mask must not be 0. Since 2.6.37. */
export const FAN_MARK_ADD = 0x1;
/** Command: takes bits away; ENOENT without a mark. Since 2.6.37. */
export const FAN_MARK_REMOVE = 0x2;
/** Marks a symbolic link itself. Since 2.6.37. */
export const FAN_MARK_DONT_FOLLOW = 0x4;
/** ENOTDIR for anything but a directory. Since 2.6.37. */
export const FAN_MARK_ONLYDIR = 0x8;
/** Object type: one file or directory, the default. Since 2.6.37. */
export const FAN_MARK_INODE = 0x0;
/** Object type: one mount; events that have a path only. Since 2.6.37. */
export const FAN_MARK_MOUNT = 0x10;
/** The mask is one of events to ignore, old meaning of FAN_ONDIR and FAN_EVENT_ON_CHILD. Since 2.6.37. */
export const FAN_MARK_IGNORED_MASK = 0x20;
/** The ignore mask outlives FAN_MODIFY; cannot be taken back. Since 2.6.37. */
export const FAN_MARK_IGNORED_SURV_MODIFY = 0x40;
/** Command: removes all marks of one object type; takes no mask and no path. Since 2.6.37. */
export const FAN_MARK_FLUSH = 0x80;
/** Object type: a whole filesystem, through whatever mount. Since 4.20. */
export const FAN_MARK_FILESYSTEM = 0x100;
/** Object type: a mount namespace (/proc/PID/ns/mnt), in a FAN_REPORT_MNT group. Since 6.15. */
export const FAN_MARK_MNTNS = 0x110;
/** Does not pin the inode, and goes with it under memory pressure; inode marks only. Since 5.19. */
export const FAN_MARK_EVICTABLE = 0x200;
/** Ignore mask that honours FAN_ONDIR and FAN_EVENT_ON_CHILD. Since 6.0. */
export const FAN_MARK_IGNORE = 0x400;
/** FAN_MARK_IGNORE | FAN_MARK_IGNORED_SURV_MODIFY, the form to use. Since 6.0. */
export const FAN_MARK_IGNORE_SURV = FAN_MARK_IGNORE | FAN_MARK_IGNORED_SURV_MODIFY;

// fanotify_mark(2), mask; fanotify(7), metadata.mask.
/** Read. Since 2.6.37. */
export const FAN_ACCESS = 0x1;
/** Written to or truncated; a mount mark does not see truncation. Since 2.6.37. */
export const FAN_MODIFY = 0x2;
/** Mode, owner, times, xattrs or link count changed; file id groups. Since 5.1. */
export const FAN_ATTRIB = 0x4;
/** What was opened for writing was closed, written to or not. Since 2.6.37. */
export const FAN_CLOSE_WRITE = 0x8;
/** What was opened for reading was closed. Since 2.6.37. */
export const FAN_CLOSE_NOWRITE = 0x10;
/** Opened. Since 2.6.37. */
export const FAN_OPEN = 0x20;
/** Renamed, seen from the old directory; file id groups. Since 5.1. */
export const FAN_MOVED_FROM = 0x40;
/** Renamed, seen from the new directory; file id groups. Since 5.1. */
export const FAN_MOVED_TO = 0x80;
/** Entry made; file id groups. Since 5.1. */
export const FAN_CREATE = 0x100;
/** Entry removed, but not by a rename over it; file id groups. Since 5.1. */
export const FAN_DELETE = 0x200;
/** Last link and last user gone; file id groups. Since 5.1. */
export const FAN_DELETE_SELF = 0x400;
/** The object itself was renamed; file id groups. Since 5.1. */
export const FAN_MOVE_SELF = 0x800;
/** Opened to be executed; scripts too. Since 5.0. */
export const FAN_OPEN_EXEC = 0x1000;
/** Output only: the queue was full and events are missing. Since 2.6.37. */
export const FAN_Q_OVERFLOW = 0x4000;
/** The filesystem found an error; filesystem marks in file id groups. Since 5.16. */
export const FAN_FS_ERROR = 0x8000;
/** May it be opened? FAN_CLASS_CONTENT or _PRE_CONTENT, as all questions. Since 2.6.37. */
export const FAN_OPEN_PERM = 0x10000;
/** May it be read? Only of what was opened after the mark was set. Since 2.6.37. */
export const FAN_ACCESS_PERM = 0x20000;
/** May it be executed? Since 5.0. */
export const FAN_OPEN_EXEC_PERM = 0x40000;
/** Is this range about to be read, written or mapped; FAN_CLASS_PRE_CONTENT. Since 6.14. */
export const FAN_PRE_ACCESS = 0x100000;
/** Mounted; FAN_MARK_MNTNS. Since 6.15. */
export const FAN_MNT_ATTACH = 0x1000000;
/** Unmounted; with FAN_MNT_ATTACH: moved. Since 6.15. */
export const FAN_MNT_DETACH = 0x2000000;
/** Input only: also the children of a marked directory. Since 2.6.37. */
export const FAN_EVENT_ON_CHILD = 0x8000000;
/** Both names of a rename in one event; needs FAN_REPORT_NAME. Since 5.17. */
export const FAN_RENAME = 0x10000000;
/** Input: events on directories as well; output (file id groups): it is a directory. Since 2.6.37. */
export const FAN_ONDIR = 0x40000000;
/** FAN_CLOSE_WRITE | FAN_CLOSE_NOWRITE. Since 2.6.37. */
export const FAN_CLOSE = FAN_CLOSE_WRITE | FAN_CLOSE_NOWRITE;
/** FAN_MOVED_FROM | FAN_MOVED_TO. Since 5.1. */
export const FAN_MOVE = FAN_MOVED_FROM | FAN_MOVED_TO;

// fanotify(7), metadata and info records.
/** Version of struct fanotify_event_metadata. Since 2.6.37. */
export const FANOTIFY_METADATA_VERSION = 3;
/** `fd` of an event without a descriptor. Since 2.6.37. */
export const FAN_NOFD = -1;
/** The process was gone, or is in another pid namespace. Since 5.15. */
export const FAN_NOPIDFD = -1;
/** The pidfd could not be made. Since 5.15. */
export const FAN_EPIDFD = -2;
/** File id of the object. Since 5.1. */
export const FAN_EVENT_INFO_TYPE_FID = 1;
/** File id of the directory, and the name in it. Since 5.9. */
export const FAN_EVENT_INFO_TYPE_DFID_NAME = 2;
/** File id of the directory. Since 5.9. */
export const FAN_EVENT_INFO_TYPE_DFID = 3;
/** Pidfd. Since 5.15. */
export const FAN_EVENT_INFO_TYPE_PIDFD = 4;
/** errno and count of FAN_FS_ERROR. Since 5.16. */
export const FAN_EVENT_INFO_TYPE_ERROR = 5;
/** Offset and length of FAN_PRE_ACCESS. Since 6.14. */
export const FAN_EVENT_INFO_TYPE_RANGE = 6;
/** Mount id of FAN_MNT_ATTACH and FAN_MNT_DETACH. Since 6.15. */
export const FAN_EVENT_INFO_TYPE_MNT = 7;
/** The old side of FAN_RENAME. Since 5.17. */
export const FAN_EVENT_INFO_TYPE_OLD_DFID_NAME = 10;
/** The new side of FAN_RENAME. Since 5.17. */
export const FAN_EVENT_INFO_TYPE_NEW_DFID_NAME = 12;

// fanotify(7), struct fanotify_response.
/** Go on. Since 2.6.37. */
export const FAN_ALLOW = 0x1;
/** Fails with EPERM. Since 2.6.37. */
export const FAN_DENY = 0x2;
/** With either: write an audit record; needs FAN_ENABLE_AUDIT. Since 4.15. */
export const FAN_AUDIT = 0x10;
/** With either: an info record follows. Since 6.3. */
export const FAN_INFO = 0x20;
/** No info record follows. Since 6.3. */
export const FAN_RESPONSE_INFO_NONE = 0;
/** Struct fanotify_response_info_audit_rule follows. Since 6.3. */
export const FAN_RESPONSE_INFO_AUDIT_RULE = 1;
