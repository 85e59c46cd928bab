// The groups of a trace and their marks, and the way back when a filesystem refuses them.
import { closeSync, openSync, statSync } from 'node:fs';
import { AppError, errorCode, errorMessage, SystemError } from '../domain/errors.ts';
import { escapePath } from '../domain/escape.ts';
import { type BytePath, pathFromText, pathToBytes } from '../domain/path.ts';
import * as abi from '../fanotify/abi.ts';
import { openFdGroup } from '../fanotify/fd-group.ts';
import { FanotifyGroup } from '../fanotify/group.ts';
import type { MountPoint } from '../fanotify/handles.ts';
import type { MountTable } from '../fanotify/mounts.ts';
import { fsidOfFd, O_PATH } from '../libc/handle.ts';
import { CONTENT_EVENTS, eventWords } from './event-names.ts';
import { keyOf, type Target, targetsOf } from './targets.ts';

/** A group and, by the fsid that its events carry, where the filesystems that it sees are mounted. */
export interface TraceGroup {
  readonly group: FanotifyGroup;
  /** Empty in a group whose events carry descriptors. */
  readonly filesystems: Map<string, { readonly device: string; mountPoints: readonly MountPoint[] }>;
}

/** Every program that is linked dynamically opens it right after execve(2). */
export const LOADER_CACHE: BytePath = pathFromText('/etc/ld.so.cache');

/** Why a filesystem allows no mark in a group with file ids (fanotify_mark(2)). */
const REFUSALS: Readonly<Record<string, string>> = {
  EOPNOTSUPP: 'has no file handles',
  EXDEV: 'is a btrfs subvolume',
  ENODEV: 'has no filesystem id',
};

const TYPES = { filesystem: abi.FAN_MARK_FILESYSTEM, mount: abi.FAN_MARK_MOUNT, dir: abi.FAN_MARK_INODE } as const;

/** Owns all groups of a trace. */
export class TraceMarks {
  readonly #events: number;
  readonly #warn: (message: string) => void;
  readonly #fidGroups: TraceGroup[] = [];
  #fdGroup: TraceGroup | undefined;
  readonly #marked = new Set<string>();
  #hasBlindSpot = false;
  #hasRename = true;

  /** `events`: event bits. Throws SystemError when the kernel allows no group. */
  constructor(events: number, warn: (message: string) => void) {
    this.#events = events;
    this.#warn = warn;
    this.#openGroup();
  }

  groups(): readonly TraceGroup[] {
    return this.#fdGroup === undefined ? this.#fidGroups : [...this.#fidGroups, this.#fdGroup];
  }

  /** The event bits that were asked for, as this kernel reports them. */
  get events(): number {
    return this.#hasRename ? this.#events : withoutRename(this.#events);
  }

  /** How many targets are marked. */
  get size(): number {
    return this.#marked.size;
  }

  /** Marks what is not marked yet. Throws SystemError, AppError USAGE when a mark of this kind can see none of the events. */
  mark(target: Target, table: MountTable): void {
    const key = keyOf(target);
    if (!this.#marked.has(key)) {
      this.#markAnew(target);
      this.#marked.add(key);
    }
    this.#follow(target, table);
  }

