// One slice of very many differences: what hangs together with it is looked at with it, and it is recorded before more is read.
import type { IsHeld } from '../domain/batch.ts';
import type { Dirty } from '../domain/dirty.ts';
import { type Drift, driftKey } from '../domain/drift.ts';
import { inodeKey } from '../domain/inode-table.ts';
import { type BytePath, hasAncestorIn } from '../domain/path.ts';
import { attribute, withUnseen } from './attribution.ts';
import { type Difference, driftsOf, pathOf, ruleOf, unique } from './findings.ts';
import { formerNames } from './former-names.ts';
import type { Halves } from './halves.ts';
import type { OpenDrift } from './ports/store.ts';
import { readPaths } from './readings.ts';
import type { Reconciled, ReconcileParts } from './reconcile.ts';

export interface Slicing {
  /** Differences: more of them are not compared together, but in slices of `max`. */
  readonly togetherMax: number;
  readonly max: number;
  readonly halves: Halves;
  readonly record: (found: Reconciled) => Promise<void>;
  /** Lets others have their turn, but for what is held. */
  readonly between: (isHeld: IsHeld) => Promise<void>;
  /** What is not recorded then is found by the next comparison. */
  readonly signal: AbortSignal;
}

export interface SliceTask {
  /** By path: who was seen. */
  readonly seen: ReadonlyMap<BytePath, Dirty>;
  /** Keys of open drift that nothing was found of yet. */
  readonly open: Set<BytePath>;
  readonly incomplete: { path: BytePath; errno: number }[];
  /** What the baseline has as something that moved, or came along with what did. */
  readonly oldNameOf: (path: BytePath) => BytePath | undefined;
  /** Nobody else looks at this until all is told; `isTree`: nor at what is below it. */
  readonly hold: (path: BytePath, isTree: boolean) => void;
  /** After each slice. */
  readonly pause: () => Promise<void>;
}

export interface Slice {
  add(difference: Difference): void;
  addDrift(drift: Drift): void;
  readonly isFull: boolean;
  flush(): Promise<void>;
  /** Nothing more will be found: what is open still is over. `mayBeNew`: whether nothing else explains what is at a path. */
  finish(mayBeNew: (path: BytePath) => boolean): Promise<void>;
}

