// A removal and an addition that are one move: the same inode with the same content under another name.
import { compareEntries, isSameDigest } from './compare.ts';
import type { Drift } from './drift.ts';
import type { Entry } from './entry.ts';
import { comparePaths, isWithin, rebasePath } from './path.ts';
import type { Scope } from './rule.ts';

type Removed = Drift & { readonly before: Entry };
type Added = Drift & { readonly after: Entry };

/** Replaces matching pairs of `removed` and `added` by `moved`; everything else stays. Sorted by path. */
export function pairMoves(drifts: readonly Drift[], scope: Scope): Drift[] {
  const sorted = [...drifts].sort((a, b) => comparePaths(a.path, b.path));
  const removed = new Map(sorted.filter(isRemoved).map((drift) => [drift.path, drift]));
  const added = new Map(sorted.filter(isAdded).map((drift) => [drift.path, drift]));
  if (removed.size === 0 || added.size === 0) return sorted;

  const byInode = groupByInode(removed.values());
  const found = new Map<string, Drift>();
  for (const target of added.values()) {
    if (found.has(target.path)) continue;
    const source = (byInode.get(inodeKey(target.after)) ?? []).find(
      (candidate) => !found.has(candidate.path) && isSameObject(candidate, target, removed, added),
    );
    if (source === undefined) continue;
    for (const [path, drift] of moveOf(source, target, removed, added, scope)) found.set(path, drift);
  }
  const kept = sorted.filter(({ path }) => !found.has(path));
  return [...kept, ...new Set(found.values())].filter(isReal).sort((a, b) => comparePaths(a.path, b.path));
}

/** Marks a path that a directory's move explains. */
const EXPLAINED: Drift = Object.freeze({}) as Drift;

function isReal(drift: Drift): boolean {
  return drift !== EXPLAINED;
}

function isRemoved(drift: Drift): drift is Removed {
  return drift.kind === 'removed' && drift.before !== undefined;
}

function isAdded(drift: Drift): drift is Added {
  return drift.kind === 'added' && drift.after !== undefined;
}

function inodeKey(entry: Entry): string {
  return `${entry.type}:${entry.inode}`;
}

function groupByInode(removed: Iterable<Removed>): Map<string, Removed[]> {
  const groups = new Map<string, Removed[]>();
  for (const drift of removed) {
    const key = inodeKey(drift.before);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [drift]);
    else group.push(drift);
  }
  return groups;
}

/** An inode number alone proves nothing: the kernel gives a freed one to the next file. */
function isSameObject(
  source: Removed,
  target: Added,
  removed: ReadonlyMap<string, Removed>,
  added: ReadonlyMap<string, Added>,
): boolean {
  const [before, after] = [source.before, target.after];
  if (before.type === 'directory') {
    return before.mtimeNs === after.mtimeNs || hasCommonChild(source, target, removed, added);
  }
  if (before.sizeBytes !== after.sizeBytes || before.target !== after.target) return false;
  if (before.sizeBytes === 0n || before.digest === undefined || after.digest === undefined) {
    return before.mtimeNs === after.mtimeNs;
  }
  return isSameDigest(before.digest, after.digest);
}

function hasCommonChild(
  source: Removed,
  target: Added,
  removed: ReadonlyMap<string, Removed>,
  added: ReadonlyMap<string, Added>,
): boolean {
  for (const child of added.values()) {
    if (child.path === target.path || !isWithin(child.path, target.path)) continue;
    const old = removed.get(rebasePath(child.path, target.path, source.path));
    if (old !== undefined && inodeKey(old.before) === inodeKey(child.after)) return true;
  }
  return false;
}

/** The drift of the move, and for a directory of everything that came along with it, under both names. */
function moveOf(
  source: Removed,
  target: Added,
  removed: ReadonlyMap<string, Removed>,
  added: ReadonlyMap<string, Added>,
  scope: Scope,
): Map<string, Drift> {
  const found = new Map<string, Drift>();
  let entries = 0;
  if (source.before.type === 'directory') {
    for (const child of added.values()) {
      if (child.path === target.path || !isWithin(child.path, target.path)) continue;
      const old = removed.get(rebasePath(child.path, target.path, source.path));
      if (old === undefined || old.before.type !== child.after.type) continue;
      const changed = changedBy(old, child, scope);
      found.set(old.path, EXPLAINED);
      found.set(
        child.path,
        changed.length === 0 ? EXPLAINED : { ...child, kind: 'changed', changed, before: old.before, from: old.path },
      );
      if (changed.length === 0) entries += 1;
    }
  }
  const moved: Drift = {
    ...target,
    kind: 'moved',
    changed: changedBy(source, target, scope),
    before: source.before,
    from: source.path,
    entries: source.before.type === 'directory' ? entries : undefined,
  };
  return found.set(source.path, EXPLAINED).set(target.path, moved);
}

/** What differs besides the name; a rename itself changes ctime (rename(2)). */
function changedBy(source: Removed, target: Added, scope: Scope): Drift['changed'] {
  const rule = scope.ruleOf(target.path);
  if (rule === undefined) return [];
  return compareEntries(source.before, target.after, rule.attributes).filter((attribute) => attribute !== 'ctime');
}
