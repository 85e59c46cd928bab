// Filesystems with marks, and where they are mounted at present: what file ids in events are looked up below.
import { closeSync, openSync, readFileSync } from 'node:fs';
import { type BytePath, pathFromLatin1, pathToBytes } from '../../domain/path.ts';
import { fsidOfFd, O_PATH, pathOfFd } from '../../libc/handle.ts';
import type { FileIdPaths } from '../event-paths.ts';
import { HandlePaths, type MountPoint } from '../handles.ts';
import { type MountTable, mountTable, parseMountinfo } from '../mounts.ts';

export const MOUNTINFO = '/proc/self/mountinfo';

/** Filesystems that events may come from, and where they are mounted. */
export class MarkedFilesystems {
  readonly #devices = new Map<string, string>();
  #table: MountTable = mountTable([]);

  constructor() {
    this.refresh();
  }

  /** Reads the mount table again. */
  refresh(): void {
    this.#table = mountTable(parseMountinfo(readFileSync(MOUNTINFO, 'latin1')));
  }

  /** Events may name objects on the filesystem of this path from now on. What cannot be opened cannot be marked either. */
  add(path: BytePath): void {
    let fd: number;
    try {
      fd = openSync(pathToBytes(path), O_PATH);
    } catch {
      return;
    }
    try {
      const at = pathOfFd(fd);
      const device = at === undefined ? undefined : this.#table.mountAt(pathFromLatin1(at))?.device;
      if (device !== undefined) this.#devices.set(fsidOfFd(fd), device);
    } finally {
      closeSync(fd);
    }
  }

  /** For one batch of events: directories are looked up once, and mounts held open until `close`. */
  resolver(): FileIdPaths & { close(): void } {
    const handles = new HandlePaths((fsid) => this.#mountsOf(fsid));
    return {
      pathsOf: ({ fsid, handle }) => handles.pathsOf(fsid, handle),
      fileMountsOf: ({ fsid, handle }) => handles.fileMountsOf(fsid, handle),
      close: () => handles.close(),
    };
  }

  #mountsOf(fsid: string): MountPoint[] {
    const device = this.#devices.get(fsid);
    const mounts = this.#table.mounts.filter((mount) => mount.device === device && this.#table.isVisible(mount));
    return mounts.map(({ mountPoint }) => ({ path: mountPoint, fsid }));
  }
}
