// Where no mark takes in a whole filesystem and reports file ids (overlayfs, btrfs subvolumes, FUSE): one inode mark for each
// directory that the rules cover. They say what a mount mark cannot: names, attributes, truncation, other mounts.
import { errorCode } from '../domain/errors.ts';
import { type BytePath, isWithin, joinPath } from '../domain/path.ts';
import type { Scope } from '../domain/rule.ts';
import * as abi from '../fanotify/abi.ts';
import type { FanotifyEvent } from '../fanotify/decode.ts';
import type { FanotifyGroup } from '../fanotify/group.ts';
import type { ObjectPaths } from '../fanotify/handles.ts';
import { keyOfLoneName, keyOfName } from '../fanotify/inode-of-name.ts';
import { handleOfPath } from '../libc/handle.ts';
import type { EventPath } from './event-paths.ts';
import { directoriesIn, withDirectory } from './safe-directory.ts';

const PLACE = abi.FAN_MARK_INODE | abi.FAN_MARK_ONLYDIR | abi.FAN_MARK_DONT_FOLLOW;
const ENTRY_EVENTS = abi.FAN_CREATE | abi.FAN_DELETE | abi.FAN_MOVE | abi.FAN_RENAME;
/** Each pins an inode, and root's marks on all filesystems together are limited (fs.fanotify.max_user_marks). */
const MARKS_MAX = 65_536;
/** Handles that were looked for in vain: of directories that left what the rules cover, and are still marked. */
const STRANGERS_MAX = 1_024;

export interface DirectoryMarksOptions {
  readonly group: FanotifyGroup;
  /** Of a filesystem mark of the group; FAN_EVENT_ON_CHILD is added. */
  readonly mask: number;
  readonly scope: Scope;
  /** Whether another mount begins at a path: it has marks of its own. */
  readonly isOther: (path: BytePath) => boolean;
}

/** A group of its own (inode marks of two subvolumes do not mix: EXDEV), and the paths of the directories marked in it. */
export class DirectoryMarks implements ObjectPaths {
  readonly #options: DirectoryMarksOptions;
  readonly #paths = new Map<string, BytePath>();
  readonly #handles = new Map<BytePath, string>();
  readonly #strangers = new Set<string>();
  #isComplete = true;
  #hasLooked = false;

  constructor(options: DirectoryMarksOptions) {
    this.#options = options;
  }

  /** Of the directories that are marked. */
  handles(): Iterable<string> {
    return this.#paths.keys();
  }

  /** False when some directory could not be marked: what happens in it is left to the mount mark and the sweep. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Marks `top`, and below it what leads to rule paths or is covered. Throws SystemError when `top` itself is refused. */
  markTree(top: BytePath): void {
    this.#mark(top);
    const queue = [top];
    for (let dir = queue.pop(); dir !== undefined; dir = queue.pop()) {
      for (const name of withDirectory(dir, directoriesIn) ?? []) {
        const path = joinPath(dir, name);
        if (this.#isWanted(path) && !this.#options.isOther(path) && this.#tryMark(path)) queue.push(path);
      }
    }
  }

  #isWanted(path: BytePath): boolean {
    const { scope } = this.#options;
    return scope.ruleOf(path) !== undefined || scope.roots.some((root) => isWithin(root, path));
  }

  /** The mark comes first: whoever lists the directory afterwards misses nothing. */
  #mark(dir: BytePath): void {
    const { group, mask } = this.#options;
    group.mark(PLACE, mask | abi.FAN_EVENT_ON_CHILD, dir);
    const handle = handleOfPath(dir);
    this.#forget(dir);
    this.#paths.set(handle, dir);
    this.#handles.set(dir, handle);
    this.#strangers.delete(handle);
  }

  #tryMark(dir: BytePath): boolean {
    if (this.#handles.size >= MARKS_MAX) {
      this.#isComplete = false;
      return false;
    }
    try {
      this.#mark(dir);
      return true;
    } catch (error) {
      // Gone or replaced meanwhile: an event of its parent says so. Anything else is a place where nothing is heard of.
      const code = errorCode(error);
      if (code !== 'ENOENT' && code !== 'ENOTDIR') this.#isComplete = false;
      return false;
    }
  }

  #forget(dir: BytePath): void {
    const handle = this.#handles.get(dir);
    this.#handles.delete(dir);
    if (handle !== undefined && this.#paths.get(handle) === dir) this.#paths.delete(handle);
  }

  /** After the paths of an event were asked for: directories that came or moved are marked, those that went forgotten. */
  follow({ mask }: FanotifyEvent, paths: readonly EventPath[]): void {
    if ((mask & abi.FAN_ONDIR) === 0 || (mask & ENTRY_EVENTS) === 0) return;
    for (const { path } of paths) {
      if (!this.#handles.has(path)) continue;
      for (const dir of [...this.#handles.keys()]) if (isWithin(dir, path)) this.#forget(dir);
    }
    for (const { path } of paths) if (this.#isWanted(path) && this.#tryMark(path)) this.markTree(path);
  }

  pathsOf(_fsid: string, handle: string): readonly BytePath[] {
    let path = this.#paths.get(handle);
    if (path === undefined && !this.#strangers.has(handle)) {
      // A directory of a lower layer that was written to is copied up, and may be known by another handle since. One look sees all
      // that the events of this batch can tell of: very many deleted directories must not cost one each.
      if (!this.#hasLooked) this.#lookAgain();
      this.#hasLooked = true;
      path = this.#paths.get(handle);
      if (this.#strangers.size >= STRANGERS_MAX) this.#strangers.clear();
      if (path === undefined) this.#strangers.add(handle);
    }
    return path === undefined ? [] : [path];
  }

  #lookAgain(): void {
    for (const dir of [...this.#handles.keys()]) {
      this.#forget(dir);
      this.#tryMark(dir);
    }
  }

  fileMountsOf(): readonly BytePath[] {
    return [];
  }

  /** By name: not every filesystem that needs these marks can open a handle. */
  keyOf(_fsid: string, _handle: string, path: BytePath | undefined): number | undefined {
    return path && keyOfName(path);
  }

  keyOfLoneName(path: BytePath): number | undefined {
    return keyOfLoneName(path);
  }

  /** Called after each batch of events; what is known stays. */
  close(): void {
    this.#hasLooked = false;
  }
}