  /**
   * Marks the start of programs, wherever they lie, in the same queues; to be repeated, for ldconfig(8) replaces the loader's
   * cache, and the mark goes with the old one.
   */
  markPrograms(table: MountTable): void {
    const fdGroup = this.#fdGroup;
    for (const target of targetsOf(table, 'filesystem', [])) {
      const mark = ({ group }: TraceGroup): void => group.mark(TYPES.filesystem, abi.FAN_OPEN_EXEC, target.path);
      if (!isAllowed(() => mark(this.#groupOf(target)))) this.#hasBlindSpot = true;
      this.#follow(target, table);
      if (fdGroup !== undefined) isAllowed(() => mark(fdGroup));
    }
    for (const { group } of this.groups()) isAllowed(() => group.mark(TYPES.dir, abi.FAN_OPEN, LOADER_CACHE));
  }

  /** Whether programs lie where a group with file ids does not see them start. */
  get hasBlindSpot(): boolean {
    return this.#hasBlindSpot;
  }

  /** Takes note of what is mounted now: the marks of what is not went with it. */
  forgetAllBut(keys: ReadonlySet<string>): void {
    for (const key of this.#marked) if (!key.startsWith('dir ') && !keys.has(key)) this.#marked.delete(key);
  }

  #markAnew(target: Target): void {
    const { kind, path } = target;
    try {
      this.#groupOf(target).group.mark(TYPES[kind], this.#maskFor(target), path);
    } catch (error) {
      const refusal = REFUSALS[errorCode(error) ?? ''];
      if (refusal === undefined || kind === 'dir') throw error;
      this.#markWithDescriptors(target, refusal);
    }
  }

  /** In a group without file ids: less is seen. */
  #markWithDescriptors(target: Target, refusal: string): void {
    const mask = this.#events & CONTENT_EVENTS;
    const unseen = eventWords(this.#events & ~CONTENT_EVENTS).join(', ');
    const at = `${escapePath(target.path)}: ${target.mount.type} ${refusal}`;
    if (mask === 0) throw new AppError('IO', `${at}: ${unseen} cannot be seen here`);
    this.#fdGroup ??= { group: openFdGroup(), filesystems: new Map() };
    this.#fdGroup.group.mark(TYPES[target.kind], mask | abi.FAN_ONDIR, target.path);
    if (unseen !== '') this.#warn(`${at}: ${unseen} are not seen here`);
  }

  #maskFor({ kind, path }: Target): number {
    const { events } = this;
    if (kind === 'filesystem') return events | abi.FAN_ONDIR;
    const possible = kind === 'mount' ? events & CONTENT_EVENTS : events & ~abi.FAN_FS_ERROR;
    if (possible === 0) {
      throw new AppError('USAGE', `--${kind}: such a mark cannot see ${eventWords(events).join(', ')}`, {
        hint: kind === 'mount' ? '--filesystem sees every event' : 'only a filesystem mark can',
      });
    }
    if (kind === 'mount') return possible | abi.FAN_ONDIR;
    if (statSync(pathToBytes(path)).isDirectory()) return possible | abi.FAN_ONDIR | abi.FAN_EVENT_ON_CHILD;
    // fanotify_mark(2), ENOTDIR: what happens to entries needs a directory.
    return possible & ~(abi.FAN_CREATE | abi.FAN_DELETE | abi.FAN_MOVE | abi.FAN_RENAME);
  }

  /** Clones of one image have the same fsid: events of two such filesystems in one group could not be told apart. */
  #groupOf(target: Target): TraceGroup {
    const [device, fsid] = [target.mount.device, fsidOf(target)];
    const fits = ({ filesystems }: TraceGroup): boolean => (filesystems.get(fsid)?.device ?? device) === device;
    const found = this.#fidGroups.find(fits) ?? this.#openGroup();
    if (!found.filesystems.has(fsid)) found.filesystems.set(fsid, { device, mountPoints: [] });
    return found;
  }

  #openGroup(): TraceGroup {
    const opened: TraceGroup = { group: this.#openFidGroup(), filesystems: new Map() };
    this.#fidGroups.push(opened);
    return opened;
  }

  /** Renames name both sides since Linux 5.17, one side each before. */
  #openFidGroup(): FanotifyGroup {
    try {
      return FanotifyGroup.open({ flags: abi.FAN_CLASS_NOTIF | abi.FAN_REPORT_DFID_NAME_TARGET });
    } catch (error) {
      if (!(error instanceof SystemError && error.code === 'EINVAL')) throw error;
      this.#hasRename = false;
      return FanotifyGroup.open({ flags: abi.FAN_CLASS_NOTIF | abi.FAN_REPORT_DFID_NAME | abi.FAN_REPORT_FID });
    }
  }

  /** Where the target's filesystem is mounted now; the target's own mount first. */
  #follow({ mount }: Target, table: MountTable): void {
    const same = table.mounts.filter(({ device }) => device === mount.device).filter((one) => table.isVisible(one));
    const own = same.filter(({ id }) => id === mount.id);
    for (const { filesystems } of this.#fidGroups) {
      for (const [fsid, filesystem] of filesystems) {
        if (filesystem.device !== mount.device) continue;
        const ordered = [...own, ...same.filter(({ id }) => id !== mount.id)];
        filesystem.mountPoints = ordered.map(({ mountPoint }) => ({ path: mountPoint, fsid }));
      }
    }
  }

  /** Idempotent. */
  close(): void {
    for (const { group } of this.groups()) group.close();
  }
}

function withoutRename(events: number): number {
  return (events & abi.FAN_RENAME) === 0 ? events : (events & ~abi.FAN_RENAME) | abi.FAN_MOVE;
}

function fsidOf({ path }: Target): string {
  let fd: number;
  try {
    fd = openSync(pathToBytes(path), O_PATH);
  } catch (error) {
    throw new AppError('IO', `cannot trace ${escapePath(path)}: ${errorMessage(error)}`, { cause: error });
  }
  try {
    return fsidOfFd(fd);
  } finally {
    closeSync(fd);
  }
}

function isAllowed(mark: () => void): boolean {
  try {
    mark();
    return true;
  } catch (error) {
    if (!(error instanceof SystemError || error instanceof AppError)) throw error;
    return false;
  }
}
