// A removal and an addition that are one move: the same inode with the same content under another name, of the same rule.
import { compareEntries, isSameDigest } from './compare.ts';
import type { Drift, MovedAlong } from './drift.ts';
import type { Entry } from './entry.ts';
import { type BytePath, comparePaths, dirOf, rebasePath } from './path.ts';
import type { Scope } from './rule.ts';

type Removed = Drift & { readonly before: Entry };
type Added = Drift & { readonly after: Entry };

/**
 * Replaces matching pairs of `removed` and `added` by `moved`; everything else stays, so that what leaves one rule for
 * another is judged by both. Sorted by path.
 */
export function pairMoves(drifts: readonly Drift[], scope: Scope): Drift[] {
  const sorted = [...drifts].sort((a, b) => comparePaths(a.path, b.path));
  const removed = new Map(sorted.filter(isRemoved).map((drift) => [drift.path, drift]));
  const added = sorted.filter(isAdded);
  if (removed.size === 0 || added.length === 0) return sorted;

  const found = new Map<string, Drift>();
  const sides: Sides = { removed, added, scope, found };
  const candidates = groupByInode(removed.values());
  // Directories first: what came along with one is not also another name of a file with several.
  for (const target of [...added.filter(isDirectory), ...added.filter((one) => !isDirectory(one))]) {
    if (found.has(target.path)) continue;
    const source = sourceOf(target, candidates.get(inodeKey(target, target.after)), sides);
    if (source === undefined) continue;
    for (const [path, drift] of moveOf(source, target, sides)) found.set(path, drift);
  }
  const kept = sorted.filter(({ path }) => !found.has(path));
  return [...kept, ...new Set(found.values())].filter(isReal).sort((a, b) => comparePaths(a.path, b.path));
}

interface Sides {
  readonly removed: ReadonlyMap<string, Removed>;
  /** Sorted by path. */
  readonly added: readonly Added[];
  readonly scope: Scope;
  /** By path: what moves explain so far. */
  readonly found: ReadonlyMap<string, Drift>;
}

/** Marks a path that a move explains. */
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

function isDirectory({ after }: Added): boolean {
  return after.type === 'directory';
}

function inodeKey({ rule }: Drift, entry: Entry): string {
  return `${entry.type}:${entry.inode}:${rule}`;
}

function groupByInode(removed: Iterable<Removed>): Map<string, Set<Removed>> {
  const groups = new Map<string, Set<Removed>>();
  for (const drift of removed) {
    const key = inodeKey(drift, drift.before);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, new Set([drift]));
    else group.add(drift);
  }
  return groups;
}

/** More of one inode are many hard links. */
const NAMESAKES_MAX = 8;

/**
 * The nearest candidate: inode numbers repeat in other filesystems, and in other subvolumes of one btrfs. Forgets those that
 * are explained already.
 */
function sourceOf(target: Added, candidates: Set<Removed> | undefined, sides: Sides): Removed | undefined {
  const same: Removed[] = [];
  for (const candidate of candidates ?? []) {
    if (sides.found.has(candidate.path)) candidates?.delete(candidate);
    else if (isSameObject(candidate, target, sides) && same.push(candidate) === NAMESAKES_MAX) break;
  }
  const together = ({ path }: Removed): number => commonDirectory(path, target.path);
  return same.reduce<Removed | undefined>(
    (best, one) => (best === undefined || together(one) > together(best) ? one : best),
    undefined,
  );
}

/** The length of the path of the directory that both are in. */
function commonDirectory(a: BytePath, b: BytePath): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  return a.lastIndexOf('/', at - 1);
}

/** BTRFS_FIRST_FREE_OBJECTID of linux/btrfs_tree.h: the top directory of every subvolume; its first entry has the next one. */
export const SUBVOLUME_INODE = 256n;

