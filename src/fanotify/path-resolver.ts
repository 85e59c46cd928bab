// Paths of events: which filesystems there are, and where.
import { closeSync, openSync } from 'node:fs';
import { SystemError } from '../domain/errors.ts';
import { type BytePath, pathToBytes } from '../domain/path.ts';
import { fsidOfFd, O_PATH } from '../libc/handle.ts';
import type { FanotifyEvent, FileId } from './decode.ts';
import { type EventPaths, type FileIdPaths, pathsOfEvent } from './event-paths.ts';
import { HandlePaths, type MountPoint } from './handles.ts';

/** Mount points by the filesystem id in events; survives the way between threads. */
export type MountPoints = ReadonlyMap<string, readonly MountPoint[]>;

/**
 * Turns events into paths. Events with a descriptor need nothing; those with file ids are looked up with
 * open_by_handle_at(2) (CAP_DAC_READ_SEARCH) below the mounts that were added. Directories are exact, whatever was renamed
 * above them. What was found is kept, and the mounts are held open (umount(8): EBUSY), until `release`.
 */
export class PathResolver implements FileIdPaths {
  readonly #mounts = new Map<string, MountPoint[]>();
  readonly #listeners = new Set<(mounts: MountPoints) => void>();
  #handles: HandlePaths | undefined;

  /** `mounts`: any directory on each filesystem of interest, best its mount point. Throws SystemError (Node's shape). */
  constructor(mounts: Iterable<BytePath> = []) {
    for (const path of mounts) this.addMount(path);
  }

  /**
   * Objects of this filesystem that lie below the mount of `path` get paths from now on. `eventFsid`: the filesystem id in
   * events when it is not statfs(2)'s of `path`; so for mounts of btrfs subvolumes, whose events have that of the path that
   * was marked (`fsidOfPath`).
   */
  addMount(path: BytePath, eventFsid?: string): void {
    const fsid = fsidOfPath(path);
    const key = eventFsid ?? fsid;
    this.#mounts.set(key, [...(this.#mounts.get(key) ?? []), { path, fsid }]);
    this.#changed();
  }

  removeMount(path: BytePath): void {
    for (const [fsid, mounts] of this.#mounts) {
      const left = mounts.filter((mount) => mount.path !== path);
      if (left.length > 0) this.#mounts.set(fsid, left);
      else this.#mounts.delete(fsid);
    }
    this.#changed();
  }

  #changed(): void {
    this.release();
    for (const listener of this.#listeners) listener(this.#mounts);
  }

  /** Calls back now and at each change; returns how to end that. */
  follow(listener: (mounts: MountPoints) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#mounts);
    return () => this.#listeners.delete(listener);
  }

  /** Throws SystemError: EPERM without CAP_DAC_READ_SEARCH. */
  resolve(event: FanotifyEvent): EventPaths {
    return pathsOfEvent(event, this);
  }

  pathsOf({ fsid, handle }: FileId): readonly BytePath[] {
    if (!this.#mounts.has(fsid)) return [];
    return explained(() => this.#open().pathsOf(fsid, handle));
  }

  fileMountsOf({ fsid, handle }: FileId): readonly BytePath[] {
    if (!this.#mounts.has(fsid)) return [];
    return explained(() => this.#open().fileMountsOf(fsid, handle));
  }

  #open(): HandlePaths {
    this.#handles ??= new HandlePaths((fsid) => this.#mounts.get(fsid) ?? []);
    return this.#handles;
  }

  /** Closes the mounts and forgets the paths: call it after each batch. Idempotent, and it may be used again. */
  release(): void {
    this.#handles?.close();
    this.#handles = undefined;
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** The filesystem id of a path, as info records have it: 16 hexadecimal digits in memory order (statfs(2), f_fsid). */
export function fsidOfPath(path: BytePath): string {
  const fd = openSync(pathToBytes(path), O_PATH);
  try {
    return fsidOfFd(fd);
  } finally {
    closeSync(fd);
  }
}

function explained<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== 'EPERM') throw error;
    throw new SystemError(error.syscall, error.errno, { hint: 'CAP_DAC_READ_SEARCH is missing: handles need it' });
  }
}
