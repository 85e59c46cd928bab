// Which mounts the rules need watched.
import { type BytePath, isWithin } from '../domain/path.ts';
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
