// Who can change a file can also change any directory above it, or a symlink on the way: whoever runs with privileges reads
// its configuration and starts its hooks only along a path that nobody else can bend.
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { AppError, errorCode, errorMessage } from '../domain/errors.ts';
import { escapePath } from '../domain/escape.ts';
import { type BytePath, dirOf, joinPath, pathFromBytes, pathToBytes, ROOT } from '../domain/path.ts';

/** As many symlinks as the kernel follows (path_resolution(7)). */
const LINKS_MAX = 40;

/** Who may own components: root and the running user, unless a test says otherwise. */
export interface Trust {
  readonly euid?: number;
}

/**
 * Follows an absolute path from `/`, through symlinks, and throws CONFIG at the first component that is not owned by root or
 * the running user, or that group or others may write to. A sticky directory such as /tmp is accepted when something follows:
 * nobody else can replace what we own in it (inode(7), S_ISVTX). Returns the path with all symlinks resolved.
 *
 * @param what names the thing in messages, e.g. 'configuration'.
 */
export function assertTrusted(path: BytePath, what: string, trust: Trust = {}): BytePath {
  const euid = trust.euid ?? process.geteuid?.() ?? 0;
  const subject = `${what} ${escapePath(path)}`;
  const pending = componentsOf(path).reverse();
  let at = ROOT;
  let links = 0;
  judge(subject, at, ask(subject, at, readStats), pending.length === 0, euid);
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === '..') {
      at = at === ROOT ? ROOT : dirOf(at);
      continue;
    }
    const next = joinPath(at, name as BytePath);
    const stats = ask(subject, next, readStats);
    judge(subject, next, stats, pending.length === 0, euid);
    if (!stats.isSymbolicLink()) {
      at = next;
      continue;
    }
    if (++links > LINKS_MAX) throw new AppError('CONFIG', `${subject}: too many symlinks at ${escapePath(next)}`);
    const target = pathFromBytes(ask(subject, next, readBytesOfLink));
    if (target.startsWith('/')) at = ROOT;
    pending.push(...componentsOf(target).reverse());
  }
  return at;
}

function componentsOf(path: BytePath): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function ask<T>(subject: string, at: BytePath, question: (path: Buffer) => T): T {
  try {
    return question(pathToBytes(at));
  } catch (error) {
    const code = errorCode(error) ?? errorMessage(error);
    throw new AppError('CONFIG', `${subject}: ${code} at ${escapePath(at)}`, { cause: error });
  }
}

function readStats(path: Buffer): Stats {
  return lstatSync(path);
}

function readBytesOfLink(path: Buffer): Buffer {
  return readlinkSync(path, 'buffer');
}

function judge(subject: string, at: BytePath, stats: Stats, isLast: boolean, euid: number): void {
  const where = escapePath(at);
  if (stats.uid !== 0 && stats.uid !== euid) {
    throw new AppError('CONFIG', `${subject}: ${where} is owned by uid ${stats.uid} (mode ${octal(stats)})`, {
      hint: `whoever owns it can replace it: chown ${euid === 0 ? 'root' : euid} ${where}`,
    });
  }
  // A symlink's own mode means nothing; a sticky directory lets nobody rename or remove what others own.
  const isSafe = stats.isSymbolicLink() || (stats.isDirectory() && !isLast && (stats.mode & 0o1000) !== 0);
  if (isSafe || (stats.mode & 0o022) === 0) return;
  throw new AppError(
    'CONFIG',
    `${subject}: ${where} can be written by others (mode ${octal(stats)}, uid ${stats.uid})`,
    {
      hint: `chmod go-w ${where}`,
    },
  );
}

function octal(stats: Stats): string {
  return `0${(stats.mode & 0o7777).toString(8)}`;
}
