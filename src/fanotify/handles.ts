// From file handles to paths: open_by_handle_at(2), then what /proc/self/fd says.
import { closeSync, constants, fstatSync, lstatSync, openSync, statSync } from 'node:fs';
import { errorCode } from '../domain/errors.ts';
import { type BytePath, pathFromLatin1, pathToBytes, ROOT } from '../domain/path.ts';
import { closeFd, fsidOfFd, openHandle, pathOfFd } from '../libc/handle.ts';
import { longPathOfFd } from './long-path.ts';

/** A place where a filesystem is mounted. */
export interface MountPoint {
  readonly path: BytePath;
  /** f_fsid at that path; a btrfs subvolume's differs from that of the events of its top level's mark. */
  readonly fsid: string;
}

/** Where the objects of file handles are, and what they are; until `close`. */
export interface ObjectPaths {
  /** The object's present paths; empty when it is gone or has none that is known. */
  pathsOf(fsid: string, handle: string): readonly BytePath[];
  /** Where the object itself is a mount point: a single file, mounted by bind; the directory's path says nothing of it. */
  fileMountsOf(fsid: string, handle: string): readonly BytePath[];
  /** The object's inode number and link count, `path` being a name of it, if any; undefined when it is gone. */
  statOf(fsid: string, handle: string, path: BytePath | undefined): ObjectStat | undefined;
  /** The same of what has the name, a symbolic link itself; undefined when nothing has. */
  statAt(path: BytePath): ObjectStat | undefined;
  close(): void;
}

export interface ObjectStat {
  readonly inode: bigint;
  readonly nlink: number;
}

const DELETED = ' (deleted)';

/**
 * Resolves the handles of one batch of events, and remembers what it found for so long. The filesystems are held open
 * from the first question until `close`, and umount(8) fails with EBUSY meanwhile: keep it short.
 */
export class HandlePaths implements ObjectPaths {
  readonly #mountsOf: (fsid: string) => readonly MountPoint[];
  readonly #mountFds = new Map<string, readonly OpenMount[]>();
  readonly #fileMounts = new Map<string, boolean>();
  readonly #paths = new Map<string, readonly BytePath[]>();
  readonly #stats = new Map<string, ObjectStat | undefined>();
  readonly #named = new Map<BytePath, ObjectStat | undefined>();

  /** `mountsOf`: where the filesystem with this id (as events report it) is mounted. */
  constructor(mountsOf: (fsid: string) => readonly MountPoint[]) {
    this.#mountsOf = mountsOf;
  }

  /**
   * The object's present path below each mount of its filesystem that shows it. Exact for directories; for other files
   * one of their names, if the kernel remembers any. Empty when it is gone. Throws SystemError: EPERM.
   */
  pathsOf(fsid: string, handle: string): readonly BytePath[] {
    const key = fsid + handle;
    let paths = this.#paths.get(key);
    if (paths === undefined) {
      paths = this.#mounts(fsid).flatMap((mount) => pathBelow(mount, handle) ?? []);
      this.#paths.set(key, paths);
    }
    return paths;
  }

  /** A descriptor of the object (O_PATH), which is the caller's; undefined when it is gone. Throws SystemError: EPERM. */
  open(fsid: string, handle: string): number | undefined {
    const [mount] = this.#mounts(fsid);
    return mount && openHandle(mount.fd, handle);
  }

