// What is marked, and how: from paths and the mount table to targets. Pure.
import { AppError } from '../domain/errors.ts';
import { escapePath } from '../domain/escape.ts';
import type { BytePath } from '../domain/path.ts';
import type { Mount, MountTable } from '../fanotify/mounts.ts';

/** `dir`: that directory with its entries, or that file. `within`: its filesystem, of which only what lies below is shown. */
export type MarkKind = 'within' | 'filesystem' | 'mount' | 'dir';

/** One mark. */
export interface Target {
  readonly kind: 'filesystem' | 'mount' | 'dir';
  readonly path: BytePath;
  readonly mount: Mount;
}

/** Filesystems of the kernel's own: nobody's files. */
const VIRTUAL = new Set(
  'proc sysfs devtmpfs devpts cgroup cgroup2 mqueue debugfs tracefs securityfs configfs pstore bpf autofs binfmt_misc fusectl hugetlbfs nsfs efivarfs rpc_pipefs selinuxfs'.split(
    ' ',
  ),
);

/** The targets for these paths; without paths, every mounted filesystem that holds files. Throws AppError USAGE. */
export function targetsOf(table: MountTable, kind: MarkKind, paths: readonly BytePath[]): Target[] {
  if (paths.length === 0 && kind === 'dir') throw new AppError('USAGE', '--dir: name the directory');
  const mark = kind === 'within' ? 'filesystem' : kind;
  const all =
    paths.length === 0 ? everywhere(table, mark) : paths.flatMap((path) => targetsAt(table, kind, mark, path));
  const keys = new Set<string>();
  return all.filter((target) => keys.size < keys.add(keyOf(target)).size);
}

/** The same object of the kernel has the same key. */
export function keyOf({ kind, path, mount }: Target): string {
  if (kind === 'dir') return `dir ${path}`;
  return kind === 'mount' ? `mount ${mount.id} ${mount.mountPoint}` : `filesystem ${mount.device}`;
}

function everywhere(table: MountTable, kind: Target['kind']): Target[] {
  return table.mounts
    .filter((mount) => !VIRTUAL.has(mount.type) && table.isVisible(mount))
    .map((mount) => ({ kind, path: mount.mountPoint, mount }));
}

function targetsAt(table: MountTable, kind: MarkKind, mark: Target['kind'], path: BytePath): Target[] {
  const mount = table.mountAt(path);
  if (mount === undefined) throw new AppError('IO', `nothing is mounted at ${escapePath(path)}`);
  const own: Target = { kind: mark, path: kind === 'dir' ? path : mount.mountPoint, mount };
  if (kind !== 'within') return [own];
  // A directory is traced with all that is mounted below it.
  return [own, ...everywhere(table, mark).filter((target) => target.path.startsWith(path === '/' ? path : `${path}/`))];
}
