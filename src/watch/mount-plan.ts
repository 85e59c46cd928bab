// Which mounts the rules need watched.
import { type BytePath, isWithin, ROOT } from '../domain/path.ts';
import type { Scope } from '../domain/rule.ts';
import type { Mount, MountTable } from '../fanotify/mounts.ts';

/**
 * The mount of every rule path (of its nearest existing directory when it does not exist), and the mounts below rule
 * paths, unless their rule stays on one filesystem or leaves the mount point out.
 */
export function planMounts(table: MountTable, scope: Scope): Mount[] {
  const wanted = new Map<number, Mount>();
  for (const root of scope.roots) {
    const mount = table.mountAt(root);
    if (mount !== undefined) wanted.set(mount.id, mount);
  }
  for (const mount of table.mounts) {
    const rule = scope.ruleOf(mount.mountPoint);
    if (rule !== undefined && !rule.oneFileSystem && table.isVisible(mount)) wanted.set(mount.id, mount);
  }
  return [...wanted.values()];
}

/** Whether a mount at `path` hides, or no longer hides, something that a rule covers. */
export function concerns(scope: Scope, path: BytePath): boolean {
  return scope.ruleOf(path) !== undefined || scope.roots.some((root) => isWithin(root, path));
}

/** The other paths at which the same directory is seen, by the mounts of its filesystem. */
export function aliasesOf(table: MountTable, path: BytePath): BytePath[] {
  const mount = table.mountAt(path);
  if (mount === undefined) return [];
  const inside = below(mount.root, restBelow(path, mount.mountPoint));
  const isAnother = ({ id, device, root }: Mount): boolean =>
    id !== mount.id && device === mount.device && isWithin(inside, root);
  return table.mounts
    .filter((other) => isAnother(other) && table.isVisible(other))
    .map(({ root, mountPoint }) => below(mountPoint, restBelow(inside, root)));
}

/** With its slash; empty for `dir` itself. */
function restBelow(path: BytePath, dir: BytePath): string {
  if (path === dir) return '';
  return dir === ROOT ? path : path.slice(dir.length);
}

function below(dir: BytePath, rest: string): BytePath {
  return (dir === ROOT && rest !== '' ? rest : dir + rest) as BytePath;
}
