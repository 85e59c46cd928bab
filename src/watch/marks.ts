// Marks per mount, and the way back when a filesystem refuses them.
import { closeSync, openSync } from 'node:fs';
import type { CoverageMode } from '../domain/coverage.ts';
import { errorCode, errorMessage, SystemError } from '../domain/errors.ts';
import { type BytePath, pathToBytes } from '../domain/path.ts';
import type { Scope } from '../domain/rule.ts';
import { FAN_MARK_FILESYSTEM, FAN_MARK_MOUNT } from '../fanotify/abi.ts';
import { openFdGroup } from '../fanotify/fd-group.ts';
import type { FanotifyGroup } from '../fanotify/group.ts';
import { HandlePaths, type MountPoint } from '../fanotify/handles.ts';
import type { Mount } from '../fanotify/mounts.ts';
import { fsidOfFd, handleOfPath, O_PATH } from '../libc/handle.ts';
import type { Canary } from './canary.ts';
import { DirectoryMarks } from './directory-marks.ts';
import { type FidGroup, MOUNT_MASK, openFidGroup, withoutCapability } from './groups.ts';
import type { HeldGroups } from './held-groups.ts';
import {
  directoryMarks,
  type Expected,
  filesystemMark,
  type MarkKind,
  mountMark,
  type presentMarks,
} from './mark-check.ts';
import { Resumption } from './resumption.ts';

export interface MarkOutcome {
  readonly mode: CoverageMode;
  /** Why it is not better. */
  readonly reason: string | undefined;
}

/** A group and, by the fsid that its events carry, the filesystems that it watches. */
export interface WatchGroup {
  readonly group: FanotifyGroup;
  /** Empty in a group whose events carry descriptors. */
  readonly filesystems: Filesystems;
  /** In a group of directories marked one by one: those. */
  readonly directories?: DirectoryMarks;
}

type Filesystems = Map<string, { readonly device: string; readonly mountPoints: MountPoint[] }>;

interface FidWatchGroup extends WatchGroup {
  readonly filesystemMask: number;
}

const REASONS: Readonly<Record<string, string>> = {
  EOPNOTSUPP: 'has no file handles',
  EXDEV: 'is a btrfs subvolume',
  ENODEV: 'has no filesystem id',
};

/** What does not go through a mount of this type. */
const ASIDES: Readonly<Record<string, string>> = { overlay: ', and writes to its upper directory itself are not seen' };

/** Whether a path is on another mount than the one that is being marked. */
type IsOther = (path: BytePath) => boolean;

/** Owns all groups of the watcher. */
export class Marks {
  readonly #kind: 'auto' | 'mount';
  readonly #scope: Scope;
  /** Groups of directories marked one by one, by mount. */
  readonly #directories = new Map<Mount, WatchGroup>();
  readonly #expected = new Map<Mount, Expected[]>();
  readonly #fidGroups: FidWatchGroup[] = [];
  readonly #resumption: Resumption;
  readonly #held: HeldGroups | undefined;
  #fdGroup: WatchGroup | undefined;
  #hasMarked = false;

  /** Opens the first group, so that a missing capability or kernel feature shows at once. Throws AppError. */
  constructor(kind: 'auto' | 'mount', scope: Scope, resumption: Resumption = new Resumption([]), held?: HeldGroups) {
    this.#kind = kind;
    this.#scope = scope;
    this.#resumption = resumption;
    this.#held = held;
    const former = resumption.takeFidGroups();
    for (const group of former.length > 0 ? former : [openFidGroup()]) this.#openGroup(group);
  }

  groups(): WatchGroup[] {
    return [...this.#fidGroups, ...this.#directories.values(), ...(this.#fdGroup === undefined ? [] : [this.#fdGroup])];
  }

  /** The group whose filesystem mark covers a filesystem, by the device of its mounts. */
  groupOf(device: string): FanotifyGroup | undefined {
    const isOn = ({ filesystems }: WatchGroup): boolean =>
      [...filesystems.values()].some((one) => one.device === device);
    return this.#fidGroups.find(isOn)?.group;
  }

  /** Marks a mount as well as its filesystem allows. Throws AppError NO_PERMISSION. */
  watch(mount: Mount, isOther: IsOther): MarkOutcome {
    try {
      return this.#watchWithIds(mount);
    } catch (error) {
      const code = errorCode(error);
      // Later a filesystem of somebody's making (FUSE) may answer so; the others stay watched.
      if (code === 'EPERM' && !this.#hasMarked) throw withoutCapability('CAP_SYS_ADMIN', error);
      if (code === undefined || REASONS[code] === undefined) {
        this.#resumption.lacks();
        return { mode: 'sweep', reason: errorMessage(error) };
      }
      return this.#fallBack(mount, isOther, `${mount.type} ${REASONS[code]}`);
    }
  }

  #watchWithIds(mount: Mount): MarkOutcome {
    const fsid = fsidOf(mount);
    const { group, filesystems, filesystemMask } = this.#groupFor(mount, fsid);
    if (this.#kind === 'auto') {
      group.mark(FAN_MARK_FILESYSTEM, filesystemMask, mount.mountPoint);
      this.#expect(mount, filesystemMark(group, mount.device, filesystemMask));
    }
    group.mark(FAN_MARK_MOUNT, MOUNT_MASK, mount.mountPoint);
    this.#expect(mount, mountMark(group, mount.id, MOUNT_MASK));
    this.#hasMarked = true;
    this.#resumption.note(group, mount, this.#markKind);
    const filesystem = filesystems.get(fsid) ?? { device: mount.device, mountPoints: [] };
    filesystem.mountPoints.push({ path: mount.mountPoint, fsid });
    filesystems.set(fsid, filesystem);
    if (this.#kind === 'auto') return { mode: 'filesystem', reason: undefined };
    return { mode: 'mount', reason: 'marks: mount' };
  }

  /** Clones of one image have the same fsid: events of two such filesystems in one group could not be told apart. */
  #groupFor(mount: Mount, fsid: string): FidWatchGroup {
    const { device } = mount;
    const fitting = this.#fidGroups.filter(({ filesystems }) => (filesystems.get(fsid)?.device ?? device) === device);
    const former = fitting.find(({ group }) => this.#resumption.hasMarked(group, mount, this.#markKind));
    return former ?? fitting[0] ?? this.#openGroup(openFidGroup());
  }

  get #markKind(): 'filesystem' | 'mount' {
    return this.#kind === 'auto' ? 'filesystem' : 'mount';
  }

  #openGroup({ group, filesystemMask }: FidGroup): FidWatchGroup {
    const opened: FidWatchGroup = { group, filesystemMask, filesystems: new Map() };
    this.#fidGroups.push(opened);
    return opened;
  }

