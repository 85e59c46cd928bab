// Whether the kernel still has the marks that were set. Nothing tells when one goes (a group that somebody flushed, a
// filesystem that was unmounted and mounted again between two looks): fdinfo is asked from time to time.
import { FAN_CREATE } from '../fanotify/abi.ts';
import type { MarkInfo } from '../fanotify/fdinfo.ts';
import type { FanotifyGroup } from '../fanotify/group.ts';

export const MARK_KINDS = ['filesystem', 'mount', 'inode'] as const;
export type MarkKind = (typeof MARK_KINDS)[number];

/** What must be found among the marks of a group. */
export interface Expected {
  readonly kind: MarkKind;
  readonly group: FanotifyGroup;
  readonly has: (marks: readonly MarkInfo[]) => boolean;
}

/** `device`: as in /proc/self/mountinfo. */
export function filesystemMark(group: FanotifyGroup, device: string, mask: number): Expected {
  return {
    kind: 'filesystem',
    group,
    has: (marks) => marks.some((one) => one.kind === 'filesystem' && one.device === device && hasAll(one.mask, mask)),
  };
}

export function mountMark(group: FanotifyGroup, mountId: number, mask: number): Expected {
  return {
    kind: 'mount',
    group,
    has: (marks) => marks.some((one) => one.kind === 'mount' && one.mountId === mountId && hasAll(one.mask, mask)),
  };
}

/** `handles`: of the directories that are to be marked at that time. */
export function directoryMarks(group: FanotifyGroup, handles: () => Iterable<string>): Expected {
  return {
    kind: 'inode',
    group,
    has(marks) {
      // Other marks on directories ask for an event (canary.ts), or tell of programs (writers.ts).
      const marked = new Set(
        marks.map((one) => (one.kind === 'inode' && (one.mask & FAN_CREATE) !== 0 ? one.handle : undefined)),
      );
      for (const handle of handles()) if (!marked.has(handle)) return false;
      return true;
    },
  };
}

function hasAll(mask: number, wanted: number): boolean {
  return (mask & wanted) === wanted;
}

/** Each group's marks as they are now, read once. */
export function presentMarks(): (group: FanotifyGroup) => readonly MarkInfo[] {
  const known = new Map<FanotifyGroup, readonly MarkInfo[]>();
  return (group) => {
    const marks = known.get(group) ?? group.marks();
    known.set(group, marks);
    return marks;
  };
}
