// What is mounted where: proc_pid_mountinfo(5).
import { type BytePath, isWithin, pathFromLatin1, ROOT } from '../domain/path.ts';

export interface Mount {
  /** Unique while the mount exists; the kernel reuses the numbers. */
  readonly id: number;
  readonly parentId: number;
  /** `major:minor` of the filesystem, the same for all its mounts. */
  readonly device: string;
  /** What of the filesystem is mounted: `/`, or a directory of it (bind mount, btrfs subvolume). */
  readonly root: BytePath;
  readonly mountPoint: BytePath;
  readonly type: string;
}

/** `text`: the file as latin1. Lines that are not as the man page says are left out. */
export function parseMountinfo(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    // 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw
    const [own = '', filesystem] = line.split(' - ', 2);
    const [id, parentId, device, root, mountPoint] = own.split(' ');
    if (id === undefined || parentId === undefined || device === undefined) return [];
    if (root === undefined || mountPoint === undefined || filesystem === undefined) return [];
    return {
      id: Number(id),
      parentId: Number(parentId),
      device,
      root: unescapeOctal(root),
      mountPoint: unescapeOctal(mountPoint),
      type: filesystem.split(' ')[0] ?? '',
    };
  });
}

/** Space, tab, newline, `#` and backslash come as three octal digits (mangle_path in fs/seq_file.c). */
function unescapeOctal(field: string): BytePath {
  return pathFromLatin1(field.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 8))));
}

/** The mounts as the kernel walks them: which one a path is on. */
export interface MountTable {
  readonly mounts: readonly Mount[];
  /** The mount that a path (its last component not followed) is on; undefined only when nothing is mounted on `/`. */
  mountAt(path: BytePath): Mount | undefined;
  /** Whether the mount's own mount point leads to it: false when another mount hides it. */
  isVisible(mount: Mount): boolean;
}

export function mountTable(mounts: readonly Mount[]): MountTable {
  const ids = new Set(mounts.map(({ id }) => id));
  const children = new Map<number, Mount[]>();
  for (const mount of mounts) {
    if (mount.parentId === mount.id || !ids.has(mount.parentId)) continue;
    children.set(mount.parentId, [...(children.get(mount.parentId) ?? []), mount]);
  }
  const top = mounts.find(
    ({ mountPoint, parentId, id }) => mountPoint === ROOT && (parentId === id || !ids.has(parentId)),
  );

  // A child nearer to the parent's root hides the ones below it, which hang on directories that it covers. What was
  // mounted later on the same directory is a child of the former mount, not of the parent.
  const mountAt = (path: BytePath): Mount | undefined => {
    let at = top;
    for (let next = at; next !== undefined; ) {
      at = next;
      next = undefined;
      for (const child of children.get(at.id) ?? []) {
        if (!isWithin(path, child.mountPoint)) continue;
        if (next === undefined || child.mountPoint.length < next.mountPoint.length) next = child;
      }
    }
    return at;
  };
  return { mounts, mountAt, isVisible: (mount) => mountAt(mount.mountPoint)?.id === mount.id };
}