/** An inode number alone proves nothing: the kernel gives a freed one to the next file. */
function isSameObject(source: Removed, target: Added, sides: Sides): boolean {
  const [before, after] = [source.before, target.after];
  if (before.type === 'directory') {
    return before.mtimeNs === after.mtimeNs || hasCommonChild(source, target, sides);
  }
  return isSameFile(before, after);
}

/** What of an entry says that it is, under another name, the same content. */
export type Likeness = Pick<Entry, 'sizeBytes' | 'target' | 'mtimeNs' | 'digest'>;

/** Of what is no directory and has the same inode: whether it also is the same content. */
export function isSameFile(before: Likeness, after: Likeness): boolean {
  if (before.sizeBytes !== after.sizeBytes || before.target !== after.target) return false;
  if (before.sizeBytes === 0n || before.digest === undefined || after.digest === undefined) {
    return before.mtimeNs === after.mtimeNs;
  }
  return isSameDigest(before.digest, after.digest);
}

function hasCommonChild(source: Removed, target: Added, sides: Sides): boolean {
  for (const [old, child] of childPairs(source, target, sides)) {
    if (old.before.inode !== child.after.inode) continue;
    if (source.before.inode !== SUBVOLUME_INODE || isUnchanged(old.before, child.after)) return true;
  }
  return false;
}

function isUnchanged(before: Entry, after: Entry): boolean {
  return before.type === 'directory' ? before.mtimeNs === after.mtimeNs : isSameFile(before, after);
}

/** What was below the source and is now in the same place below the target: same type, same rule, no other move's. */
function* childPairs(source: Removed, target: Added, { removed, added, found }: Sides): Generator<[Removed, Added]> {
  const prefix = `${target.path}/`;
  for (let at = firstFrom(added, prefix); at < added.length; at += 1) {
    const child = added[at];
    if (child === undefined || !child.path.startsWith(prefix)) return;
    const old = removed.get(rebasePath(child.path, target.path, source.path));
    if (old === undefined || found.has(old.path) || found.has(child.path)) continue;
    if (hasMovedBetween(old.path, source.path, found)) continue;
    if (old.before.type === child.after.type && old.rule === child.rule) yield [old, child];
  }
}

/** In a directory that has left the source by a move of its own, what did not go with it moved by itself, too. */
function hasMovedBetween(path: BytePath, source: BytePath, found: Sides['found']): boolean {
  for (let dir = dirOf(path); dir.length > source.length; dir = dirOf(dir)) if (found.has(dir)) return true;
  return false;
}

/** The index of the first drift whose path is `from` or after it. */
function firstFrom(sorted: readonly Added[], from: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle]?.path ?? from) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The drift of the move, and for a directory of everything that came along with it, under both names. */
function moveOf(source: Removed, target: Added, sides: Sides): Map<string, Drift> {
  const found = new Map<string, Drift>();
  const isTree = isDirectory(target);
  const along: MovedAlong[] = [];
  for (const [old, child] of isTree ? childPairs(source, target, sides) : []) {
    const changed = changedBy(old, child, sides.scope);
    found.set(old.path, EXPLAINED);
    if (changed.length === 0) {
      found.set(child.path, EXPLAINED);
      along.push({ from: old.path, after: child.after });
    } else {
      found.set(child.path, { ...child, kind: 'changed', changed, before: old.before, from: old.path });
    }
  }
  const moved: Drift = {
    ...target,
    kind: 'moved',
    changed: changedBy(source, target, sides.scope),
    before: source.before,
    from: source.path,
    entries: isTree ? along.length : undefined,
    ...(isTree && { along }),
  };
  return found.set(source.path, EXPLAINED).set(target.path, moved);
}

/** What differs besides the name; a rename itself changes ctime (rename(2)). */
function changedBy(source: Removed, target: Added, scope: Scope): Drift['changed'] {
  const rule = scope.ruleOf(target.path);
  if (rule === undefined) return [];
  return compareEntries(source.before, target.after, rule.attributes).filter((attribute) => attribute !== 'ctime');
}
