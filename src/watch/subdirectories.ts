// The directories in a directory, for marks that are set one by one.
import { type Dirent, readdirSync } from 'node:fs';
import { type BytePath, pathFromLatin1, pathToBytes } from '../domain/path.ts';

/** Their names; none when it is gone or cannot be read: then there is nothing to mark. */
export function subdirectories(dir: BytePath): BytePath[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(pathToBytes(dir), { withFileTypes: true, encoding: 'latin1' });
  } catch {
    // Others may own it and provoke any errno.
    return [];
  }
  return entries.filter((entry) => entry.isDirectory()).map((entry) => pathFromLatin1(entry.name));
}
