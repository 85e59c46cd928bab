// Directories that others own, by path: whoever can put a link in their place must not lead the marks of this program elsewhere.
import { closeSync, constants, openSync, readdirSync } from 'node:fs';
import { type BytePath, pathFromLatin1, pathToBytes } from '../domain/path.ts';
import { O_PATH, pathOfFd } from '../libc/handle.ts';

/**
 * Opens a directory that is where its path says, without a link on the way, and hands over a descriptor (O_PATH) of it.
 * Undefined when there is none, or it cannot be opened: others may provoke any errno.
 */
export function withDirectory<T>(dir: BytePath, use: (fd: number) => T): T | undefined {
  let fd: number;
  try {
    fd = openSync(pathToBytes(dir), O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch {
    return undefined;
  }
  try {
    return pathOfFd(fd) === dir ? use(fd) : undefined;
  } finally {
    closeSync(fd);
  }
}

/** The names of the directories in it; none when it cannot be read. */
export function directoriesIn(fd: number): BytePath[] {
  try {
    const entries = readdirSync(`/proc/self/fd/${fd}`, { withFileTypes: true, encoding: 'latin1' });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => pathFromLatin1(entry.name));
  } catch {
    return [];
  }
}
