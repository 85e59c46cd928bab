// Opening a directory by its path, whatever its length, and listing its names.
import { constants } from 'node:os';
import { type BytePath, ROOT } from '../domain/path.ts';
import {
  AT_FDCWD,
  allocateMemory,
  closeFd,
  DIRECTORY_FLAGS,
  getDents,
  O_NOATIME,
  openAt,
  openAtNoSymlinks,
} from '../libc/file.ts';
import { sortNames } from './sort-names.ts';

const { EPERM, ENOSYS, ELOOP, ENOENT, ENOTDIR } = constants.errno;

/** PATH_MAX of linux/limits.h counts the NUL. */
const PATH_MAX = 4096;
const path = allocateMemory(PATH_MAX);

type Open = (dirfd: number, path: number, flags: number) => number;

/**
 * Opens a directory for reading: a descriptor or the negative errno. No symbolic link on the way is ever followed (-ELOOP or
 * -ENOTDIR), so that nobody can swap a directory for a link to another tree; rule paths come with their links resolved.
 */
export function openDirectory(dir: BytePath): number {
  return openSteps(dir, openStrictly, DIRECTORY_FLAGS);
}

function openStrictly(dirfd: number, address: number, flags: number): number {
  const fd = openAtNoSymlinks(dirfd, address, flags);
  return fd === -ENOSYS ? openAt(dirfd, address, flags) : fd;
}

/** A path longer than PATH_MAX is opened in pieces, each relative to the one before. */
function openSteps(dir: string, open: Open, flags: number, from = AT_FDCWD): number {
  if (dir.length < PATH_MAX) return openPiece(from, dir, open, flags);
  const cut = dir.lastIndexOf('/', PATH_MAX - 2);
  const upper = openPiece(from, dir.slice(0, cut), open, flags);
  if (upper < 0) return upper;
  const fd = openSteps(dir.slice(cut + 1), open, flags, upper);
  closeFd(upper);
  return fd;
}

function openPiece(from: number, piece: string, open: Open, flags: number): number {
  path.bytes[path.bytes.write(piece, 'latin1')] = 0;
  const fd = open(from, path.address, flags | O_NOATIME);
  return fd === -EPERM ? open(from, path.address, flags) : fd;
}

/** Whether this errno (positive) means that nothing of that name is there. */
export function isAbsence(errno: number): boolean {
  return errno === ENOENT || errno === ENOTDIR || errno === ELOOP;
}

const DENTS_BYTES = 64 * 1024;
const dents = allocateMemory(DENTS_BYTES);

/** Offsets in struct linux_dirent64, getdents(2). */
const RECLEN = 16;
const NAME = 19;

/** All names of an open directory, sorted bytewise; or the positive errno. */
export function listNames(fd: number): string[] | number {
  const names: string[] = [];
  for (;;) {
    const length = getDents(fd, dents.address, DENTS_BYTES);
    if (length < 0) return -length;
    if (length === 0) break;
    addNames(names, length);
  }
  const sorted = sortNames(names);
  // A rename while the directory is read can show one name twice.
  return hasTwins(sorted) ? sorted.filter((name, index) => name !== sorted[index - 1]) : sorted;
}

/** One string for all and slices of it: a call into Node for each name costs more than the rest of this. */
function addNames(names: string[], length: number): void {
  const text = dents.bytes.toString('latin1', 0, length);
  for (let at = 0; at < length; ) {
    const start = at + NAME;
    const name = text.slice(start, text.indexOf('\0', start));
    if (name !== '.' && name !== '..') names.push(name);
    at += text.charCodeAt(at + RECLEN) | (text.charCodeAt(at + RECLEN + 1) << 8);
  }
}

function hasTwins(names: readonly string[]): boolean {
  for (let index = 1; index < names.length; index += 1) if (names[index] === names[index - 1]) return true;
  return false;
}

/** `/` of the path of an entry. */
export function prefixOf(dir: BytePath): string {
  return dir === '' ? '' : dir === ROOT ? '/' : `${dir}/`;
}