  /** Throws SystemError: EPERM. */
  statOf(fsid: string, handle: string): ObjectStat | undefined {
    const key = fsid + handle;
    if (this.#stats.has(key)) return this.#stats.get(key);
    const fd = this.open(fsid, handle);
    const stat = fd === undefined ? undefined : statAndClose(fd);
    this.#stats.set(key, stat);
    return stat;
  }

  statAt(path: BytePath): ObjectStat | undefined {
    if (this.#named.has(path)) return this.#named.get(path);
    const stat = statAt(path);
    this.#named.set(path, stat);
    return stat;
  }

  fileMountsOf(fsid: string, handle: string): readonly BytePath[] {
    if (!this.#hasFileMounts(fsid)) return [];
    return this.#mounts(fsid).flatMap((mount) => (mount.isDirectory ? [] : (pathBelow(mount, handle) ?? [])));
  }

  /** Asked for nearly every event, and without opening anything: that would be an event, too. */
  #hasFileMounts(fsid: string): boolean {
    let answer = this.#fileMounts.get(fsid);
    if (answer === undefined) {
      answer = this.#mountsOf(fsid).some(({ path }) => !isDirectoryAt(path));
      this.#fileMounts.set(fsid, answer);
    }
    return answer;
  }

  #mounts(fsid: string): readonly OpenMount[] {
    let mounts = this.#mountFds.get(fsid);
    if (mounts === undefined) {
      mounts = this.#mountsOf(fsid).flatMap((mount) => openMount(mount) ?? []);
      this.#mountFds.set(fsid, mounts);
    }
    return mounts;
  }

  /** Idempotent. */
  close(): void {
    for (const mounts of this.#mountFds.values()) for (const { fd } of mounts) closeSync(fd);
    this.#mountFds.clear();
    this.#fileMounts.clear();
    this.#paths.clear();
    this.#stats.clear();
    this.#named.clear();
  }
}

interface OpenMount {
  readonly fd: number;
  readonly path: BytePath;
  readonly isDirectory: boolean;
}

/** Not O_PATH: open_by_handle_at(2) refuses such a descriptor with EBADF. */
function openMount(mount: MountPoint): OpenMount | undefined {
  let fd: number;
  try {
    fd = openSync(pathToBytes(mount.path), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    // Unmounted or hidden meanwhile: nothing below it has a path here any more.
    return undefined;
  }
  // Another filesystem on top would answer for handles that are not its own.
  if (fsidOfFd(fd) === mount.fsid) return { fd, path: mount.path, isDirectory: fstatSync(fd).isDirectory() };
  closeSync(fd);
  return undefined;
}

function isDirectoryAt(path: BytePath): boolean {
  try {
    return statSync(pathToBytes(path)).isDirectory();
  } catch {
    // Unmounted or hidden meanwhile: no file of that filesystem is mounted there.
    return true;
  }
}

/** Of whatever has the name, a symbolic link itself; undefined when nothing has. */
export function statAt(path: BytePath): ObjectStat | undefined {
  try {
    const { ino, nlink } = lstatSync(pathToBytes(path), { bigint: true });
    return { inode: ino, nlink: Number(nlink) };
  } catch (error) {
    // Gone, or whatever errno the owner of a directory above makes of it.
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}

function statAndClose(fd: number): ObjectStat {
  try {
    const { ino, nlink } = fstatSync(fd, { bigint: true });
    return { inode: ino, nlink: Number(nlink) };
  } finally {
    closeFd(fd);
  }
}

function pathBelow(mount: OpenMount, handle: string): BytePath | undefined {
  const fd = openHandle(mount.fd, handle);
  if (fd === undefined) return undefined;
  try {
    return usablePath(fd, mount.path);
  } finally {
    closeFd(fd);
  }
}

function usablePath(fd: number, mountPoint: BytePath): BytePath | undefined {
  const path = pathOfFd(fd) ?? longPathOfFd(fd);
  if (path === undefined) return undefined;
  // `/` stands for "not below this mount" and for a file without a known name, unless it is the root itself.
  if (path === ROOT && !(mountPoint === ROOT && fstatSync(fd).isDirectory())) return undefined;
  return isDeleted(fd, path) ? undefined : pathFromLatin1(path);
}

/** Whether a path from /proc/self/fd is that of a removed file, and not of one that is called `... (deleted)`. */
export function isDeleted(fd: number, path: string): boolean {
  return path.endsWith(DELETED) && fstatSync(fd).nlink === 0;
}
