// What SQLite's result codes mean for a person (sqlite.org/rescode.html).
import { AppError } from '../domain/errors.ts';
import { escapePath } from '../domain/escape.ts';
import type { BytePath } from '../domain/path.ts';

/** A baseline that cannot be believed; `what` says which part, e.g. 'page of /etc does not match its seal'. */
export function untrusted(what: string, cause?: unknown): AppError {
  return new AppError('BASELINE_UNTRUSTED', `baseline cannot be trusted: ${what}`, {
    hint: 'keep the file for examination, restore it from a backup or run `driftline init` with a new one',
    cause,
  });
}

/** Whatever the driver threw, as an AppError. */
export function failure(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof AppError || !('code' in error)) return error;
  // An integer beyond 2^53: nothing that we write comes near, so the stored value is damaged.
  if (error.code === 'ERR_OUT_OF_RANGE') return untrusted(error.message, error);
  if (error.code !== 'ERR_SQLITE_ERROR') return error;
  if (numberOf(error, 'errcode') === READONLY_ROLLBACK) return cutShort(error);
  const result = numberOf(error, 'errcode') & 0xff;
  return fromResult(result === 0 ? resultOf(error.message) : result, numberOf(error, 'systemErrno'), error);
}

/** SQLITE_READONLY_ROLLBACK: a rollback journal waits, which is in use until the first generation is whole (driver.ts, useLog). */
const READONLY_ROLLBACK = 776;

const SUBJECT = 'baseline ';

/** What `task` returns; what it throws says which baseline it speaks of. */
export function named<T>(path: BytePath, task: () => T): T {
  try {
    return task();
  } catch (error) {
    const name = escapePath(path);
    if (!(error instanceof AppError && error.message.startsWith(SUBJECT)) || error.message.includes(name)) throw error;
    const { code, message, hint, cause } = error;
    throw new AppError(code, `${SUBJECT}${name} ${message.slice(SUBJECT.length)}`, { ...(hint && { hint }), cause });
  }
}

/** No generation was ever committed: `init` was ended before. */
export function neverFinished(): AppError {
  return new AppError('BASELINE_MISSING', 'baseline was never finished', { hint: 'run `driftline init`' });
}

/** The first generation was not committed, or only just: who may write to the file can tell. */
function cutShort(cause: unknown): AppError {
  return new AppError('BASELINE_MISSING', 'baseline was left in the middle of `init`', {
    hint: 'run `driftline init`: it makes the baseline, or says that it is there',
    cause,
  });
}

/** `all` of @photostructure/sqlite 1.2.1 throws without a result code; then the text of sqlite3_errstr tells. */
function resultOf(message: string): number {
  return RESULTS.find(([text]) => message.startsWith(text))?.[1] ?? 0;
}

const RESULTS: readonly (readonly [string, number])[] = [
  ['database is locked', 5],
  ['database table is locked', 6],
  ['out of memory', 7],
  ['attempt to write a readonly database', 8],
  ['disk I/O error', 10],
  ['database disk image is malformed', 11],
  ['database or disk is full', 13],
  ['unable to open database file', 14],
  ['file is not a database', 26],
];

const EACCES = 13;

function fromResult(result: number, errno: number, cause: Error): AppError {
  switch (result) {
    case 5: // BUSY
    case 6: // LOCKED
      return new AppError('BUSY', `baseline is in use: ${cause.message}`, {
        hint: 'another driftline is writing to it; try again, or go through the running `driftline watch`',
        cause,
      });
    case 11: // CORRUPT
    case 26: // NOTADB
      return untrusted(cause.message, cause);
    case 13: // FULL
      return new AppError('IO', `baseline cannot be written: ${cause.message}`, {
        hint: 'free some space on its filesystem; what was committed before is intact',
        cause,
      });
    case 3: // PERM
    case 23: // AUTH
      return new AppError('NO_PERMISSION', `baseline cannot be used: ${cause.message}`, { cause });
    case 7: // NOMEM
    case 8: // READONLY
    case 10: // IOERR
    case 14: // CANTOPEN
      return errno === EACCES
        ? new AppError('NO_PERMISSION', `baseline cannot be opened: ${cause.message}`, { cause })
        : new AppError('IO', `baseline cannot be used: ${cause.message}`, { cause });
    default:
      return new AppError('INTERNAL', `internal error: sqlite: ${cause.message}`, { cause });
  }
}

function numberOf(error: object, key: string): number {
  const value = (error as Readonly<Record<string, unknown>>)[key];
  return typeof value === 'number' ? value : 0;
}