  /** Content by a mark on the mount, for which no directory comes too late; the rest by a mark on each directory. */
  #fallBack(mount: Mount, isOther: IsOther, why: string): MarkOutcome {
    const content = this.#watchWithDescriptors(mount, why);
    if (this.#kind === 'mount') return content;
    const former = this.#resumption.takeDirectories(handleOfPath(mount.mountPoint), mount.device);
    const { group, filesystemMask } = former ?? openFidGroup();
    const directories = new DirectoryMarks({ group, mask: filesystemMask, scope: this.#scope, isOther });
    try {
      directories.markTree(mount.mountPoint);
    } catch (error) {
      group.close();
      this.#resumption.lacks();
      if (!(error instanceof SystemError)) throw error;
      return content;
    }
    this.#resumption.noteDirectories(group, directories);
    this.#directories.set(mount, { group, filesystems: new Map(), directories });
    this.#expect(
      mount,
      directoryMarks(group, () => directories.handles()),
    );
    if (directories.isComplete)
      return { mode: 'inode', reason: `${why}: its directories are marked one by one${ASIDES[mount.type] ?? ''}` };
    return { mode: content.mode, reason: `${content.reason}, and not all of its directories could be marked` };
  }

  #watchWithDescriptors(mount: Mount, why: string): MarkOutcome {
    try {
      this.#fdGroup ??= { group: this.#resumption.takeFdGroup() ?? openFdGroup(), filesystems: new Map() };
      this.#resumption.note(this.#fdGroup.group, mount, 'mount');
      this.#fdGroup.group.mark(FAN_MARK_MOUNT, MOUNT_MASK, mount.mountPoint);
      this.#expect(mount, mountMark(this.#fdGroup.group, mount.id, MOUNT_MASK));
      return { mode: 'mount', reason: `${why}: only content written through this mount is seen at once` };
    } catch (error) {
      this.#resumption.lacks();
      if (!(error instanceof SystemError)) throw error;
      return { mode: 'sweep', reason: `${why}, and ${error.message}` };
    }
  }

  #expect(mount: Mount, expected: Expected): void {
    this.#expected.set(mount, [...(this.#expected.get(mount) ?? []), expected]);
  }

  /** Whether the kernel still has all of these kinds that `watch` has set for a mount. */
  holds(mount: Mount, marksOf: ReturnType<typeof presentMarks>, kinds: readonly MarkKind[]): boolean {
    const expected = (this.#expected.get(mount) ?? []).filter(({ kind }) => kinds.includes(kind));
    return expected.every(({ group, has }) => has(marksOf(group)));
  }

  /** Where the mount's events can be asked for one; undefined where they carry descriptors. */
  canaryOf(mount: Mount): Canary | undefined {
    const own = this.#directories.get(mount)?.group;
    const group = own ?? this.groupOf(mount.device);
    return group && { group, at: mount.mountPoint, isMarked: own !== undefined };
  }

  /** The mount is gone or hidden; its marks went with it, or do no harm. */
  forget(mount: Mount): void {
    this.#directories.get(mount)?.group.close();
    this.#directories.delete(mount);
    this.#expected.delete(mount);
    for (const { filesystems } of this.#fidGroups) {
      for (const [fsid, { device, mountPoints }] of filesystems) {
        const at = device === mount.device ? mountPoints.findIndex(({ path }) => path === mount.mountPoint) : -1;
        if (at !== -1) mountPoints.splice(at, 1);
        if (mountPoints.length === 0) filesystems.delete(fsid);
      }
    }
  }

  /** All mounts have been marked or forgotten: ends groups without any, but for the first, which is there for the next. */
  settle(): void {
    this.#resumption.end();
    for (const one of this.#fidGroups.slice(1)) {
      if (one.filesystems.size > 0) continue;
      this.#fidGroups.splice(this.#fidGroups.indexOf(one), 1);
      one.group.close();
    }
    this.#held?.tell(this.groups());
  }

  /** Idempotent. */
  close(): void {
    for (const { group } of this.groups()) group.close();
  }
}

/** The paths of a group's objects; to be closed after each batch of events. */
export function handlesOf({ filesystems }: WatchGroup): HandlePaths {
  return new HandlePaths((fsid) => filesystems.get(fsid)?.mountPoints ?? []);
}

function fsidOf(mount: Mount): string {
  const fd = openSync(pathToBytes(mount.mountPoint), O_PATH);
  try {
    return fsidOfFd(fd);
  } finally {
    closeSync(fd);
  }
}
