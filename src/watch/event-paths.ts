// From one event to the paths that it makes dirty.
import { type BytePath, joinPath, pathFromLatin1 } from '../domain/path.ts';
import { FAN_CREATE, FAN_DELETE, FAN_MOVE, FAN_ONDIR, FAN_RENAME } from '../fanotify/abi.ts';
import type { FanotifyEvent } from '../fanotify/decode.ts';
import { isDeleted, type ObjectPaths } from '../fanotify/handles.ts';
import { closeFd, pathOfFd } from '../libc/handle.ts';

export interface EventPath {
  readonly path: BytePath;
  /** A directory came, went or moved. */
  readonly subtree: boolean;
}

const ENTRY_EVENTS = FAN_CREATE | FAN_DELETE | FAN_MOVE | FAN_RENAME;

/** O_TMPFILE(2) files are reported as `#inode`, even after linkat(2) gave them a name. */
const TEMPORARY = /^#\d+$/;

/** Every present path of the event's object, old and new names alike; none when nothing of it can be named any more. */
export function pathsOfEvent(event: FanotifyEvent, handles: ObjectPaths): EventPath[] {
  if (event.fd >= 0) return pathsOfDescriptor(event.fd);
  const isTree = (event.mask & FAN_ONDIR) !== 0 && (event.mask & ENTRY_EVENTS) !== 0;
  const found: EventPath[] = [];
  let isNamed = false;
  for (const record of event.records) {
    if (!('handle' in record) || record.kind === 'fid') continue;
    const name = 'name' in record ? record.name : '.';
    if (!TEMPORARY.test(name)) isNamed = true;
    for (const dir of handles.pathsOf(record.fsid, record.handle)) {
      if (name === '.') found.push({ path: dir, subtree: false });
      else found.push({ path: joinPath(dir, pathFromLatin1(name)), subtree: isTree });
    }
  }
  for (const record of event.records) {
    if (record.kind !== 'fid') continue;
    // Without a name (link count, disconnected dentry) the object itself may still have one.
    const paths = isNamed
      ? handles.fileMountsOf(record.fsid, record.handle)
      : handles.pathsOf(record.fsid, record.handle);
    for (const path of paths) found.push({ path, subtree: false });
  }
  return found;
}

function pathsOfDescriptor(fd: number): EventPath[] {
  try {
    const path = pathOfFd(fd);
    return path === undefined || isDeleted(fd, path) ? [] : [{ path: pathFromLatin1(path), subtree: false }];
  } finally {
    closeFd(fd);
  }
}

/** Whether the event's paths are both sides of a rename (Linux 5.17; older kernels tell of each side by itself). */
export function isRename({ mask }: FanotifyEvent): boolean {
  return (mask & FAN_RENAME) !== 0;
}

/** Whether something has another name now, with one side or both of it in the event. */
export function isMove({ mask }: FanotifyEvent): boolean {
  return (mask & (FAN_RENAME | FAN_MOVE)) !== 0;
}

/** Whether a directory's entries came, went or moved: then a path above a rule path matters too. */
export function isEntryEvent(event: FanotifyEvent): boolean {
  return (event.mask & ENTRY_EVENTS) !== 0;
}
