// The names in an event.
import { type BytePath, joinPath, pathFromLatin1 } from '../domain/path.ts';
import { FAN_ATTRIB, FAN_CREATE, FAN_MOVED_TO, FAN_ONDIR, FAN_RENAME } from '../fanotify/abi.ts';
import type { FanotifyEvent, InfoRecord } from '../fanotify/decode.ts';
import { type HandlePaths, isDeleted, type MountPoint } from '../fanotify/handles.ts';
import { pathOfFd } from '../libc/handle.ts';

import { DirectoryMemory } from './directory-memory.ts';

export interface EventNames {
  readonly path: BytePath | undefined;
  /** The old name of a rename. */
  readonly from: BytePath | undefined;
}

/** One of several paths, which bind mounts of one filesystem give. */
export type Choose = (paths: readonly BytePath[]) => BytePath | undefined;

const DELETED = ' (deleted)';

/** Names events; owns nothing. */
export class EventPaths {
  readonly #choose: Choose;
  /** Roots of mounts: they never move, and naming them must not open anything, or two traces would feed each other. */
  readonly #roots = new Map<string, readonly BytePath[]>();

  readonly #memory = new DirectoryMemory();

  constructor(choose: Choose) {
    this.#choose = choose;
  }

  /** To be called when the mount table has changed. */
  forgetRoots(): void {
    this.#roots.clear();
  }

  /** Throws SystemError when the filesystem fails to answer. */
  namesOf(event: FanotifyEvent, handles: HandlePaths, mountPoints: readonly MountPoint[]): EventNames {
    if (event.fd >= 0) return { path: pathOfDescriptor(event.fd), from: undefined };
    const lookUp = (record: InfoRecord | undefined): BytePath | undefined =>
      record === undefined ? undefined : this.#pathOf(record, handles, mountPoints);
    const find = (kind: InfoRecord['kind']): InfoRecord | undefined => event.records.find((one) => one.kind === kind);
    const [old, now] = [find('oldDirFidName'), find('newDirFidName')];
    const isRename = old !== undefined || now !== undefined;
    const names = isRename
      ? { path: lookUp(now), from: lookUp(old) }
      : { path: lookUp(find('dirFidName') ?? find('dirFid') ?? find('fid')), from: undefined };
    if ((event.mask & FAN_ONDIR) !== 0) this.#learn(event, find('fid'), names);
    return names;
  }

  #pathOf(record: InfoRecord, handles: HandlePaths, mountPoints: readonly MountPoint[]): BytePath | undefined {
    if (!('handle' in record)) return undefined;
    const id = record.fsid + record.handle;
    const name = 'name' in record ? record.name : '.';
    const present = this.#roots.get(id) ?? handles.pathsOf(record.fsid, record.handle);
    const dirs = present.length > 0 || record.kind === 'fid' ? present : this.#memory.recall(id);
    if (present.length > 0 && record.kind !== 'fid') {
      const isRoot = present.every((dir) => mountPoints.some(({ path }) => path === dir));
      if (isRoot) this.#roots.set(id, present);
      else this.#memory.keep(id, present);
    }
    return this.#choose(name === '.' ? dirs : dirs.map((dir) => joinPath(dir, pathFromLatin1(name))));
  }

  /** A directory that has just got its name. */
  #learn({ mask }: FanotifyEvent, object: InfoRecord | undefined, { path, from }: EventNames): void {
    if (path === undefined || object === undefined || !('handle' in object)) return;
    if ((mask & FAN_RENAME) !== 0 && from !== undefined) this.#memory.move(from, path);
    if ((mask & NAMING) !== 0) this.#memory.keep(object.fsid + object.handle, [path]);
  }
}

const NAMING = FAN_CREATE | FAN_MOVED_TO | FAN_RENAME;

/** The count of an object's links changed: the entry's own event says why, unless the object still has a name. */
export function isEcho({ mask, records }: FanotifyEvent, { path }: EventNames): boolean {
  const isUnnamed = records.length > 0 && records.every(({ kind }) => kind === 'fid');
  return path === undefined && isUnnamed && (mask & ~FAN_ONDIR) === FAN_ATTRIB;
}

function pathOfDescriptor(fd: number): BytePath | undefined {
  const path = pathOfFd(fd);
  if (path === undefined) return undefined;
  return pathFromLatin1(isDeleted(fd, path) ? path.slice(0, -DELETED.length) : path);
}
