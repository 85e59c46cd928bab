// What statx(2) does not say of an inode: opening it, its flags, its target.
import { constants } from 'node:os';
import { allocateMemory, DIRECTORY_FLAGS, FILE_FLAGS, getFlags, O_NOATIME, openAt, readLinkAt } from '../libc/file.ts';

const { EINVAL, ENAMETOOLONG, ENOSYS, ENOTTY, EOPNOTSUPP, EPERM } = constants.errno;
const TARGET_BYTES = 4096;

/** Flags that come and go by themselves, linux/fs.h: DIRTY, COMPRBLK, INDEX, HUGE_FILE, EXTENT, EA_INODE, EOFBLOCKS, INLINE_DATA. */
const VOLATILE_FLAGS = 0x100 | 0x200 | 0x1000 | 0x40000 | 0x80000 | 0x200000 | 0x400000 | 0x10000000;

const value = allocateMemory(TARGET_BYTES);

let noAtime = O_NOATIME;

/** Opens for reading, without blocking and without a trace: a descriptor or the negative errno. */
export function openEntry(dirfd: number, name: number, isDirectory: boolean): number {
  const flags = isDirectory ? DIRECTORY_FLAGS : FILE_FLAGS;
  const fd = openAt(dirfd, name, flags | noAtime);
  if (fd !== -EPERM || noAtime === 0) return fd;
  const second = openAt(dirfd, name, flags);
  // Only an owner may ask for O_NOATIME: whoever is refused once is not root, and asking each time would double the calls.
  if (second >= 0) noAtime = 0;
  return second;
}

/** The inode flags of an open file that a user sets; 0 where the filesystem has none; or the negative errno. */
export function readFlags(fd: number): number {
  const result = getFlags(fd, value.address);
  if (result === 0) return (value.bytes.readUInt32LE(0) & ~VOLATILE_FLAGS) >>> 0;
  const unsupported = [ENOTTY, EOPNOTSUPP, EINVAL, ENOSYS, EPERM].includes(-result);
  return unsupported ? 0 : result;
}

/** The target of a symbolic link, or the positive errno; EINVAL: it is no link. */
export function readTarget(dirfd: number, name: number): Uint8Array | number {
  const length = readLinkAt(dirfd, name, value.address, TARGET_BYTES);
  if (length < 0) return -length;
  return length === TARGET_BYTES ? ENAMETOOLONG : Buffer.from(value.bytes.subarray(0, length));
}
