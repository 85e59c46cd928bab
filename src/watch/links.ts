// Events on files of the baseline that have more names than the event tells.
import { fstatSync } from 'node:fs';
import { type InodeTable, inodeKey } from '../domain/inode-table.ts';
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

  /** The inode's key when other names of it may be in the baseline. Its descriptor, if it has one, stays open. */
  keyOf(event: FanotifyEvent, handles: ObjectPaths): number | undefined {
    if (event.fd >= 0) return this.#keyOfDescriptor(event.fd);
    if ((event.mask & FAN_ONDIR) !== 0) return undefined;
    let isNamed = false;
    for (const record of event.records) {
      if (!('handle' in record)) continue;
      if (record.kind === 'fid') return this.#keyOfHandle(record.fsid, record.handle, isNamed, handles);
      isNamed = true;
    }
    return undefined;
  }

  /** What has no name in the event has lost or won one (FAN_ATTRIB of link(2), unlink(2)): all names are in doubt. */
  #keyOfHandle(fsid: string, handle: string, isNamed: boolean, handles: ObjectPaths): number | undefined {
    const guess = inodeKeyOfHandle(handle);
    if (guess !== undefined && !this.#table.has(guess)) return undefined;
    const stat = handles.statOf(fsid, handle);
    if (stat === undefined || (isNamed && stat.nlink < 2)) return undefined;
    return this.#known(stat.inode);
  }

  #keyOfDescriptor(fd: number): number | undefined {
    const { ino, nlink } = fstatSync(fd, { bigint: true });
    return nlink > 1n || (nlink === 1n && isNameless(fd)) ? this.#known(ino) : undefined;
  }

  #known(inode: bigint): number | undefined {
    const key = inodeKey(inode);
    return this.#table.has(key) ? key : undefined;
  }
}

/** An O_TMPFILE(2) file that linkat(2) gave a name: its descriptor never hears of it. */
function isNameless(fd: number): boolean {
  return /\/#\d+ \(deleted\)$/.test(pathOfFd(fd) ?? '');
}