export function openSlice(
  parts: ReconcileParts,
  { seen, open, incomplete, oldNameOf, hold, pause }: SliceTask,
  { max, halves, record, signal }: Slicing,
): Slice {
  const { store, scope, baseline } = parts;
  const seenPaths = new Set(seen.keys());
  const isSeen = (path: BytePath): boolean => seenPaths.has(path) || hasAncestorIn(path, seenPaths);
  let differences: Difference[] = [];
  let drifts: Drift[] = [];
  /**
   * What was told to have moved to where the baseline has a directory. `othersOf` leaves such a place out, so that what is found later, that
   * the old name is gone, must not take the place of the move.
   */
  const placed = new Set<BytePath>();

  /** Takes out of `paths` what is a directory now: that is compared with everything in it, elsewhere. */
  const readOthers = async (paths: Set<BytePath>): Promise<Difference[]> => {
    const found: Difference[] = [];
    for (const finding of await readPaths(parts, paths, { ctimes: new Map(), postponed: new Set() })) {
      if (finding.kind === 'incomplete') incomplete.push(finding);
      else if (finding.kind !== 'lost' && !isDirectoryNow(finding)) found.push(finding);
      else if (finding.kind !== 'lost') paths.delete(pathOf(finding));
    }
    return found;
  };
  const noteMove = (from: BytePath, to: BytePath, isTree: boolean): void => {
    hold(from, isTree);
    hold(to, isTree);
    if (baseline.find(to)?.type === 'directory') placed.add(from);
  };
  const isPlaced = (one: Difference): boolean => one.kind === 'removed' && placed.has(one.before.path);
  const tell = async (found: readonly Drift[], known: readonly OpenDrift[]): Promise<void> => {
    const keys = new Set(found.map(driftKey));
    const unread = new Set(incomplete.flatMap(({ path }) => [path, oldNameOf(path) ?? path]));
    const isRead = (path: BytePath): boolean => !unread.has(path) && !hasAncestorIn(path, unread);
    const resolved = known.filter(({ key, path }) => !keys.has(key) && isRead(key) && isRead(path));
    for (const key of keys) open.delete(key);
    for (const { key } of resolved) open.delete(key);
    const attributed = found.map((drift) => withUnseen(attribute(drift, seen), isSeen, store));
    await record({ drifts: attributed, resolved, incomplete: [], ctimes: new Map(), postponed: new Set() });
    halves.note(attributed);
    for (const drift of found)
      if (drift.kind === 'moved') noteMove(driftKey(drift), drift.path, drift.after?.type === 'directory');
    await pause();
  };

  return {
    add: (difference) => void differences.push(difference),
    addDrift: (drift) => void drifts.push(drift),
    get isFull() {
      return differences.length + drifts.length >= max;
    },
    async flush() {
      if (differences.length + drifts.length === 0 || signal.aborted) return;
      const [own, told] = [unique(differences.filter((one) => !isPlaced(one))), drifts];
      [differences, drifts] = [[], []];
      const asked = new Set([...own.map(pathOf), ...told.flatMap((drift) => [driftKey(drift), drift.path])]);
      const others = othersOf(own, asked, parts, halves);
      const all = unique([...own, ...(await readOthers(others))]);
      const isTold = (drift: Drift): boolean => ruleOf(drift, scope)?.onDrift !== 'ignore';
      const read = new Set([...asked, ...others]);
      const known = store.openDriftAmong([...read]).filter(({ key, path }) => read.has(key) && read.has(path));
      await tell([...driftsOf(all, scope), ...told.filter(isTold)], known);
    },
    async finish(mayBeNew) {
      const left = [...open];
      for (let at = 0; at < left.length && !signal.aborted; at += max) {
        const keys = new Set(left.slice(at, at + max));
        const over = store.openDriftAmong([...keys]).filter(({ key }) => keys.has(key));
        // What is at the other end of a move that is over did not come from here.
        const ends = over.flatMap(({ key, path }) => (key !== path && mayBeNew(path) ? [path] : []));
        await tell(driftsOf(await readOthers(new Set(ends)), scope), over);
      }
    },
  };
}

function isDirectoryNow(one: Difference): boolean {
  return one.kind !== 'removed' && one.after.type === 'directory';
}

/** What may be the other name of what is in the slice: of open moves, of what was told by itself, of the same inode. */
function othersOf(
  own: readonly Difference[],
  asked: ReadonlySet<BytePath>,
  parts: ReconcileParts,
  halves: Halves,
): Set<BytePath> {
  const { store, baseline } = parts;
  const files = own.filter((one) => !isDirectoryNow(one));
  const halfOf = (one: Difference): BytePath | undefined => {
    if (one.kind === 'changed') return undefined;
    const [before, after] = one.kind === 'added' ? [undefined, one.after] : [one.before, undefined];
    return halves.otherOf({ kind: one.kind, rule: one.rule.name, before, after }, store);
  };
  const inodes = files.flatMap((one) => (one.kind === 'added' ? [inodeKey(one.after.inode)] : []));
  const found = new Set([...files.flatMap((one) => halfOf(one) ?? []), ...formerNames(new Set(inodes), parts)]);
  for (let fresh = [...asked, ...found]; fresh.length > 0; ) {
    const both = store.openDriftAmong(fresh).flatMap(({ key, path }) => (key === path ? [] : [key, path]));
    fresh = both.filter((path) => !asked.has(path) && !found.has(path));
    for (const path of fresh) found.add(path);
  }
  return new Set([...found].filter((path) => !asked.has(path) && baseline.find(path)?.type !== 'directory'));
}
