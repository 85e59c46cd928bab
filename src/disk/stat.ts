// struct statx (linux/stat.h) in reused memory. Its fields are read in place, in the machine's byte order.
import { S_IFMT } from '../domain/packed.ts';
import {
  AT_EMPTY_PATH,
  AT_NO_AUTOMOUNT,
  AT_SYMLINK_NOFOLLOW,
  allocateMemory,
  STATX_BYTES,
  statX,
} from '../libc/file.ts';

export interface Stat {
  readonly address: number;
  readonly u32: Uint32Array;
  readonly i64: BigInt64Array;
}

/** Offsets into `u32`; those of 64-bit fields halve into `i64`. */
export const WORD = {
  attributes: 2,
  nlink: 4,
  uid: 5,
  gid: 6,
  mode: 7,
  ino: 8,
  size: 10,
  ctime: 24,
  mtime: 28,
  rdevMajor: 32,
  rdevMinor: 33,
  devMajor: 34,
  devMinor: 35,
} as const;

/** Opening such a directory mounts what belongs there. */
const STATX_ATTR_AUTOMOUNT = 0x1000;

export function allocateStat(): Stat {
  const { bytes, address } = allocateMemory(STATX_BYTES);
  return {
    address,
    u32: new Uint32Array(bytes.buffer, bytes.byteOffset, STATX_BYTES / 4),
    i64: new BigInt64Array(bytes.buffer, bytes.byteOffset, STATX_BYTES / 8),
  };
}

/** 0 or the negative errno. */
export function statName(into: Stat, dirfd: number, name: number): number {
  return statX(dirfd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, into.address);
}

const EMPTY = allocateMemory(1);

/** 0 or the negative errno. */
export function statFd(into: Stat, fd: number): number {
  return statX(fd, EMPTY.address, AT_EMPTY_PATH, into.address);
}

function word(stat: Stat, at: number): number {
  return stat.u32[at] ?? 0;
}

export function statMode(stat: Stat): number {
  return word(stat, WORD.mode) & 0xffff;
}

/** S_IFREG and its like, of inode(7). */
export function statFormat(stat: Stat): number {
  return word(stat, WORD.mode) & S_IFMT;
}

/** Exact up to 2^53 bytes. */
export function statSize(stat: Stat): number {
  return word(stat, WORD.size + 1) * 0x1_0000_0000 + word(stat, WORD.size);
}

const NS_PER_S = 1_000_000_000n;

/** A time in nanoseconds since the epoch; `at`: where it begins. */
export function timeNs(stat: Stat, at: number): bigint {
  return (stat.i64[at / 2] ?? 0n) * NS_PER_S + BigInt(stat.u32[at + 2] ?? 0);
}

export function isAutomount(stat: Stat): boolean {
  return (word(stat, WORD.attributes) & STATX_ATTR_AUTOMOUNT) !== 0;
}

export function isSameDevice(a: Stat, b: Stat): boolean {
  return word(a, WORD.devMajor) === word(b, WORD.devMajor) && word(a, WORD.devMinor) === word(b, WORD.devMinor);
}

const IDENTITY = [WORD.mode, WORD.ino, WORD.ino + 1, WORD.devMajor, WORD.devMinor];
const CONTENT = [WORD.size, WORD.size + 1];
const TIMES = [WORD.ctime, WORD.ctime + 1, WORD.ctime + 2, WORD.mtime, WORD.mtime + 1, WORD.mtime + 2];
const STATE = [...IDENTITY, ...CONTENT, ...TIMES];

/** The same object, and nothing happened to it in between (ctime follows every change of the inode). */
export function isSameState(a: Stat, b: Stat): boolean {
  return STATE.every((at) => a.u32[at] === b.u32[at]);
}
