// What lies at the path of a baseline, before SQLite sees it. Looks with lstat alone: opening the file and closing it again
// would drop SQLite's POSIX locks on it in this process (sqlite.org/howtocorrupt.html 2.2).
import { closeSync, constants, existsSync, lstatSync, openSync, type Stats } from 'node:fs';
import { AppError, errorCode, errorMessage } from '../domain/errors.ts';
import { escapePath } from '../domain/escape.ts';
import { type BytePath, pathToBytes } from '../domain/path.ts';
import { untrusted } from './failure.ts';

/** SQLite's unix layer takes paths of 512 bytes, `-journal` included (os_unix.c, MAX_PATHNAME). */
const PATH_BYTES_MAX = 500;

/**
 * With `create`, makes the file when it is missing, and returns whether it may be without tables: it is empty, or a rollback
 * journal is left from a crash before the first generation was whole.
 */
export function prepareFile(path: BytePath, create: boolean): boolean {
  if (path.length > PATH_BYTES_MAX || !path.startsWith('/')) {
    throw new AppError('CANNOT_CREATE', `baseline cannot be at ${escapePath(path)}`, {
      hint: `choose an absolute path of at most ${PATH_BYTES_MAX} bytes`,
    });
  }
  if (create) createMissing(path);
  const stats = statOf(path);
  if (!stats.isFile()) throw untrusted(`${escapePath(path)} is not a regular file`);
  if (stats.size === 0 && !create) throw untrusted(`${escapePath(path)} is empty`);
  return create && (stats.size === 0 || existsSync(pathToBytes(`${path}-journal` as BytePath)));
}

function createMissing(path: BytePath): void {
  try {
    closeSync(openSync(pathToBytes(path), CREATE_FLAGS, 0o600));
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return;
    throw fileError(path, 'created', error, 'CANNOT_CREATE');
  }
}

const CREATE_FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

function statOf(path: BytePath): Stats {
  try {
    return lstatSync(pathToBytes(path));
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw fileError(path, 'opened', error, 'IO');
    throw new AppError('BASELINE_MISSING', `there is no baseline ${escapePath(path)}`, {
      hint: 'run `driftline init`',
    });
  }
}

function fileError(path: BytePath, done: string, cause: unknown, otherwise: 'CANNOT_CREATE' | 'IO'): AppError {
  const denied = errorCode(cause) === 'EACCES' || errorCode(cause) === 'EPERM';
  const message = `baseline ${escapePath(path)} cannot be ${done}: ${errorMessage(cause)}`;
  return new AppError(denied ? 'NO_PERMISSION' : otherwise, message, { cause });
}
