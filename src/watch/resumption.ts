// The groups of a watch before this one, which somebody kept open (systemd's descriptor store): their queues have what
// happened since, if their marks saw all that is watched now.
import { FAN_CREATE, FAN_MARK_INODE } from '../fanotify/abi.ts';
import type { MarkInfo } from '../fanotify/fdinfo.ts';
import { FanotifyGroup } from '../fanotify/group.ts';
import type { Mount } from '../fanotify/mounts.ts';
import { closeFd } from '../libc/handle.ts';
import { type FidGroup, isFdGroup, MOUNT_MASK, maskOfFidGroup } from './groups.ts';

/** A descriptor that was kept, to be owned from now on; the paths that are covered and ignored are still the same. */
export interface StoredGroup {
  readonly name: string;
  readonly fd: number;
}

interface Former {
  readonly name: string;
  readonly group: FanotifyGroup;
  /** Undefined in a group whose events carry descriptors. */
  readonly filesystemMask: number | undefined;
  /** As the kernel kept them, before any is added. */
  readonly marks: readonly MarkInfo[];
  isTaken: boolean;
}

export class Resumption {
  #formers: readonly Former[];
  #isWhole: boolean;

  /** What is no group as the watcher opens them is closed. */
  constructor(stored: readonly StoredGroup[]) {
    this.#formers = stored.flatMap((one) => adopted(one) ?? []);
    this.#isWhole = stored.length > 0;
  }

  /** Those with marks on filesystems and mounts, and events with file ids; taken by this. */
  takeFidGroups(): FidGroup[] {
    const found = this.#formers.filter(
      ({ filesystemMask, marks }) => filesystemMask !== undefined && !isOfDirectories(marks),
    );
    // Only ignore marks are on inodes: of files that nobody follows any more to where a rule covers them.
    for (const { group } of found) group.flush(FAN_MARK_INODE);
    return found.flatMap((former) => taken(former));
  }

  /** The one whose events carry descriptors. */
  takeFdGroup(): FanotifyGroup | undefined {
    const found = this.#formers.find(({ filesystemMask, isTaken }) => filesystemMask === undefined && !isTaken);
    if (found !== undefined) found.isTaken = true;
    return found?.group;
  }

  /**
   * The one whose marks are on a directory and those below it; `handle`: of that directory, `device`: its mount's, as in fdinfo.
   * Undefined, too, when several are (a subvolume that is mounted twice): nothing tells whose is whose.
   */
  takeDirectories(handle: string, device: string): FidGroup | undefined {
    const [found, another] = this.#formers.filter(({ marks, isTaken }) => !isTaken && isOn(marks, handle, device));
    return found === undefined || another !== undefined ? undefined : taken(found)[0];
  }

  /** Whether a mount had its mark in that group. */
  hasMarked(group: FanotifyGroup, mount: Mount, kind: 'filesystem' | 'mount'): boolean {
    const former = this.#of(group);
    const wanted = kind === 'filesystem' ? (former?.filesystemMask ?? 0) : MOUNT_MASK;
    return (former?.marks ?? []).some(
      (mark) =>
        (mark.mask & wanted) === wanted &&
        (kind === 'filesystem'
          ? mark.kind === kind && mark.device === mount.device
          : mark.kind === kind && mark.mountId === mount.id),
    );
  }

  /** A mount was marked in a group: `kind` says what its events come from. */
  note(group: FanotifyGroup, mount: Mount, kind: 'filesystem' | 'mount'): void {
    this.#isWhole &&= this.hasMarked(group, mount, kind);
  }

  /** Directories were marked one by one: all of those that are, and had a mark before. */
  noteDirectories(
    group: FanotifyGroup,
    directories: { readonly isComplete: boolean; handles(): Iterable<string> },
  ): void {
    const before = new Set(
      (this.#of(group)?.marks ?? []).map((mark) => (isOnDirectory(mark) ? mark.handle : undefined)),
    );
    this.#isWhole &&= directories.isComplete && [...directories.handles()].every((handle) => before.has(handle));
  }

  /** Something that is watched had no mark. */
  lacks(): void {
    this.#isWhole = false;
  }

  #of(group: FanotifyGroup): Former | undefined {
    return this.#formers.find((former) => former.group === group);
  }

  nameOf(group: FanotifyGroup): string | undefined {
    return this.#of(group)?.name;
  }

  /** All marks are set: closes what nobody took. Idempotent. */
  end(): void {
    for (const { group, isTaken } of this.#formers) if (!isTaken) group.close();
    this.#formers = this.#formers.filter(({ isTaken }) => isTaken);
  }

  /** Nothing that is watched went unseen in between. */
  get isWhole(): boolean {
    return this.#isWhole;
  }
}

function adopted({ name, fd }: StoredGroup): Former | undefined {
  const group = FanotifyGroup.adopt(fd);
  const filesystemMask = group && maskOfFidGroup(group);
  if (group !== undefined && (filesystemMask !== undefined || isFdGroup(group))) {
    return { name, group, filesystemMask, marks: group.marks(), isTaken: false };
  }
  closeFd(fd);
  return undefined;
}

function taken(former: Former): FidGroup[] {
  former.isTaken = true;
  const { group, filesystemMask } = former;
  return filesystemMask === undefined ? [] : [{ group, filesystemMask }];
}

function isOfDirectories(marks: readonly MarkInfo[]): boolean {
  return marks.some(isOnDirectory);
}

/** Other marks on inodes have masks of what is ignored alone, or tell where programs are started. */
function isOnDirectory(mark: MarkInfo): mark is MarkInfo & { readonly kind: 'inode' } {
  return mark.kind === 'inode' && (mark.mask & FAN_CREATE) !== 0;
}

function isOn(marks: readonly MarkInfo[], handle: string, device: string): boolean {
  return marks.some((mark) => isOnDirectory(mark) && mark.handle === handle && mark.device === device);
}
