// Numbers of the fanotify interface, as <linux/fanotify.h> of Linux 6.18 has them. "since" is the kernel version of
// fanotify_init(2), fanotify_mark(2) and fanotify(7), man-pages 6.20, unless a comment says otherwise.

// fanotify_init(2), flags.
export const FAN_CLOEXEC = 0x1; // since 2.6.37, as all without a version
export const FAN_NONBLOCK = 0x2;
export const FAN_CLASS_NOTIF = 0x0;
export const FAN_CLASS_CONTENT = 0x4;
export const FAN_CLASS_PRE_CONTENT = 0x8;
export const FAN_UNLIMITED_QUEUE = 0x10;
export const FAN_UNLIMITED_MARKS = 0x20;
export const FAN_ENABLE_AUDIT = 0x40; // since 4.15
export const FAN_REPORT_PIDFD = 0x80; // since 5.15
export const FAN_REPORT_TID = 0x100; // since 4.20
export const FAN_REPORT_FID = 0x200; // since 5.1
export const FAN_REPORT_DIR_FID = 0x400; // since 5.9
export const FAN_REPORT_NAME = 0x800; // since 5.9
export const FAN_REPORT_TARGET_FID = 0x1000; // since 5.17
export const FAN_REPORT_FD_ERROR = 0x2000; // since 6.13
export const FAN_REPORT_MNT = 0x4000; // since 6.15 by the date of its commit; the man page says 6.14
export const FAN_REPORT_DFID_NAME = FAN_REPORT_DIR_FID | FAN_REPORT_NAME;
export const FAN_REPORT_DFID_NAME_TARGET = FAN_REPORT_DFID_NAME | FAN_REPORT_FID | FAN_REPORT_TARGET_FID;

// fanotify_mark(2), flags. The object type is the two-bit field 0x110.
export const FAN_MARK_ADD = 0x1;
export const FAN_MARK_REMOVE = 0x2;
export const FAN_MARK_DONT_FOLLOW = 0x4;
export const FAN_MARK_ONLYDIR = 0x8;
export const FAN_MARK_INODE = 0x0;
export const FAN_MARK_MOUNT = 0x10;
export const FAN_MARK_IGNORED_MASK = 0x20;
export const FAN_MARK_IGNORED_SURV_MODIFY = 0x40;
export const FAN_MARK_FLUSH = 0x80;
export const FAN_MARK_FILESYSTEM = 0x100; // since 4.20
export const FAN_MARK_MNTNS = 0x110; // since 6.15
export const FAN_MARK_EVICTABLE = 0x200; // since 5.19
export const FAN_MARK_IGNORE = 0x400; // since 6.0
export const FAN_MARK_IGNORE_SURV = FAN_MARK_IGNORE | FAN_MARK_IGNORED_SURV_MODIFY;

// fanotify_mark(2), mask; fanotify(7), metadata.mask.
export const FAN_ACCESS = 0x1;
export const FAN_MODIFY = 0x2;
export const FAN_ATTRIB = 0x4; // since 5.1
export const FAN_CLOSE_WRITE = 0x8;
export const FAN_CLOSE_NOWRITE = 0x10;
export const FAN_OPEN = 0x20;
export const FAN_MOVED_FROM = 0x40; // since 5.1
export const FAN_MOVED_TO = 0x80; // since 5.1
export const FAN_CREATE = 0x100; // since 5.1
export const FAN_DELETE = 0x200; // since 5.1
export const FAN_DELETE_SELF = 0x400; // since 5.1
export const FAN_MOVE_SELF = 0x800; // since 5.1
export const FAN_OPEN_EXEC = 0x1000; // since 5.0
export const FAN_Q_OVERFLOW = 0x4000; // output only
export const FAN_FS_ERROR = 0x8000; // since 5.16
export const FAN_OPEN_PERM = 0x10000;
export const FAN_ACCESS_PERM = 0x20000;
export const FAN_OPEN_EXEC_PERM = 0x40000; // since 5.0
export const FAN_PRE_ACCESS = 0x100000; // since 6.14
export const FAN_MNT_ATTACH = 0x1000000; // since 6.15
export const FAN_MNT_DETACH = 0x2000000; // since 6.15
export const FAN_EVENT_ON_CHILD = 0x8000000; // input only
export const FAN_RENAME = 0x10000000; // since 5.17
export const FAN_ONDIR = 0x40000000;
export const FAN_CLOSE = FAN_CLOSE_WRITE | FAN_CLOSE_NOWRITE;
export const FAN_MOVE = FAN_MOVED_FROM | FAN_MOVED_TO;

// fanotify(7), metadata and info records.
export const FANOTIFY_METADATA_VERSION = 3;
export const FAN_NOFD = -1;
export const FAN_NOPIDFD = -1;
export const FAN_EPIDFD = -2;
export const FAN_EVENT_INFO_TYPE_FID = 1; // since 5.1
export const FAN_EVENT_INFO_TYPE_DFID_NAME = 2; // since 5.9
export const FAN_EVENT_INFO_TYPE_DFID = 3; // since 5.9
export const FAN_EVENT_INFO_TYPE_PIDFD = 4; // since 5.15
export const FAN_EVENT_INFO_TYPE_ERROR = 5; // since 5.16
export const FAN_EVENT_INFO_TYPE_RANGE = 6; // since 6.14
export const FAN_EVENT_INFO_TYPE_MNT = 7; // since 6.15
export const FAN_EVENT_INFO_TYPE_OLD_DFID_NAME = 10; // since 5.17
export const FAN_EVENT_INFO_TYPE_NEW_DFID_NAME = 12; // since 5.17

// fanotify(7), struct fanotify_response.
export const FAN_ALLOW = 0x1;
export const FAN_DENY = 0x2;
export const FAN_AUDIT = 0x10; // since 4.15
export const FAN_INFO = 0x20; // since 6.3
