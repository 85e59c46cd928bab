// What to do about an errno of the two calls; each cause was provoked on Linux 6.18 or is named in the man page.

const INIT: Readonly<Record<string, string>> = {
  EPERM: 'CAP_SYS_ADMIN is missing: it is needed for everything but notification groups with file ids',
  EINVAL: 'this kernel lacks one of the flags, or two of them exclude each other',
  EMFILE: 'raise fs.fanotify.max_user_groups (128 groups per user), or the limit of open files',
  ENOSYS: 'this kernel was built without CONFIG_FANOTIFY',
  ENOMEM: 'the kernel is out of memory for the group',
};

const MARK: Readonly<Record<string, string>> = {
  EPERM: 'CAP_SYS_ADMIN is missing: it is needed for mount and filesystem marks',
  EACCES: 'CAP_DAC_READ_SEARCH is missing: the object has to be readable',
  EOPNOTSUPP: 'this filesystem has no file handles (overlayfs, procfs, sysfs): use a group without file ids',
  EXDEV: 'this is a btrfs subvolume: mark the top level (subvolid=5), or use a group without file ids',
  ENODEV: 'this filesystem has no file system id (FUSE): use a group without file ids',
  ENOSPC: 'raise fs.fanotify.max_user_marks',
  EINVAL: 'this kernel lacks a flag or an event, or they do not go with this group or object',
  EEXIST: 'the object already has an ignore mark of another kind',
  ENOTDIR: 'directory events need a directory',
  ENOENT: 'there is no such object or no such mark',
};

export function initHint(code: string): string | undefined {
  return INIT[code];
}

export function markHint(code: string): string | undefined {
  return MARK[code];
}
