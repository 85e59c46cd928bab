// The one table from error to exit status (sysexits(3)); --help, the manual page and a test show it.
import { AppError, type AppErrorCode, errorCode, SystemError } from '../domain/errors.ts';

const CODES: Readonly<Record<AppErrorCode, number>> = {
  USAGE: 64,
  BASELINE_MISSING: 65,
  BASELINE_UNTRUSTED: 65,
  INTERNAL: 70,
  BASELINE_EXISTS: 73,
  CANNOT_CREATE: 73,
  IO: 74,
  BUSY: 75,
  STALE: 75,
  NO_PERMISSION: 77,
  CONFIG: 78,
  // As env(1), timeout(1) and shells have it.
  PROGRAM_UNUSABLE: 126,
  PROGRAM_MISSING: 127,
};

/** Exit status and meaning, as --help prints them. */
export const EXIT_TABLE: readonly (readonly [status: string, meaning: string])[] = [
  ['0', 'no drift; done'],
  ['1 + 2 + 4 + 8', 'check: the sum of 1 added, 2 removed, 4 changed or moved, 8 incomplete'],
  ['2', 'trace: nothing happened within --seconds'],
  ['8', 'status: the watch does not see something that is there'],
  ['124', 'run --once: the command timed out; else its own status'],
  ['64', 'usage'],
  ['65', 'no trustworthy baseline'],
  ['70', 'internal error'],
  ['73', 'cannot create'],
  ['74', 'input or output failed'],
  ['75', 'busy or changed meanwhile, try again'],
  ['77', 'permission or capability missing'],
  ['78', 'configuration'],
  ['126', 'run: the command cannot be executed'],
  ['127', 'run: there is no such command'],
  ['128 + n', 'ended by signal n'],
];

export function exitCodeOf(error: unknown): number {
  if (error instanceof AppError) return CODES[error.code];
  if (error instanceof SystemError || isNodeSystemError(error)) {
    return errorCode(error) === 'EACCES' || errorCode(error) === 'EPERM' ? CODES.NO_PERMISSION : CODES.IO;
  }
  return CODES.INTERNAL;
}

function isNodeSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && 'errno' in error;
}
