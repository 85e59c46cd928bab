// Events on files of the baseline that have more names than the event tells.
import { fstatSync } from 'node:fs';
import { type InodeTable, inodeKey } from '../domain/inode-table.ts';
import type { BytePath } from '../domain/path.ts';
import { FAN_ONDIR } from '../fanotify/abi.ts';
import type { FanotifyEvent } from '../fanotify/decode.ts';
import { inodeKeyOfHandle } from '../fanotify/handle-inode.ts';
import type { ObjectPaths } from '../fanotify/handles.ts';
import { pathOfFd } from '../libc/handle.ts';

export class Links {
  readonly #table: InodeTable;

  constructor(table: InodeTable) {
    this.#table = table;
  }

  /** The inode's key when other names than `path` may be in the baseline. Of an event without a descriptor. */
  keyOf({ mask, records }: FanotifyEvent, path: BytePath | undefined, handles: ObjectPaths): number | undefined {
    if ((mask & FAN_ONDIR) !== 0) return undefined;
    const object = records.find((record) => record.kind === 'fid');
    if (object?.kind !== 'fid') return undefined;
    // What has no name in the event has lost or won one (FAN_ATTRIB of link(2), unlink(2)): all names are in doubt.
    const isNamed = records.some((record) => 'name' in record);
    const guess = inodeKeyOfHandle(object.handle);
    if (guess !== undefined && !isNamed) this.#table.linked(guess);
    if (guess !== undefined && !this.#table.has(guess)) return undefined;
    const stat = handles.statOf(object.fsid, object.handle, path);
    return stat === undefined || (isNamed && stat.nlink < 2) ? undefined : this.#known(stat.inode);
  }

  /** The same of an event with a descriptor, which stays open. */
  keyOfDescriptor(fd: number): number | undefined {
    const { ino, nlink } = fstatSync(fd, { bigint: true });
    return nlink > 1n || (nlink === 1n && isNameless(fd)) ? this.#known(ino) : undefined;
  }

  #known(inode: bigint): number | undefined {
    const key = inodeKey(inode);
    this.#table.linked(key);
    return this.#table.has(key) ? key : undefined;
  }
}

/** An O_TMPFILE(2) file that linkat(2) gave a name: its descriptor never hears of it. */
function isNameless(fd: number): boolean {
  return /\/#\d+ \(deleted\)$/.test(pathOfFd(fd) ?? '');
}
