// What the fields of struct statx say of a file.
import { S_IFMT } from '../domain/packed.ts';
import { type Stat, WORD } from '../libc/statx.ts';

/** Opening such a directory mounts what belongs there. */
const STATX_ATTR_AUTOMOUNT = 0x1000;

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

const NS_PER_S = 1e9;
const HIGH = 0x1_0000_0000;
const HALF = 0x1_0000;

/**
 * Writes a time as nanoseconds since the epoch (i64) to the words from `to` on; `at`: where it begins. The product of halves of the
 * seconds fits a double: a big integer would have to be allocated.
 */
export function writeTimeNs(stat: Stat, at: number, words: Uint32Array, to: number): void {
  const seconds = word(stat, at);
  const upper = (seconds >>> 16) * NS_PER_S;
  const lower = (upper % HALF) * HALF + (seconds & 0xffff) * NS_PER_S + word(stat, at + 2);
  words[to] = lower % HIGH;
  // Of seconds before 1970 or after 2106: modulo 2^64, as their product would be.
  words[to + 1] = Math.floor(upper / HALF) + Math.floor(lower / HIGH) + Math.imul(word(stat, at + 1), NS_PER_S);
}

/** Two changes within one tick of the kernel's clock (HZ=100 is 10 ms) can have the same time. */
const TICK_MS = 20;
/** Filesystems that keep whole seconds (ext4 with small inodes), or two (FAT). */
const COARSE_TICK_MS = 2_100;

/** Whether any further change from `nowMs` on is sure to have another ctime; as `racily clean` entries of git's index are not. */
export function isSettled(stat: Stat, nowMs: number): boolean {
  const nanoseconds = word(stat, WORD.ctime + 2);
  const changedMs = (word(stat, WORD.ctime + 1) * HIGH + word(stat, WORD.ctime)) * 1e3 + nanoseconds / 1e6;
  const tickMs = nanoseconds % 1e6 === 0 ? COARSE_TICK_MS : TICK_MS;
  // What is as far in the future as this was changed before 1970, on a filesystem that knows such times.
  return changedMs < nowMs - tickMs || changedMs >= 2 ** 63;
}

const NAMES = [WORD.devMajor, WORD.devMinor, WORD.ino, WORD.ino + 1, WORD.btime, WORD.btime + 2];

/** Names the object for good, on filesystems that tell when it was made; on others until its inode is given to another one. */
export function objectKey(stat: Stat): string {
  return NAMES.map((at) => word(stat, at)).join(':');
}

export function isAutomount(stat: Stat): boolean {
  return (word(stat, WORD.attributes) & STATX_ATTR_AUTOMOUNT) !== 0;
}

export function isSameDevice(a: Stat, b: Stat): boolean {
  return word(a, WORD.devMajor) === word(b, WORD.devMajor) && word(a, WORD.devMinor) === word(b, WORD.devMinor);
}

/** The same object, and nothing happened to it in between (ctime follows every change of the inode). */
export function isSameState({ u32: a }: Stat, { u32: b }: Stat): boolean {
  // One expression: this is asked of every file, and a loop over a list of words is slow until it is compiled.
  return (
    a[WORD.mode] === b[WORD.mode] &&
    isSameLong(a, b, WORD.ino) &&
    isSameLong(a, b, WORD.devMajor) &&
    isSameLong(a, b, WORD.size) &&
    isSameTime(a, b, WORD.ctime) &&
    isSameTime(a, b, WORD.mtime)
  );
}

/** The same object with more in it. */
export function isLonger(before: Stat, after: Stat): boolean {
  const isSame = statMode(before) === statMode(after) && isSameLong(before.u32, after.u32, WORD.ino);
  return isSame && isSameDevice(before, after) && statSize(after) > statSize(before);
}

function isSameTime(a: Uint32Array, b: Uint32Array, at: number): boolean {
  return isSameLong(a, b, at) && a[at + 2] === b[at + 2];
}

function isSameLong(a: Uint32Array, b: Uint32Array, at: number): boolean {
  return a[at] === b[at] && a[at + 1] === b[at + 1];
}
