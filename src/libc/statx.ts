// struct statx (linux/stat.h) in reused memory. Its fields are read in place, in the machine's byte order.
import { AT_EMPTY_PATH, AT_NO_AUTOMOUNT, AT_SYMLINK_NOFOLLOW, allocateMemory, STATX_BYTES, statX } from './file.ts';

export interface Stat {
  readonly address: number;
  readonly u32: Uint32Array;
}

/** Offsets into `u32`; of a 64-bit field that of its lower half. */
export const WORD = {
  attributes: 2,
  nlink: 4,
  uid: 5,
  gid: 6,
  mode: 7,
  ino: 8,
  size: 10,
  btime: 20,
  ctime: 24,
  mtime: 28,
  rdevMajor: 32,
  rdevMinor: 33,
  devMajor: 34,
  devMinor: 35,
} as const;

export function allocateStat(): Stat {
  const { bytes, address } = allocateMemory(STATX_BYTES);
  return {
    address,
    u32: new Uint32Array(bytes.buffer, bytes.byteOffset, STATX_BYTES / 4),
  };
}

/** `name`: the address of its bytes and a NUL. 0 or the negative errno. */
export function statName(into: Stat, dirfd: number, name: number): number {
  return statX(dirfd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, into.address);
}

const EMPTY = allocateMemory(1);

/** 0 or the negative errno. */
export function statFd(into: Stat, fd: number): number {
  return statX(fd, EMPTY.address, AT_EMPTY_PATH, into.address);
}
