// Events on files of the baseline that have more names than the event tells.
import { fstatSync } from 'node:fs';
import { type InodeTable, inodeKey } from '../domain/inode-table.ts';
import { FAN_ONDIR } from '../fanotify/abi.ts';
import type { FanotifyEvent } from '../fanotify/decode.ts';
import { inodeKeyOfHandle } from '../fanotify/handle-inode.ts';
import type { ObjectPaths } from '../fanotify/handles.ts';
import { pathOfFd } from '../libc/handle.ts';
import type { EventPath } from './event-paths.ts';

export class Links {
  readonly #table: InodeTable;

  constructor(table: InodeTable) {
    this.#table = table;
  }

  /** The inode's key when other names than `paths` may be in the baseline. Of an event without a descriptor. */
  keyOf({ mask, records }: FanotifyEvent, paths: readonly EventPath[], handles: ObjectPaths): number | undefined {
    if ((mask & FAN_ONDIR) !== 0) return undefined;
    const object = records.find((record) => record.kind === 'fid');
    if (object?.kind !== 'fid') return undefined;
    // What has no name in the event has lost or won one (FAN_ATTRIB of link(2), unlink(2)): all names are in doubt.
    const isNamed = records.some((record) => 'name' in record);
    // A name that went is still told of whoever has the file open (a descriptor, a mapping).
    const isOnlyName = (key: number): boolean =>
      isNamed && paths.some(({ path }) => handles.keyOfLoneName(path) === key);
    const guess = inodeKeyOfHandle(object.handle);
    if (guess !== undefined && (!this.#changed(guess) || isOnlyName(guess))) return undefined;
    const key = handles.keyOf(object.fsid, object.handle, paths[0]?.path);
    return key !== undefined && this.#changed(key) && !isOnlyName(key) ? key : undefined;
  }

  /** The same of an event with a descriptor, which stays open. */
  keyOfDescriptor(fd: number): number | undefined {
    const { ino, nlink } = fstatSync(fd, { bigint: true });
    const key = inodeKey(ino);
    return this.#changed(key) && (nlink > 1n || (nlink === 1n && isNameless(fd))) ? key : undefined;
  }

  /** Whether a name of it may be in the baseline; whoever is about to add one looks at it again. */
  #changed(key: number): boolean {
    this.#table.noteChange(key);
    return this.#table.has(key);
  }
}

/** A name that went, or `#inode` of an O_TMPFILE(2) file that linkat(2) gave another name: the descriptor never hears of that. */
function isNameless(fd: number): boolean {
  return pathOfFd(fd)?.endsWith(' (deleted)') === true;
}
