// Who can change a file can also change any directory above it, or a symlink on the way: whoever runs with privileges reads
// its configuration and starts its hooks only along a path that nobody else can bend.
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { AppError, type AppErrorCode, errorCode, errorMessage } from '../domain/errors.ts';
import { escapePath } from '../domain/escape.ts';
import { type BytePath, dirOf, joinPath, pathFromBytes, pathToBytes, ROOT } from '../domain/path.ts';

/** As many symlinks as the kernel follows (path_resolution(7)). */
export const LINKS_MAX = 40;

/** Who may own components: root and the running user, unless a test says otherwise. */
export interface Trust {
  readonly euid?: number;
  /** The code of what is thrown; CONFIG unless it is said. */
  readonly code?: AppErrorCode;
  /** The path is a directory in which something of ours lies: then it may be sticky itself. */
  readonly isDirectory?: boolean;
}

/**
 * Follows an absolute path from `/`, through symlinks, and throws AppError at the first component that is not owned by root or
 * the running user, or that group or others may write to. A sticky directory such as /tmp is accepted when something follows:
 * nobody else can replace what we own in it (inode(7), S_ISVTX). Returns the path with all symlinks resolved.
 *
 * @param what names the thing in messages, e.g. 'configuration'.
 */
export function assertTrusted(path: BytePath, what: string, trust: Trust = {}): BytePath {
  const euid = trust.euid ?? process.geteuid?.() ?? 0;
  const subject = `${what} ${escapePath(path)}`;
  const refuse = (problem: string, hint?: string, cause?: unknown): never => {
    throw new AppError(trust.code ?? 'CONFIG', `${subject}: ${problem}`, {
      ...(hint !== undefined && { hint }),
      cause,
    });
  };
  const ask = <T>(where: BytePath, question: (path: Buffer) => T): T => {
    try {
      return question(pathToBytes(where));
    } catch (error) {
      return refuse(`${errorCode(error) ?? errorMessage(error)} at ${escapePath(where)}`, undefined, error);
    }
  };
  const pending = componentsOf(path).reverse();
  let at = ROOT;
  let links = 0;
  const judge = (where: BytePath): Stats => {
    const stats = ask(where, readStats);
    const distrust = distrustOf(where, stats, euid, pending.length > 0 || trust.isDirectory === true);
    return distrust === undefined ? stats : refuse(distrust.problem, distrust.hint);
  };
  judge(at);
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === '..') {
      at = at === ROOT ? ROOT : dirOf(at);
      continue;
    }
    const next = joinPath(at, name as BytePath);
    if (!judge(next).isSymbolicLink()) {
      at = next;
      continue;
    }
    if (++links > LINKS_MAX) refuse(`too many symlinks at ${escapePath(next)}`);
    const target = pathFromBytes(ask(next, readBytesOfLink));
    if (target.startsWith('/')) at = ROOT;
    pending.push(...componentsOf(target).reverse());
  }
  return at;
}

export function componentsOf(path: BytePath): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function readStats(path: Buffer): Stats {
  return lstatSync(path);
}

function readBytesOfLink(path: Buffer): Buffer {
  return readlinkSync(path, 'buffer');
}

export interface Distrust {
  readonly problem: string;
  readonly hint: string;
}

/** Why others could change what is at `where`; `isFollowed`: the path goes on in it. */
export function distrustOf(where: BytePath, stats: Stats, euid: number, isFollowed: boolean): Distrust | undefined {
  const shown = escapePath(where);
  if (!isSafeOwner(stats, euid)) {
    return {
      problem: `${shown} is owned by uid ${stats.uid} (mode ${octal(stats)})`,
      hint: `whoever owns it can replace it: chown ${euid === 0 ? 'root' : euid} ${shown}`,
    };
  }
  // A symlink's own mode means nothing.
  if (stats.isSymbolicLink() || (isFollowed ? isSafeDirectory(stats) : !isWritable(stats))) return undefined;
  return {
    problem: `${shown} can be written by others (mode ${octal(stats)}, uid ${stats.uid})`,
    hint: `chmod go-w ${shown}`,
  };
}

export function isSafeOwner({ uid }: Stats, euid: number): boolean {
  return uid === 0 || uid === euid;
}

/** A sticky directory lets nobody rename or remove what others own. */
export function isSafeDirectory(stats: Stats): boolean {
  return !isWritable(stats) || (stats.isDirectory() && (stats.mode & 0o1000) !== 0);
}

function isWritable({ mode }: Stats): boolean {
  return (mode & 0o022) !== 0;
}

function octal(stats: Stats): string {
  return `0${(stats.mode & 0o7777).toString(8)}`;
}
