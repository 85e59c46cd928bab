// File handles (open_by_handle_at(2)) and the path behind a descriptor (proc_pid_fd(5)).
import { constants } from 'node:os';
import { SystemError } from '../domain/errors.ts';
import { checked, cString, declare, lastErrno } from './native.ts';
import { readLink } from './read.ts';

const openByHandle = declare<(mountFd: number, handle: Buffer, flags: number) => number>(
  'int open_by_handle_at(int mount_fd, void *handle, int flags)',
);
const nameToHandle = declare<(dirFd: number, path: Buffer, handle: Buffer, mountId: Buffer, flags: number) => number>(
  'int name_to_handle_at(int dirfd, const void *path, void *handle, void *mount_id, int flags)',
);
const fstatfs = declare<(fd: number, statfs: Buffer) => number>('int fstatfs(int fd, void *buf)');
const close = declare<(fd: number) => number>('int close(int fd)');

/** fcntl.h, the same on x86-64 and arm64. */
export const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;

const PATH_MAX = 4096;
const target = Buffer.alloc(PATH_MAX);

/** struct statfs of 64-bit Linux: 120 bytes, f_fsid (two ints) at 56. */
const STATFS_BYTES = 120;
const FSID_AT = 56;

/**
 * Opens the object of a handle (latin1 bytes of a struct file_handle) with O_PATH. `mountFd` is any descriptor on the
 * handle's filesystem that is not itself O_PATH. Returns undefined when the object is gone (ESTALE), which is also the
 * answer of a wrong filesystem. Throws SystemError: EPERM without CAP_DAC_READ_SEARCH.
 */
export function openHandle(mountFd: number, handle: string): number | undefined {
  const fd = openByHandle(mountFd, Buffer.from(handle, 'latin1'), O_PATH | O_CLOEXEC);
  if (fd !== -1) return fd;
  const errno = lastErrno();
  if (errno === constants.errno.ESTALE) return undefined;
  throw new SystemError('open_by_handle_at', errno);
}

/** fcntl.h; AT_HANDLE_FID (Linux 6.5): an identity alone, which filesystems give that cannot open by handle. */
const AT_FDCWD = -100;
const AT_HANDLE_FID = 0x200;
const HANDLE_BYTES_MAX = 128;
const handleBuffer = Buffer.alloc(8 + HANDLE_BYTES_MAX);
const mountIdBuffer = Buffer.alloc(8);

/**
 * The file handle that events report of a path (not following a link at its end), as latin1 bytes of struct file_handle.
 * Throws SystemError: EOPNOTSUPP, ENOENT, ENAMETOOLONG and others of name_to_handle_at(2).
 */
export function handleOfPath(path: string): string {
  return handleWith(path, AT_HANDLE_FID) ?? handleWith(path, 0) ?? '';
}

/** Undefined: the kernel does not know the flag. */
function handleWith(path: string, flags: number): string | undefined {
  handleBuffer.writeUInt32LE(HANDLE_BYTES_MAX, 0);
  if (nameToHandle(AT_FDCWD, cString(path), handleBuffer, mountIdBuffer, flags) !== -1) {
    return handleBuffer.toString('latin1', 0, 8 + handleBuffer.readUInt32LE(0));
  }
  const errno = lastErrno();
  if (flags !== 0 && errno === constants.errno.EINVAL) return undefined;
  throw new SystemError('name_to_handle_at', errno, { path });
}

/** What /proc/self/fd shows, latin1: `... (deleted)` for a removed file; undefined when it is longer than PATH_MAX. */
export function pathOfFd(fd: number): string | undefined {
  return readLink(`/proc/self/fd/${fd}`, target);
}

/** f_fsid as 16 hexadecimal digits in memory order, as in fanotify's info records. Throws SystemError. */
export function fsidOfFd(fd: number): string {
  const statfs = Buffer.alloc(STATFS_BYTES);
  checked(fstatfs(fd, statfs), 'fstatfs');
  return statfs.toString('hex', FSID_AT, FSID_AT + 8);
}

/** Closes a descriptor that came from the kernel; nothing can be done about an error. */
export function closeFd(fd: number): void {
  close(fd);
}
