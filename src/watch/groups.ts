// The kinds of group that the watcher opens, on kernels old and new.
import { AppError, SystemError } from '../domain/errors.ts';
import {
  FAN_ATTRIB,
  FAN_CLASS_NOTIF,
  FAN_CLOSE_WRITE,
  FAN_CREATE,
  FAN_DELETE,
  FAN_MODIFY,
  FAN_MOVE,
  FAN_ONDIR,
  FAN_RENAME,
  FAN_REPORT_DFID_NAME,
  FAN_REPORT_DFID_NAME_TARGET,
  FAN_REPORT_FID,
} from '../fanotify/abi.ts';
import { FanotifyGroup } from '../fanotify/group.ts';

/** What a mount mark can see: content, written through this mount (fanotify_mark(2), FAN_MARK_MOUNT). */
export const MOUNT_MASK = FAN_CLOSE_WRITE | FAN_MODIFY;

const FILESYSTEM_MASK = MOUNT_MASK | FAN_CREATE | FAN_DELETE | FAN_ATTRIB | FAN_ONDIR;

export interface FidGroup {
  readonly group: FanotifyGroup;
  /** Everything that a filesystem mark in this group can say about names, content and attributes. */
  readonly filesystemMask: number;
}

/** The group of a watch before this one; undefined when the descriptor is none of this kind. */
export function adoptFidGroup(fd: number): FidGroup | undefined {
  const group = FanotifyGroup.adopt(fd);
  if (group === undefined || (group.flags & FAN_REPORT_DFID_NAME) !== FAN_REPORT_DFID_NAME) return undefined;
  const namesBoth = (group.flags & FAN_REPORT_DFID_NAME_TARGET) === FAN_REPORT_DFID_NAME_TARGET;
  return { group, filesystemMask: FILESYSTEM_MASK | (namesBoth ? FAN_RENAME : FAN_MOVE) };
}

/** Events name directory and entry; renames name both sides since Linux 5.17, one side each before. Throws AppError. */
export function openFidGroup(): FidGroup {
  try {
    const group = FanotifyGroup.open({ flags: FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME_TARGET });
    return { group, filesystemMask: FILESYSTEM_MASK | FAN_RENAME };
  } catch (error) {
    if (!(error instanceof SystemError && error.code === 'EINVAL')) throw explain(error);
  }
  try {
    const group = FanotifyGroup.open({ flags: FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME | FAN_REPORT_FID });
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
