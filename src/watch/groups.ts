// The kinds of group that the watcher opens, on kernels old and new.
import { AppError, SystemError } from '../domain/errors.ts';
import {
  FAN_ATTRIB,
  FAN_CLASS_NOTIF,
  FAN_CLOEXEC,
  FAN_CLOSE_WRITE,
  FAN_CREATE,
  FAN_DELETE,
  FAN_MODIFY,
  FAN_MOVE,
  FAN_NONBLOCK,
  FAN_ONDIR,
  FAN_RENAME,
  FAN_REPORT_DFID_NAME,
  FAN_REPORT_DFID_NAME_TARGET,
  FAN_REPORT_FD_ERROR,
  FAN_REPORT_FID,
} from '../fanotify/abi.ts';
import { FanotifyGroup } from '../fanotify/group.ts';

/** What a mount mark can see: content, written through this mount (fanotify_mark(2), FAN_MARK_MOUNT). */
export const MOUNT_MASK = FAN_CLOSE_WRITE | FAN_MODIFY;

const FILESYSTEM_MASK = MOUNT_MASK | FAN_CREATE | FAN_DELETE | FAN_ATTRIB | FAN_ONDIR;

const WITH_TARGET = FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME_TARGET;
const WITHOUT_TARGET = FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME | FAN_REPORT_FID;
/** What FanotifyGroup adds. */
const OPENED = FAN_CLOEXEC | FAN_NONBLOCK;

export interface FidGroup {
  readonly group: FanotifyGroup;
  /** Everything that a filesystem mark in this group can say about names, content and attributes. */
  readonly filesystemMask: number;
}

/** The `filesystemMask` of a group of a watch before this one; undefined when it is none of this kind. */
export function maskOfFidGroup({ flags }: FanotifyGroup): number | undefined {
  if (flags === (WITH_TARGET | OPENED)) return FILESYSTEM_MASK | FAN_RENAME;
  return flags === (WITHOUT_TARGET | OPENED) ? FILESYSTEM_MASK | FAN_MOVE : undefined;
}

/** Whether it is as openFdGroup opens them, and loses no event that cannot be opened (Linux 6.13). */
export function isFdGroup({ flags }: FanotifyGroup): boolean {
  return flags === (FAN_CLASS_NOTIF | OPENED | FAN_REPORT_FD_ERROR);
}

/** Events name directory and entry; renames name both sides since Linux 5.17, one side each before. Throws AppError. */
export function openFidGroup(): FidGroup {
  try {
    const group = FanotifyGroup.open({ flags: WITH_TARGET });
    return { group, filesystemMask: FILESYSTEM_MASK | FAN_RENAME };
  } catch (error) {
    if (!(error instanceof SystemError && error.code === 'EINVAL')) throw explain(error);
  }
  try {
    const group = FanotifyGroup.open({ flags: WITHOUT_TARGET });
    return { group, filesystemMask: FILESYSTEM_MASK | FAN_MOVE };
  } catch (error) {
    throw explain(error);
  }
}

/** init and check need no fanotify. */
const WITHOUT = 'init and check work without it; watch does not';

function explain(error: unknown): unknown {
  if (!(error instanceof SystemError)) return error;
  if (error.code === 'EPERM') return withoutCapability('CAP_SYS_ADMIN', error);
  const hint = error.hint === undefined ? WITHOUT : `${error.hint}; ${WITHOUT}`;
  return new AppError('IO', `cannot watch: ${error.message}`, { hint, cause: error });
}

export function withoutCapability(name: string, cause?: unknown): AppError {
  return new AppError('NO_PERMISSION', `cannot watch: ${name} is missing`, {
    hint: `run as root, or grant CAP_SYS_ADMIN and CAP_DAC_READ_SEARCH; ${WITHOUT}`,
    cause,
  });
}
