// Directories that lie deeper than a path can say: /proc/self/fd gives no path beyond PATH_MAX (readlink(2): ENAMETOOLONG), so
// their names are looked up one by one on the way to where it does.
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync } from 'node:fs';
import { O_PATH, pathOfFd } from '../libc/handle.ts';

const BESIDE = O_PATH | constants.O_DIRECTORY;

/** The directory's path, latin1, of any length; undefined when it or one above it is gone, or when it is no directory. */
export function longPathOfFd(fd: number): string | undefined {
  const names: string[] = [];
  const opened: number[] = [];
  try {
    for (let at = fd; ; ) {
      const path = pathOfFd(at);
      if (path !== undefined) return [path, ...names.reverse()].join('/');
      const parent = openSync(`/proc/self/fd/${at}/..`, BESIDE);
      opened.push(parent);
      const name = nameIn(parent, at);
      if (name === undefined) return undefined;
      names.push(name);
      at = parent;
    }
  } catch {
    // ENOENT, ENOTDIR: removed meanwhile, or not a directory; then it has no path.
    return undefined;
  } finally {
    for (const parent of opened) closeSync(parent);
  }
}

function nameIn(parent: number, child: number): string | undefined {
  const { dev, ino } = fstatSync(child, { bigint: true });
  const dir = Buffer.from(`/proc/self/fd/${parent}/`);
  const isChild = (name: Buffer): boolean => {
    const found = lstatSync(Buffer.concat([dir, name]), { bigint: true, throwIfNoEntry: false });
    return found !== undefined && found.ino === ino && found.dev === dev;
  };
  return readdirSync(dir, { encoding: 'buffer' }).find(isChild)?.toString('latin1');
}
