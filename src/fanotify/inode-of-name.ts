// The inode that a name stands for: statx(2) in reused memory, for questions that come with every event.
import { inodeKeyOf } from '../domain/inode-table.ts';
import type { BytePath } from '../domain/path.ts';
import { AT_FDCWD, allocateMemory } from '../libc/file.ts';
import { allocateStat, statName, WORD } from '../libc/statx.ts';

/** The kernel takes no longer path, its NUL included (PATH_MAX of linux/limits.h). */
const PATH_BYTES = 4096;

const stat = allocateStat();
const name = allocateMemory(PATH_BYTES);

/**
 * The `inodeKey` of what has the name, a symbolic link itself; undefined when nothing can be had of it: it is gone, or whatever errno
 * the owner of a directory above makes of it.
 */
export function keyOfName(path: BytePath): number | undefined {
  return look(path) ? inodeKeyOf(stat.u32[WORD.ino] ?? 0, stat.u32[WORD.ino + 1] ?? 0) : undefined;
}

/** The same, if it has no other name. */
export function keyOfLoneName(path: BytePath): number | undefined {
  const key = keyOfName(path);
  return key !== undefined && stat.u32[WORD.nlink] === 1 ? key : undefined;
}

function look(path: BytePath): boolean {
  if (path.length >= PATH_BYTES) return false;
  name.bytes[name.bytes.write(path, 'latin1')] = 0;
  return statName(stat, AT_FDCWD, name.address) === 0;
}
