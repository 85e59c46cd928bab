// What the manual pages and the header have and these tests cannot show, with the reason. The run prints it.

export const CANNOT_SHOW: Readonly<Record<string, string>> = {
  'fanotify_init: ENOSYS': 'needs a kernel without CONFIG_FANOTIFY',
  'fanotify_init, fanotify_mark: ENOMEM': 'needs a kernel that is out of memory',
  'fanotify_init: EINVAL for what a kernel lacks': 'needs an older kernel; unknown bits stand for it',
  'fanotify_mark: EINVAL for a descriptor that is no group': 'the library has no call that takes one',
  'fanotify_mark: EINVAL for no command': 'the library adds FAN_MARK_ADD',
  'fanotify_mark: ENODEV': 'needs a FUSE server that reports no filesystem id',
  'read: EINTR, blocking read': 'groups of the library are non-blocking',
  'FAN_AUDIT: the record itself': 'needs the audit daemon; that the kernel takes the answer is shown',
  'events of NFS, CIFS, ZFS': 'need servers, or modules that this kernel lacks',
  'SELinux: EACCES by policy': 'this kernel has no policy',
  'fields of 32-bit and big-endian machines': 'the tests run on 64-bit little-endian ones',
};
