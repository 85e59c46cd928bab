// Directories that have moved, as they are met on the way through very many differences: what came along with one is compared
// with what the baseline has below its old name, and needs to be neither removed nor added first.
import { compareEntries } from '../domain/compare.ts';
import type { Drift } from '../domain/drift.ts';
import type { Entry } from '../domain/entry.ts';
import { inodeKey } from '../domain/inode-table.ts';
import { isSameFile, SUBVOLUME_INODE } from '../domain/moves.ts';
import { readRecord, recordName, recordOffsets } from '../domain/packed.ts';
import { type BytePath, comparePaths, dirOf, isWithin, nameOf, rebasePath } from '../domain/path.ts';
import { isStandIn } from '../domain/stand-in.ts';
import { formerNames } from './former-names.ts';
import type { Halves } from './halves.ts';
import type { Finding } from './page-diff.ts';
import { LARGE_BYTES } from './readings.ts';
import type { ReconcileParts } from './reconcile.ts';

type Added = Extract<Finding, { readonly kind: 'added' }>;
type Lost = Extract<Finding, { readonly kind: 'lost' }>;

export interface MovedTrees {
  /** Directories of the baseline that may have gone. */
  suspect(paths: Iterable<BytePath>): void;
  /** A directory that the baseline does not have: what the baseline has it as, when it moved here. */
  meet(added: Added): Promise<BytePath | undefined>;
  /** Where the baseline has what is in a directory, when that moved or came along with one that did. */
  oldDirOf(dir: BytePath): BytePath | undefined;
  /** So many entries more of the directory came along unchanged. */
  count(dir: BytePath, entries: number): void;
  /** Whether the path, as the baseline has it, is that of a directory that moved. */
  hasMoved(path: BytePath): boolean;
  /** The same of it or one between it and `above`. */
  hasMovedBelow(above: BytePath, path: BytePath): boolean;
  /**
   * Those of which all has been looked at, what is below a directory before it; or, of one that is not where it was met any
   * more, that it is lost where the baseline has it: from then on it has not moved.
   */
  drifts(): AsyncGenerator<Drift | Lost>;
}

/** Names that are looked at to recognize a directory whose mtime says nothing. */
const CHILDREN = 8;

