// What this kernel lets this process do, found by trying: stable kernels carry features of later versions, and privileges
// are what the process has now. Nothing is watched meanwhile: marks are asked for on a name that cannot exist (the empty one),
// which fails with ENOENT after all that depends on kernel and privilege was checked (fanotify_mark(2)).
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { SystemError } from '../domain/errors.ts';
import type { BytePath } from '../domain/path.ts';
import { fanotifyInit, fanotifyMark } from '../libc/fanotify.ts';
import { closeFd, openHandle } from '../libc/handle.ts';
import * as abi from './abi.ts';
import { markHint } from './mark-hints.ts';
import { EVENTS, INIT_FLAGS, MARK_FLAGS, type Trial } from './probe-trials.ts';

export interface Support {
  readonly supported: boolean;
  /** The errno that says no: EINVAL for what the kernel lacks, EPERM for a missing capability; undefined for yes. */
  readonly code: string | undefined;
}

export interface Probe {
  /** By the names of the constants: FAN_REPORT_PIDFD, FAN_CLASS_CONTENT ... FAN_CLASS_NOTIF stands for a group without any flag. */
  readonly initFlags: Readonly<Record<string, Support>>;
  /** Object types among them, for files that may be read. */
  readonly markFlags: Readonly<Record<string, Support>>;
  readonly events: Readonly<Record<string, Support>>;
  /** FAN_INFO. FAN_DENY_ERRNO came with FAN_PRE_ACCESS; FAN_AUDIT goes with FAN_ENABLE_AUDIT. */
  readonly responses: Readonly<Record<string, Support>>;
  /** open_by_handle_at(2): whether events with file ids can be given paths (CAP_DAC_READ_SEARCH). */
  readonly openByHandle: Support;
  /** /proc/sys/fs/fanotify, by name: max_queued_events, max_user_groups, max_user_marks ...; none before Linux 5.13. */
  readonly limits: Readonly<Record<string, number>>;
}

/** Takes about a millisecond and leaves nothing behind. Throws SystemError when the process is out of descriptors. */
export function probe(): Probe {
  return {
    initFlags: each(INIT_FLAGS, ({ groupFlags }) => tryInit(groupFlags)),
    markFlags: each(MARK_FLAGS, tryMark),
    events: each(EVENTS, tryMark),
    responses: { FAN_INFO: tryInfoResponse() },
    openByHandle: tryOpenByHandle(),
    limits: readLimits(),
  };
}

export interface PathProbe {
  /** What a mark of this type in a group with file ids (names, renames) gets here. */
  readonly filesystem: Support & { readonly hint: string | undefined };
  readonly mount: Support & { readonly hint: string | undefined };
  readonly inode: Support & { readonly hint: string | undefined };
  /** The same in a group whose events carry descriptors. */
  readonly descriptors: Support & { readonly hint: string | undefined };
}

/** What can be marked at a path: the filesystem decides. Sets marks that report nothing, and closes them again. */
export function probePath(path: BytePath): PathProbe {
  const ids = abi.FAN_REPORT_DFID_NAME | abi.FAN_REPORT_FID;
  return {
    filesystem: tryPath(ids, abi.FAN_MARK_FILESYSTEM, path),
    mount: tryPath(ids, abi.FAN_MARK_MOUNT, path),
    inode: tryPath(ids, abi.FAN_MARK_INODE, path),
    descriptors: tryPath(abi.FAN_CLASS_NOTIF, abi.FAN_MARK_FILESYSTEM, path),
  };
}

const YES: Support = { supported: true, code: undefined };
const EVENT_FLAGS = abi.O_RDONLY | abi.O_CLOEXEC;
const AT_FDCWD = -100;

function each(trials: Readonly<Record<string, Trial>>, attempt: (trial: Trial) => Support): Record<string, Support> {
  return Object.fromEntries(Object.entries(trials).map(([name, trial]) => [name, attempt(trial)]));
}

/** `yes`: errnos that mean that the call got as far as it could. */
function outcome(call: () => void, yes: readonly string[] = []): Support {
  try {
    call();
    return YES;
  } catch (error) {
    if (!(error instanceof SystemError) || error.code === 'EMFILE' || error.code === 'ENFILE') throw error;
    return yes.includes(error.code) ? YES : { supported: false, code: error.code };
  }
}

function withGroup(flags: number, use: (fd: number) => void): void {
  const fd = fanotifyInit(flags | abi.FAN_CLOEXEC | abi.FAN_NONBLOCK, EVENT_FLAGS);
  try {
    use(fd);
  } finally {
    closeFd(fd);
  }
}

function tryInit(flags: number): Support {
  return outcome(() => withGroup(flags, () => undefined));
}

function tryMark({ groupFlags, markFlags, mask }: Trial): Support {
  const call = (fd: number): void => fanotifyMark(fd, abi.FAN_MARK_ADD | markFlags, mask, AT_FDCWD, '');
  return outcome(() => withGroup(groupFlags, call), ['ENOENT']);
}

function tryPath(groupFlags: number, type: number, path: BytePath): PathProbe['inode'] {
  const call = { groupFlags, flags: abi.FAN_MARK_ADD | type, mask: abi.FAN_ONDIR };
  const mark = (fd: number): void => fanotifyMark(fd, call.flags, call.mask, AT_FDCWD, path);
  const support = outcome(() => withGroup(groupFlags, mark));
  return { ...support, hint: support.code === undefined ? undefined : markHint(support.code, call) };
}

/** fanotify(7): with FAN_NOFD it answers nothing, and tells whether the kernel knows the record. */
function tryInfoResponse(): Support {
  const response = Buffer.alloc(24);
  response.writeInt32LE(abi.FAN_NOFD, 0);
  response.writeUInt32LE(abi.FAN_ALLOW | abi.FAN_AUDIT | abi.FAN_INFO, 4);
  response.writeUInt8(abi.FAN_RESPONSE_INFO_AUDIT_RULE, 8);
  response.writeUInt16LE(16, 10);
  const write = (fd: number): void => {
    try {
      writeSync(fd, response);
    } catch (error) {
      throw error instanceof Error && 'errno' in error ? new SystemError('write', -Number(error.errno)) : error;
    }
  };
  return outcome(() => withGroup(abi.FAN_CLASS_CONTENT | abi.FAN_ENABLE_AUDIT, write));
}

/** A handle that cannot be: the privilege is checked before (open_by_handle_at(2)). */
function tryOpenByHandle(): Support {
  const handle = `\x08\0\0\0\x01\0\0\0${'\xff'.repeat(8)}`;
  const fd = openSync('/', 'r');
  try {
    return outcome(() => {
      const opened = openHandle(fd, handle);
      if (opened !== undefined) closeFd(opened);
    }, ['ESTALE', 'EINVAL', 'EOPNOTSUPP']);
  } finally {
    closeSync(fd);
  }
}

const LIMITS = '/proc/sys/fs/fanotify';

function readLimits(): Record<string, number> {
  let names: string[];
  try {
    names = readdirSync(LIMITS);
  } catch {
    // A kernel of before 5.13, or a /proc without it.
    return {};
  }
  return Object.fromEntries(names.map((name) => [name, Number(readFileSync(`${LIMITS}/${name}`, 'utf8'))]));
}
