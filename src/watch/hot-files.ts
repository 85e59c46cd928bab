// Files outside every rule that are written to without pause (a log, a database on the same filesystem) would cost a look at
// each of their events: the kernel drops them instead. A load measure only, and never for what has, or gets, another name.
import { fstatSync } from 'node:fs';
import { errorCode } from '../domain/errors.ts';
import { type InodeTable, inodeKey } from '../domain/inode-table.ts';
import { pathFromLatin1 } from '../domain/path.ts';
import * as abi from '../fanotify/abi.ts';
import type { FanotifyEvent, FileId } from '../fanotify/decode.ts';
import type { FanotifyGroup } from '../fanotify/group.ts';
import type { HandlePaths } from '../fanotify/handles.ts';
import { closeFd } from '../libc/handle.ts';
import { Heat } from './heat.ts';

const MARKS_MAX = 1_024;

/** Content alone: a new name, a rename or a removal is told, and ends it. */
const IGNORED = abi.FAN_MODIFY | abi.FAN_CLOSE_WRITE;
const IGNORE = abi.FAN_MARK_INODE | abi.FAN_MARK_IGNORE_SURV | abi.FAN_MARK_EVICTABLE;

/** Of all groups whose events have file ids. */
export class HotFiles {
  readonly #inodes: InodeTable;
  readonly #groups = new Map<FanotifyGroup, GroupHotFiles>();

  /** `inodes`: of the baseline; none of them is ever ignored. */
  constructor(inodes: InodeTable) {
    this.#inodes = inodes;
  }

  /** `isOutside`: no rule has to do with any of the event's paths. */
  take(group: FanotifyGroup, event: FanotifyEvent, isOutside: boolean, handles: HandlePaths, nowMs: number): void {
    let files = this.#groups.get(group);
    if (files === undefined) {
      files = new GroupHotFiles(group, this.#inodes);
      this.#groups.set(group, files);
    }
    files.take(event, isOutside, handles, nowMs);
  }

  /** All marks were removed. */
  forgetAll(): void {
    this.#groups.clear();
  }

  /** Whether there are marks. */
  get isInUse(): boolean {
    return [...this.#groups.values()].some(({ isInUse }) => isInUse);
  }
}

class GroupHotFiles {
  readonly #group: FanotifyGroup;
  readonly #inodes: InodeTable;
  readonly #ignored = new Map<string, FileId>();
  readonly #heat = new Heat();
  #isSupported = true;

  constructor(group: FanotifyGroup, inodes: InodeTable) {
    this.#group = group;
    this.#inodes = inodes;
  }

  take(event: FanotifyEvent, isOutside: boolean, handles: HandlePaths, nowMs: number): void {
    const file = isOutside ? contentOf(event) : undefined;
    if (file === undefined) this.#other(event, handles);
    else if (this.#isSupported) this.#count(file, handles, nowMs);
  }

  #count(file: FileId, handles: HandlePaths, nowMs: number): void {
    const isHot = this.#heat.add(file.fsid + file.handle, nowMs);
    if (isHot && this.#ignored.size < MARKS_MAX) this.#ignore(file, handles);
  }

  /** Whatever is ignored of that object may be covered from now on. */
  #other({ mask, records }: FanotifyEvent, handles: HandlePaths): void {
    if (this.#ignored.size === 0) return;
    // What moves with a directory is not named.
    if ((mask & abi.FAN_ONDIR) !== 0 && (mask & (abi.FAN_RENAME | abi.FAN_MOVE)) !== 0) {
      this.#releaseAll(handles);
      return;
    }
    for (const record of records) {
      const ignored = record.kind === 'fid' ? this.#ignored.get(record.fsid + record.handle) : undefined;
      if (ignored !== undefined) this.#release(ignored, handles);
    }
  }

  get isInUse(): boolean {
    return this.#ignored.size > 0;
  }

  #releaseAll(handles: HandlePaths): void {
    for (const ignored of this.#ignored.values()) this.#release(ignored, handles);
  }

  #ignore(file: FileId, handles: HandlePaths): void {
    withObject(file, handles, (fd) => {
      const isOnlyName = (): boolean => {
        const { ino, nlink } = fstatSync(fd, { bigint: true });
        return nlink === 1n && !this.#inodes.has(inodeKey(ino));
      };
      if (!isOnlyName()) return;
      try {
        this.#group.mark(IGNORE, IGNORED, pathFromLatin1(`/proc/self/fd/${fd}`));
        this.#ignored.set(file.fsid + file.handle, file);
      } catch (error) {
        // EINVAL: Linux before 6.0. Others (ENOSPC: no more marks): the events go on, and the scope drops them.
        if (errorCode(error) === undefined) throw error;
        this.#isSupported = false;
      }
      // A name that came in between was told of before there was anything to release.
      if (!isOnlyName()) this.#release(file, handles);
    });
  }

  #release(file: FileId, handles: HandlePaths): void {
    this.#ignored.delete(file.fsid + file.handle);
    withObject(file, handles, (fd) => {
      try {
        this.#group.unmark(IGNORE & ~abi.FAN_MARK_EVICTABLE, IGNORED, pathFromLatin1(`/proc/self/fd/${fd}`));
      } catch (error) {
        // ENOENT: evicted.
        if (errorCode(error) === undefined) throw error;
      }
    });
  }
}

/** The file of an event that tells of content alone. */
function contentOf({ mask, records }: FanotifyEvent): FileId | undefined {
  if ((mask & ~IGNORED) !== 0) return undefined;
  for (const record of records) if (record.kind === 'fid') return { fsid: record.fsid, handle: record.handle };
  return undefined;
}

function withObject({ fsid, handle }: FileId, handles: HandlePaths, use: (fd: number) => void): void {
  const fd = handles.open(fsid, handle);
  if (fd === undefined) return;
  try {
    use(fd);
  } finally {
    closeFd(fd);
  }
}
