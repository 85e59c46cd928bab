// From file handles to paths: open_by_handle_at(2), then what /proc/self/fd says.
import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs';
import { inodeKey } from '../domain/inode-table.ts';
import { type BytePath, pathFromLatin1, pathToBytes, ROOT } from '../domain/path.ts';
import { closeFd, fsidOfFd, openHandle, pathOfFd } from '../libc/handle.ts';
import { keyOfLoneName } from './inode-of-name.ts';
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
  /** The object's `inodeKey`, `path` being a name of it, if any; undefined when it is gone. */
  keyOf(fsid: string, handle: string, path: BytePath | undefined): number | undefined;
  /** The `inodeKey` of what has the name, a symbolic link itself; undefined when it has other names, or when nothing has this one. */
  keyOfLoneName(path: BytePath): number | undefined;
  close(): void;
}

const DELETED = ' (deleted)';
const NONE: readonly BytePath[] = [];

/**
 * Resolves the handles of one batch of events, and remembers what it found for so long. The filesystems are held open
 * from the first question until `close`, and umount(8) fails with EBUSY meanwhile: keep it short.
 */
export class HandlePaths implements ObjectPaths {
  readonly #mountsOf: (fsid: string) => readonly MountPoint[];
  readonly #filesystems = new Map<string, Filesystem>();
  readonly #loneNames = new Map<BytePath, number | undefined>();

  /** `mountsOf`: where the filesystem with this id (as events report it) is mounted. */
  constructor(mountsOf: (fsid: string) => readonly MountPoint[]) {
    this.#mountsOf = mountsOf;
  }

  /**
   * The object's present path below each mount of its filesystem that shows it. Exact for directories; for other files
   * one of their names, if the kernel remembers any. Empty when it is gone. Throws SystemError: EPERM.
   */
  pathsOf(fsid: string, handle: string): readonly BytePath[] {
    return this.#filesystem(fsid).pathsOf(handle);
  }

  /** A descriptor of the object (O_PATH), which is the caller's; undefined when it is gone. Throws SystemError: EPERM. */
  open(fsid: string, handle: string): number | undefined {
    return this.#filesystem(fsid).open(handle);
  }

  /** Throws SystemError: EPERM. */
  keyOf(fsid: string, handle: string): number | undefined {
    return this.#filesystem(fsid).keyOf(handle);
  }

  keyOfLoneName(path: BytePath): number | undefined {
    let key = this.#loneNames.get(path);
    if (key !== undefined || this.#loneNames.has(path)) return key;
    key = keyOfLoneName(path);
    this.#loneNames.set(path, key);
    return key;
  }

  fileMountsOf(fsid: string, handle: string): readonly BytePath[] {
    return this.#filesystem(fsid).fileMountsOf(handle);
  }

  #filesystem(fsid: string): Filesystem {
    let filesystem = this.#filesystems.get(fsid);
    if (filesystem === undefined) {
      filesystem = new Filesystem(this.#mountsOf(fsid));
      this.#filesystems.set(fsid, filesystem);
    }
    return filesystem;
  }

  /** Idempotent. */
  close(): void {
    for (const filesystem of this.#filesystems.values()) filesystem.close();
    this.#filesystems.clear();
    this.#loneNames.clear();
  }
}

/** What was found so far by the handles of one filesystem. */
class Filesystem {
  readonly #points: readonly MountPoint[];
  readonly #paths = new Map<string, readonly BytePath[]>();
  readonly #keys = new Map<string, number | undefined>();
  #open: readonly OpenMount[] | undefined;
  #hasFileMounts: boolean | undefined;

  constructor(points: readonly MountPoint[]) {
    this.#points = points;
  }

  #mounts(): readonly OpenMount[] {
    this.#open ??= this.#points.flatMap((mount) => openMount(mount) ?? []);
    return this.#open;
  }

  pathsOf(handle: string): readonly BytePath[] {
    let paths = this.#paths.get(handle);
    if (paths === undefined) {
      paths = this.#mounts().flatMap((mount) => pathBelow(mount, handle) ?? []);
      this.#paths.set(handle, paths);
    }
    return paths;
  }

  open(handle: string): number | undefined {
    const [mount] = this.#mounts();
    return mount && openHandle(mount.fd, handle);
  }

  keyOf(handle: string): number | undefined {
    if (this.#keys.has(handle)) return this.#keys.get(handle);
    const fd = this.open(handle);
    const key = fd === undefined ? undefined : keyAndClose(fd);
    this.#keys.set(handle, key);
    return key;
  }

  /** Asked for nearly every event, and mostly without opening anything: that would be an event, too. */
  fileMountsOf(handle: string): readonly BytePath[] {
    this.#hasFileMounts ??= this.#points.some(({ path }) => !isDirectoryAt(path));
    if (!this.#hasFileMounts) return NONE;
    return this.#mounts().flatMap((mount) => (mount.isDirectory ? [] : (pathBelow(mount, handle) ?? [])));
  }

  close(): void {
    for (const { fd } of this.#open ?? []) closeSync(fd);
    this.#open = undefined;
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

function keyAndClose(fd: number): number {
  try {
    return inodeKey(fstatSync(fd, { bigint: true }).ino);
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
