// Where marks are set that were not asked for (programs that start, anywhere) what was asked for has to be told apart.
import { type BytePath, dirOf, isWithin } from '../domain/path.ts';
import type { MountTable } from '../fanotify/mounts.ts';
import { type MarkKind, targetsOf } from './targets.ts';

/** Whether an event there can come from a mark of a target; `path` as it is named now. */
export function compilePlaces(
  table: MountTable,
  kind: MarkKind,
  paths: readonly BytePath[],
): (path: BytePath) => boolean {
  const targets = targetsOf(table, kind, paths);
  switch (kind) {
    case 'dir': {
      const dirs = new Set<string>(paths);
      return (path) => dirs.has(path) || dirs.has(dirOf(path));
    }
    case 'mount': {
      const ids = new Set(targets.map(({ mount }) => mount.id));
      return (path) => ids.has(table.mountAt(path)?.id ?? -1);
    }
    case 'filesystem': {
      const devices = new Set(targets.map(({ mount }) => mount.device));
      return (path) => devices.has(table.mountAt(path)?.device ?? '');
    }
    case 'within':
      return (path) => paths.length === 0 || isBelow(path, paths);
  }
}

export function isBelow(path: BytePath, roots: readonly BytePath[]): boolean {
  return roots.some((root) => isWithin(path, root));
}
