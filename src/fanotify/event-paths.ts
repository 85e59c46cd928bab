// From one event to the paths of its object, whatever kind of group it came from (fanotify(7), "Info records").
import { fstatSync } from 'node:fs';
import { type BytePath, joinPath, pathFromLatin1, ROOT } from '../domain/path.ts';
import { pathOfFd } from '../libc/handle.ts';
import type { FanotifyEvent, FileId, InfoRecord } from './decode.ts';
import { isDeleted as isRemoved } from './handles.ts';
import { longPathOfFd } from './long-path.ts';

/**
 * Where an event's object is. A list has one path for each known mount that shows the object, and is empty when there is
 * none: the object or its directory is gone, its filesystem is not among the resolver's mounts, or it never had a name.
 */
export interface EventPaths {
  /** The new name with FAN_RENAME; the directory in groups without FAN_REPORT_NAME. */
  readonly paths: readonly BytePath[];
  /** The old name, with FAN_RENAME only. */
  readonly oldPaths: readonly BytePath[];
  /** The object, or the directory that the event names it in, is gone: `paths` is where it was. */
  readonly isDeleted: boolean;
}

/** What file ids stand for. */
export interface FileIdPaths {
  /** At present; empty when the object is gone or unknown. */
  pathsOf(id: FileId): readonly BytePath[];
  /** Where an object was that is gone, for those who know. */
  lastPathsOf?(id: FileId): readonly BytePath[];
  /** Mount points that are the object itself: a single file, mounted by bind. */
  fileMountsOf(id: FileId): readonly BytePath[];
}

const NONE: readonly BytePath[] = [];
const NOWHERE: EventPaths = { paths: NONE, oldPaths: NONE, isDeleted: false };
const DELETED = ' (deleted)';

/** O_TMPFILE(2) files are reported as `#inode`, even after linkat(2) gave them a name. */
const TEMPORARY = /^#\d+$/;

type Directory = Extract<InfoRecord, { kind: 'dirFid' | 'dirFidName' | 'oldDirFidName' | 'newDirFidName' }>;

/** Throws SystemError: EPERM without CAP_DAC_READ_SEARCH, when the event has file ids. */
export function pathsOfEvent({ fd, records }: FanotifyEvent, ids: FileIdPaths): EventPaths {
  if (fd >= 0) return pathsOfDescriptor(fd);
  if (records.length === 0) return NOWHERE;
  let object: FileId | undefined;
  let paths: readonly BytePath[] = NONE;
  let oldPaths: readonly BytePath[] = NONE;
  let isNamed = false;
  let isDeleted = false;
  for (const record of records) {
    if (record.kind === 'fid') object ??= record;
    if (!isDirectory(record)) continue;
    let dirs = ids.pathsOf(record);
    if (dirs.length === 0) {
      dirs = ids.lastPathsOf?.(record) ?? [];
      isDeleted ||= dirs.length > 0;
    }
    const found = pathsIn(dirs, record);
    if (record.kind === 'oldDirFidName') oldPaths = joined(oldPaths, found);
    else paths = joined(paths, found);
    isNamed ||= !('name' in record && isTemporary(record.name));
  }
  if (object === undefined) return { paths, oldPaths, isDeleted };
  if (isNamed) return { paths: withMounts(paths, ids.fileMountsOf(object)), oldPaths, isDeleted };
  const own = ids.pathsOf(object);
  if (own.length > 0) return { paths: own, oldPaths, isDeleted: false };
  if (paths.length > 0) return { paths, oldPaths, isDeleted };
  const last = ids.lastPathsOf?.(object) ?? [];
  return { paths: last, oldPaths, isDeleted: last.length > 0 };
}

/** A path like `/` for what has no known name, or one outside of this process's root, is none (proc_pid_fd(5)). */
function pathsOfDescriptor(fd: number): EventPaths {
  const path = pathOfFd(fd) ?? longPathOfFd(fd);
  if (path === undefined || !path.startsWith('/')) return NOWHERE;
  if (path === ROOT && !fstatSync(fd).isDirectory()) return NOWHERE;
  if (!isRemoved(fd, path)) return { paths: [pathFromLatin1(path)], oldPaths: [], isDeleted: false };
  return { paths: [pathFromLatin1(path.slice(0, -DELETED.length))], oldPaths: [], isDeleted: true };
}

function isDirectory(record: InfoRecord): record is Directory {
  const { kind } = record;
  return kind === 'dirFidName' || kind === 'dirFid' || kind === 'oldDirFidName' || kind === 'newDirFidName';
}

function isTemporary(name: BytePath): boolean {
  return name.startsWith('#') && TEMPORARY.test(name);
}

function joined(paths: readonly BytePath[], more: readonly BytePath[]): readonly BytePath[] {
  return paths.length === 0 ? more : [...paths, ...more];
}

/** The name of a directory in itself is `.`. */
function pathsIn(dirs: readonly BytePath[], record: Directory): readonly BytePath[] {
  if (!('name' in record) || record.name === '.') return dirs;
  const { name } = record;
  const [only] = dirs;
  return only !== undefined && dirs.length === 1 ? [joinPath(only, name)] : dirs.map((dir) => joinPath(dir, name));
}

function withMounts(paths: readonly BytePath[], mounts: readonly BytePath[]): readonly BytePath[] {
  return mounts.length === 0 ? paths : [...paths, ...mounts.filter((mount) => !paths.includes(mount))];
}