export function openMovedTrees(parts: ReconcileParts, halves: Halves): MovedTrees {
  const { baseline, scope, store, disk } = parts;
  const byTarget = new Map<BytePath, { readonly source: BytePath; along: number }>();
  const bySource = new Map<BytePath, BytePath>();
  const suspected = new Map<bigint, BytePath[]>();

  /** Undefined when nothing is there; when it cannot be known, null. */
  const stateOf = async (path: BytePath): Promise<Entry | undefined | null> => {
    const page = await disk.read(dirOf(path), [nameOf(path)], LARGE_BYTES);
    if (page.failed !== 0 || (page.postponed?.length ?? 0) > 0) return null;
    const [at] = recordOffsets(page.records);
    return at === undefined ? undefined : readRecord(page.records, at, page.dir);
  };
  const hasCommonChild = async (source: BytePath, before: Entry, target: BytePath): Promise<boolean> => {
    const run = baseline.run(source);
    const children = new Map<BytePath, Entry>();
    for (const at of recordOffsets(run)) {
      if (children.size < CHILDREN) children.set(recordName(run, at), readRecord(run, at, source));
    }
    const page = await disk.read(target, [...children.keys()], LARGE_BYTES);
    for (const at of recordOffsets(page.records)) {
      const [child, old] = [readRecord(page.records, at, target), children.get(recordName(page.records, at))];
      if (old?.inode !== child.inode || old.type !== child.type) continue;
      if (before.inode !== SUBVOLUME_INODE || isUnchanged(old, child)) return true;
    }
    return false;
  };
  /** It came along with a directory that moved, and has its name there still. */
  const isKept = async (source: BytePath): Promise<boolean> => {
    for (let at = dirOf(source); at.length > 1; at = dirOf(at)) {
      const target = bySource.get(at);
      if (target === undefined) continue;
      const place = rebasePath(source, at, target);
      const isSameRule = scope.ruleOf(place)?.name === scope.ruleOf(source)?.name;
      return isSameRule && (await stateOf(place))?.type === 'directory';
    }
    return false;
  };
  const isSource = async (source: BytePath, { after, rule }: Added): Promise<boolean> => {
    const before = baseline.find(source);
    if (before?.type !== 'directory' || before.inode !== after.inode || isStandIn(before)) return false;
    if (bySource.has(source) || scope.ruleOf(source)?.name !== rule.name) return false;
    if ((await stateOf(source)) !== undefined || (await isKept(source))) return false;
    return before.mtimeNs === after.mtimeNs || (await hasCommonChild(source, before, after.path));
  };
  const candidatesFor = ({ after, rule }: Added): Set<BytePath> => {
    const half = halves.otherOf({ kind: 'added', rule: rule.name, before: undefined, after }, store);
    const named = formerNames(new Set([inodeKey(after.inode)]), parts);
    return new Set([...(suspected.get(after.inode) ?? []), ...(half === undefined ? [] : [half]), ...named]);
  };
  const hasMovedBelow: MovedTrees['hasMovedBelow'] = (above, path) => {
    for (let at = path; at.length > above.length; at = dirOf(at)) if (bySource.has(at)) return true;
    return false;
  };
  /** What another rule says of, or was accepted under its new name, did not come along, with all that is in it. */
  const isAlong = (target: BytePath, dir: BytePath, old: BytePath): boolean => {
    for (let [at, was] = [dir, old]; at.length > target.length; [at, was] = [dirOf(at), dirOf(was)]) {
      const own = baseline.find(at);
      if (scope.ruleOf(at)?.name !== scope.ruleOf(was)?.name || !(own === undefined || isStandIn(own))) return false;
    }
    return true;
  };
  const placeOf = (dir: BytePath): { readonly target: BytePath; readonly old: BytePath } | undefined => {
    for (let target = dir; target.length > 1; target = dirOf(target)) {
      const source = byTarget.get(target)?.source;
      if (source === undefined) continue;
      const old = rebasePath(dir, target, source);
      return hasMovedBelow(source, old) || !isAlong(target, dir, old) ? undefined : { target, old };
    }
    return undefined;
  };

  return {
    suspect(paths) {
      for (const path of paths) {
        const entry = baseline.find(path);
        if (entry?.type !== 'directory' || isStandIn(entry)) continue;
        suspected.set(entry.inode, [...(suspected.get(entry.inode) ?? []), path]);
      }
    },
    async meet(added) {
      const { path, type } = added.after;
      if (type !== 'directory' || added.rule.onDrift === 'ignore') return undefined;
      const known = byTarget.get(path);
      if (known !== undefined) {
        // It is walked once more, with a directory above it that has moved.
        known.along = 0;
        return known.source;
      }
      for (const source of candidatesFor(added)) {
        if (!(await isSource(source, added))) continue;
        // What was taken for moved by itself, and has only come along.
        for (const [target, inner] of byTarget) {
          if (!isWithin(target, path) || inner.source !== rebasePath(target, path, source)) continue;
          byTarget.delete(target);
          bySource.delete(inner.source);
        }
        byTarget.set(path, { source, along: 0 });
        bySource.set(source, path);
        return source;
      }
      return undefined;
    },
    oldDirOf: (dir) => placeOf(dir)?.old,
    count(dir, entries) {
      const move = byTarget.get(placeOf(dir)?.target ?? dir);
      if (move !== undefined) move.along += entries;
    },
    hasMoved: (path) => bySource.has(path),
    hasMovedBelow,
    async *drifts() {
      const moves = [...byTarget].sort(([, a], [, b]) => comparePaths(b.source, a.source));
      for (const [path, { source, along }] of moves) {
        const after = await stateOf(path);
        const [before, rule] = [baseline.find(source), scope.ruleOf(path)];
        if (after?.type !== 'directory') {
          // Where it went is told by events; that it went from here was in this comparison only.
          byTarget.delete(path);
          bySource.delete(source);
          yield { kind: 'lost', path: source };
        }
        if (before === undefined || after?.type !== 'directory' || rule === undefined) continue;
        // A rename itself changes ctime (rename(2)).
        const changed = compareEntries(before, after, rule.attributes).filter((attribute) => attribute !== 'ctime');
        const { name, severity } = rule;
        yield { kind: 'moved', path, rule: name, severity, changed, before, after, from: source, entries: along };
      }
    },
  };
}

function isUnchanged(before: Entry, after: Entry): boolean {
  return before.type === 'directory' ? before.mtimeNs === after.mtimeNs : isSameFile(before, after);
}
