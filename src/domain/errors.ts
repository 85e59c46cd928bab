// The two kinds of failure (style: drift is a value, failure is an exception).
import { constants } from 'node:os';

/** Closed list of reasons why a command fails; `cli/exit-codes.ts` maps each to a sysexits(3) number. */
export type AppErrorCode =
  | 'USAGE'
  | 'BASELINE_MISSING'
  | 'BASELINE_EXISTS'
  | 'BASELINE_UNTRUSTED'
  | 'CANNOT_CREATE'
  | 'IO'
  | 'BUSY'
  | 'STALE'
  | 'NO_PERMISSION'
  | 'PROGRAM_MISSING'
  | 'PROGRAM_UNUSABLE'
  | 'CONFIG'
  | 'INTERNAL';

export interface AppErrorDetail {
  /** What the reader can do about it, one sentence in lower case. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** A failure that ends the command: `message` says what failed, `hint` what to do. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: AppErrorCode;
  readonly hint: string | undefined;

  constructor(code: AppErrorCode, message: string, detail: AppErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.hint = detail.hint;
  }
}

export interface SystemErrorDetail {
  readonly path?: string;
  /** The call's flags as the manual page names them. */
  readonly flags?: string;
  readonly hint?: string;
}

/** A failed system call in Node's own shape: `code` 'EPERM', `errno` 1 (positive), `syscall` 'openat', `path` as text. */
export class SystemError extends Error {
  override readonly name = 'SystemError';
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly path: string | undefined;
  readonly flags: string | undefined;
  readonly hint: string | undefined;

  constructor(syscall: string, errno: number, detail: SystemErrorDetail = {}) {
    const code = errnoName(errno);
    super(`${syscall}: ${code}${detail.path === undefined ? '' : `, ${detail.path}`}`);
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
    this.path = detail.path;
    this.flags = detail.flags;
    this.hint = detail.hint;
  }
}

const ERRNO_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno).map(([name, value]): [number, string] => [value, name]),
);

/** 2 -> 'ENOENT'; numbers that the C library does not name become 'E<number>'. */
export function errnoName(errno: number): string {
  return ERRNO_NAMES.get(errno) ?? `E${errno}`;
}

/** The `code` of a Node or driftline error, or undefined. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The message of anything that was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
