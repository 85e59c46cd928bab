// What a permission responder is told, with its defaults.
import { AppError } from '../../domain/errors.ts';
import type { BytePath } from '../../domain/path.ts';
import { FAN_ALLOW, FAN_DENY } from '../abi.ts';
import type { AuditRule, Verdict } from '../response.ts';
import type { Ask, ResponderSettings } from './messages.ts';

export interface PermissionMark {
  /** FAN_MARK_FILESYSTEM, FAN_MARK_MOUNT or FAN_MARK_INODE, and modifiers; without the command. */
  readonly flags: number;
  /** FAN_OPEN_PERM, FAN_OPEN_EXEC_PERM, FAN_ACCESS_PERM, FAN_PRE_ACCESS; FAN_ONDIR, FAN_EVENT_ON_CHILD. */
  readonly mask: number;
  readonly path: BytePath;
}

/** One process that waits. */
export interface PermissionRequest {
  readonly mask: number;
  readonly pid: number;
  /**
   * The object, open for reading without raising events; on loan: valid until `decide` settles, then closed. Read with
   * explicit positions, never close it.
   */
  readonly fd: number;
  /** Its path as this process sees it, ` (deleted)` appended for a removed file; undefined beyond 4096 bytes. */
  readonly path: BytePath | undefined;
  /** FAN_PRE_ACCESS only, where the kernel says: which bytes are about to be read or written, rounded to pages. */
  readonly range: Ask['range'];
}

/** A bare verdict may be kept for the file. */
export type PermissionDecision =
  | Verdict
  | {
      readonly verdict: Verdict;
      /** False for a verdict that depends on the process or the moment. Default true. */
      readonly cache?: boolean;
      /** Named in the audit record, if one is written; Linux 6.3. */
      readonly auditRule?: AuditRule;
    };

export type PermissionProblem =
  /** `decide` threw; the answer was that of `failure`. */
  | { readonly kind: 'failed'; readonly error: unknown }
  /** The kernel took the verdict only without its errno or its audit rule, or not at all (then that of `failure`). */
  | { readonly kind: 'refused'; readonly error: Error; readonly verdict: Verdict }
  /** The thread ended by itself. The group is closed: everything is allowed from now on. */
  | { readonly kind: 'stopped'; readonly error: Error };

export interface PermissionOptions {
  /** Set when the thread is ready; more with `mark`. */
  readonly marks: readonly PermissionMark[];
  /** Runs on the calling thread, several at once. A rejection counts as a failure. */
  readonly decide: (request: PermissionRequest) => PermissionDecision | Promise<PermissionDecision>;
  /** The longest that a process waits for `decide`, in ms, as long as this process runs at all. */
  readonly deadlineMs: number;
  readonly onDeadline: 'allow' | 'deny';
  /**
   * `open` allows, `closed` denies, when `decide` fails, when `maxAsked` are being decided, and what waits at `close` or
   * at the end of the process by itself (also by an uncaught exception). Of a process that is killed nothing
   * is left to deny: see PermissionResponder.
   */
  readonly failure: 'open' | 'closed';
  /** Requests that may be with `decide` at a time, each with an open descriptor. Default 256. */
  readonly maxAsked?: number;
  /**
   * Verdicts kept, 0 for none; default 65,536. Kept by file (handle), event bits and range until the file's mtime, ctime
   * or size differ. Stores through a mapping that was written to before change no time until the pages are written back.
   */
  readonly cacheEntries?: number;
  /** FAN_CLASS_PRE_CONTENT: asked before other groups, FAN_PRE_ACCESS (Linux 6.14) and FAN_DENY_ERRNO. Default false. */
  readonly preContent?: boolean;
  /** Which answers make an audit record; needs CAP_AUDIT_WRITE. Default `none`. */
  readonly audit?: 'none' | 'denied' | 'all';
  /**
   * Allow what was started by this process, directly or not, as if it were this process; for a `decide` that runs
   * programs. Default false. Costs a look into /proc per event.
   */
  readonly allowDescendants?: boolean;
  /** What went wrong without ending in an exception. Must not throw. */
  readonly onProblem?: (problem: PermissionProblem) => void;
}

type Settings = Omit<ResponderSettings, 'groupFd' | 'wakeFd' | 'control' | 'counts'>;

/** Throws AppError USAGE. */
export function settingsOf(options: PermissionOptions): Settings {
  const { deadlineMs, onDeadline, failure, maxAsked = 256, cacheEntries = 65_536 } = options;
  if (!(deadlineMs > 0 && deadlineMs < Number.POSITIVE_INFINITY)) throw wrong('deadlineMs', deadlineMs);
  if (!Number.isSafeInteger(maxAsked) || maxAsked < 1) throw wrong('maxAsked', maxAsked);
  if (!Number.isSafeInteger(cacheEntries) || cacheEntries < 0) throw wrong('cacheEntries', cacheEntries);
  return {
    deadlineMs,
    deadlineVerdict: onDeadline === 'allow' ? FAN_ALLOW : FAN_DENY,
    failureVerdict: failure === 'open' ? FAN_ALLOW : FAN_DENY,
    maxAsked,
    cacheEntries,
    audit: options.audit ?? 'none',
    allowDescendants: options.allowDescendants ?? false,
  };
}

function wrong(option: string, value: number): AppError {
  return new AppError('USAGE', `${option} cannot be ${value}`);
}
