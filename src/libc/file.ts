// System calls that read the filesystem, for the hot loop of the disk workers. Two rules differ from the other files here,
// both measured: pointers are plain addresses (passing a Buffer costs 0.2 us each), and a failure is the negative errno, as
// the kernel itself returns it, because ENOENT or EACCES of one file is an answer and not an exception. 64-bit Linux only.
import { constants } from 'node:fs';
import { declare, lastErrno } from './native.ts';

/** Memory that system calls read and write; the address is good as long as the Buffer is referenced. */
export interface Memory {
  readonly bytes: Buffer;
  readonly address: number;
}

const memmove = declare<(to: Buffer, from: Buffer, length: number) => number>(
  'long memmove(void *to, void *from, size_t length)',
);

const PAGE_BYTES = 4096;

/**
 * Allocates zeroed memory, which V8 keeps outside of its heap and never moves. It starts at a page: the kernel's copy
 * (rep movsb) into memory that is 16 bytes off took six times as long on AMD processors, measured with read(2) of 256 KiB.
 */
export function allocateMemory(lengthBytes: number): Memory {
  const whole = Buffer.allocUnsafeSlow(lengthBytes + PAGE_BYTES).fill(0);
  // memmove(3) returns its first argument: the address of the memory.
  const start = memmove(whole, whole, 0);
  const skipped = (PAGE_BYTES - (start % PAGE_BYTES)) % PAGE_BYTES;
  return { bytes: whole.subarray(skipped, skipped + lengthBytes), address: start + skipped };
}

/** open(2). O_NOATIME is added by callers: it needs the file's owner or CAP_FOWNER. */
export const O_NOATIME = constants.O_NOATIME;
const O_CLOEXEC = 0o2000000;
export const FILE_FLAGS =
  constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW | constants.O_NOCTTY | O_CLOEXEC;
export const DIRECTORY_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | O_CLOEXEC;

/** linux/fcntl.h */
export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_NO_AUTOMOUNT = 0x800;
export const AT_EMPTY_PATH = 0x1000;

/** sizeof(struct statx), and STATX_BASIC_STATS | STATX_BTIME of linux/stat.h. */
export const STATX_BYTES = 256;
const STATX_WANTED = 0xfff;

/** lseek(2) */
export const SEEK_SET = 0;
export const SEEK_DATA = 3;

/** The largest list of names, XATTR_LIST_MAX, and the largest value, XATTR_SIZE_MAX, of linux/limits.h. */
export const XATTR_BYTES = 65536;

/** _IOR('f', 1, long) of linux/fs.h; most filesystems fill in 32 bits. */
const FS_IOC_GETFLAGS = 0x80086601;

/** openat2(2) has no wrapper in glibc; the number is the same on every architecture. */
const SYS_OPENAT2 = 437;
const RESOLVE_NO_SYMLINKS = 0x04n;

const c = {
  openat: declare<(dirfd: number, path: number, flags: number, mode: number) => number>(
    'int openat(int dirfd, long path, int flags, int mode)',
  ),
  syscall: declare<(number: number, dirfd: number, path: number, how: number, size: number) => number>(
    'long syscall(long number, int dirfd, long path, long how, size_t size)',
  ),
  close: declare<(fd: number) => number>('int close(int fd)'),
  getdents64: declareGetdents(),
  statx: declare<(dirfd: number, path: number, flags: number, mask: number, into: number) => number>(
    'int statx(int dirfd, long path, int flags, uint32_t mask, long into)',
  ),
  read: declare<(fd: number, into: number, length: number) => number>('long read(int fd, long into, size_t length)'),
  lseek: declare<(fd: number, offset: number, whence: number) => number>('long lseek(int fd, long offset, int whence)'),
  readlinkat: declare<(dirfd: number, path: number, into: number, length: number) => number>(
    'long readlinkat(int dirfd, long path, long into, size_t length)',
  ),
  ioctl: declare<(fd: number, request: number, into: number) => number>(
    'int ioctl(int fd, unsigned long request, long into)',
  ),
  flistxattr: declare<(fd: number, into: number, length: number) => number>(
    'long flistxattr(int fd, long into, size_t length)',
  ),
  llistxattr: declare<(path: number, into: number, length: number) => number>(
    'long llistxattr(long path, long into, size_t length)',
  ),
  fgetxattr: declare<(fd: number, name: number, into: number, length: number) => number>(
    'long fgetxattr(int fd, long name, long into, size_t length)',
  ),
  lgetxattr: declare<(path: number, name: number, into: number, length: number) => number>(
    'long lgetxattr(long path, long name, long into, size_t length)',
  ),
};

function declareGetdents(): (fd: number, into: number, length: number) => number {
  try {
    return declare('long getdents64(int fd, long into, size_t length)');
  } catch {
    // musl since 1.2.4 has it under this name only, with 64-bit offsets as everywhere there.
    return declare('long getdents(int fd, long into, size_t length)');
  }
}

/** The result, or the negative errno. */
function answer(result: number): number {
  return result === -1 ? -lastErrno() : result;
}

/** openat(2): a file descriptor. */
export function openAt(dirfd: number, path: number, flags: number): number {
  return answer(c.openat(dirfd, path, flags, 0));
}

const how = allocateMemory(24);

/** openat2(2) that refuses any symbolic link on the way with ELOOP; ENOSYS before Linux 5.6 and where it is filtered. */
export function openAtNoSymlinks(dirfd: number, path: number, flags: number): number {
  how.bytes.writeBigUInt64LE(BigInt(flags), 0);
  how.bytes.writeBigUInt64LE(RESOLVE_NO_SYMLINKS, 16);
  return answer(c.syscall(SYS_OPENAT2, dirfd, path, how.address, 24));
}

/** close(2); Linux frees the descriptor whatever it answers. */
export function closeFd(fd: number): void {
  c.close(fd);
}

/** getdents64(2): bytes of directory entries, 0 at the end. */
export function getDents(fd: number, into: number, lengthBytes: number): number {
  return answer(c.getdents64(fd, into, lengthBytes));
}

/** statx(2) of the basic fields. */
export function statX(dirfd: number, path: number, flags: number, into: number): number {
  return answer(c.statx(dirfd, path, flags, STATX_WANTED, into));
}

/** read(2): bytes read, 0 at the end. */
export function readFd(fd: number, into: number, lengthBytes: number): number {
  return answer(c.read(fd, into, lengthBytes));
}

/** lseek(2): the new offset; -ENXIO from SEEK_DATA when nothing but a hole follows. */
export function seek(fd: number, offset: number, whence: number): number {
  return answer(c.lseek(fd, offset, whence));
}

/** readlinkat(2): the length of the target. */
export function readLinkAt(dirfd: number, path: number, into: number, lengthBytes: number): number {
  return answer(c.readlinkat(dirfd, path, into, lengthBytes));
}

/** FS_IOC_GETFLAGS of ioctl_iflags(2) into 8 bytes. */
export function getFlags(fd: number, into: number): number {
  return answer(c.ioctl(fd, FS_IOC_GETFLAGS, into));
}

/** flistxattr(2): the length of the NUL-terminated names. */
export function listXattrsOfFd(fd: number, into: number, lengthBytes: number): number {
  return answer(c.flistxattr(fd, into, lengthBytes));
}

/** llistxattr(2), for what cannot be opened. */
export function listXattrsOfPath(path: number, into: number, lengthBytes: number): number {
  return answer(c.llistxattr(path, into, lengthBytes));
}

/** fgetxattr(2): the length of the value. */
export function getXattrOfFd(fd: number, name: number, into: number, lengthBytes: number): number {
  return answer(c.fgetxattr(fd, name, into, lengthBytes));
}

/** lgetxattr(2) */
export function getXattrOfPath(path: number, name: number, into: number, lengthBytes: number): number {
  return answer(c.lgetxattr(path, name, into, lengthBytes));
}
