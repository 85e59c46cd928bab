// Trees with very many differences: they go by in slices, each recorded before more is read, so that memory is needed for one
// slice alone and others have their turn in between. Events of what is in the trees wait meanwhile: what a walk read before
// them would be recorded after them.
import { readRecord, recordOffsets } from '../domain/packed.ts';
import { type BytePath, dirOf, hasAncestorIn, nameOf, outermostPaths, ROOT_DIR } from '../domain/path.ts';
import type { SealTable } from '../domain/seal-table.ts';
import type { BelowTask } from './below.ts';
import { type Difference, pathOf } from './findings.ts';
import { holdPaths } from './held-paths.ts';
import { apart, compareMoved } from './moved-page.ts';
import { openMovedTrees } from './moved-trees.ts';
import { movesByPlace, rootsBelow, withMoves } from './open-moves.ts';
import { type Finding, knownRun, removed } from './page-diff.ts';
import { pagesUntil } from './pages-until.ts';
import type { Page } from './ports/disk.ts';
import type { ReconcileParts } from './reconcile.ts';
import { openSlice, type SliceTask, type Slicing } from './slice.ts';
import { findingsHere } from './survey.ts';

export interface TreeTask extends BelowTask, Omit<SliceTask, 'open' | 'oldNameOf' | 'hold' | 'pause'> {
  /** What was found of the single paths. */
  readonly heads: readonly Difference[];
  /** Those of the single paths of which nothing is said. */
  readonly postponed: ReadonlySet<BytePath>;
}

/** That came from outside the trees, or went there, and are held one by one: of more of them all names in their directories. */
const FILES_MAX = 4_096;

/** Records all that is found, and that it is over when nothing is. */
export async function compareInSlices(parts: ReconcileParts, task: TreeTask, slicing: Slicing): Promise<void> {
  const { baseline, scope, disk, store } = parts;
  const { between, halves, signal } = slicing;
  const read = [...task.paths].filter((path) => !task.postponed.has(path));
  const open = new Set(store.openDriftAmong(read).map(({ key }) => key));
  const moved = openMovedTrees(parts, halves);
  /** Nobody else looks at these meanwhile. */
  const held = holdPaths(task.paths);
  const trees = new Set<BytePath>();
  let files = 0;
  const pause = (): Promise<void> => between(held.holds);
  const hold = (path: BytePath, isTree: boolean): void => {
    if (isWithinAny(path, trees)) return;
    if (!isTree) files += 1;
    if (isTree || files <= FILES_MAX) held.hold(path);
    else held.holdNames(dirOf(path));
  };
  const slice = openSlice(parts, { ...task, open, oldNameOf: moved.oldDirOf, hold, pause }, slicing);
  /** Made once: one that is older costs a page. */
  let seals: SealTable | undefined;
  /** To be walked. */
  let roots: BytePath[] = [];
  /** By whether it went itself: something else may be in its place. */
  const gone = new Map<BytePath, boolean>();
  for (const path of task.lost) if (!isRemoved(path, task.heads)) gone.set(path, false);
  /** What is in the place of a directory: accepted, it takes along what the baseline still has below that. */
  const instead: Difference[] = [];
  /** What was found by its own name: the directory that it was in may have moved, with it. */
  const single: Difference[] = [];

  const openBelow = (tree: BytePath): void => {
    for (const key of store.openKeysBelow(tree)) if (!moved.hasMovedBelow(tree, key)) open.add(key);
  };
  const enter = (more: readonly BytePath[]): void => {
    outermostPaths(more).forEach(openBelow);
    for (const tree of more) {
      held.hold(tree);
      trees.add(tree);
    }
    moved.suspect(more);
  };
  const meet = async (finding: Finding): Promise<boolean> => {
    const source = finding.kind === 'added' ? await moved.meet(finding) : undefined;
    if (source === undefined || finding.kind !== 'added') return false;
    const both = [source, finding.after.path];
    // What was told of it in this very comparison is so only if it is found once more.
    openBelow(source);
    if (both.every((path) => isWithinAny(path, trees))) return true;
    // What is, or was, in there may be open as moved.
    const more = [...withMoves(both, movesByPlace(store.openMoves()))].filter((path) => !isWithinAny(path, trees));
    enter(more);
    roots.push(...rootsBelow(more, scope));
    return true;
  };
  const take = async (finding: Finding): Promise<void> => {
    if (finding.kind === 'incomplete') task.incomplete.push(finding);
    else if (finding.kind === 'lost') gone.set(finding.path, gone.get(finding.path) ?? false);
    else if (finding.kind === 'removed' && finding.before.type === 'directory') {
      // Where it went may come later.
      gone.set(finding.before.path, true);
      moved.suspect([finding.before.path]);
    } else if (isDirectoryNoMore(finding)) instead.push(finding);
    else if (!(await meet(finding))) slice.add(finding);
    if (slice.isFull) await slice.flush();
  };
  const takePage = async (page: Page): Promise<void> => {
    const dir = page.extent.kind === 'range' && page.failed === 0 ? moved.oldDirOf(page.dir) : undefined;
    if (dir === undefined || page.extent.kind !== 'range') {
      for await (const finding of findingsHere(page, parts)) {
        if (page.extent.kind === 'names' && finding.kind === 'removed') single.push(finding);
        else if (finding.kind !== 'lost' || !isRemoved(finding.path, single)) await take(finding);
      }
      return;
    }
    const { own, others } = apart(page, knownRun(page, baseline));
    for await (const finding of own === undefined ? [] : findingsHere(own, parts)) await take(finding);
    const run = baseline.run(dir, page.extent.after, page.extent.upTo);
    const found = compareMoved(others, { dir, run, hasMoved: moved.hasMoved }, scope);
    moved.count(page.dir, found.along);
    for (const drift of found.changed) slice.addDrift(drift);
    for (const finding of found.findings) await take(finding);
    // What is below a stand-in came along with it, unless another directory is in its place.
    for (const { path, old } of found.standIns)
      if (moved.oldDirOf(path) !== old) await take({ kind: 'lost', path: old });
  };
  const walk = async (): Promise<void> => {
    while (roots.length > 0 && !signal.aborted) {
      const now = outermostPaths(roots);
      roots = [];
      seals ??= baseline.seals();
      for await (const page of pagesUntil(signal, disk, { roots: now, seals })) {
        await takePage(page);
        await pause();
        if (signal.aborted) return;
      }
    }
  };
  const takeSingle = async (): Promise<void> => {
    for (const one of single.splice(0)) if (!moved.hasMovedBelow(ROOT_DIR, pathOf(one))) await take(one);
  };
  /** What is in a directory goes before it does: its removal, when it is accepted, takes along what the baseline still has. */
  const takeGone = async (top: BytePath, isGone: boolean): Promise<void> => {
    const dirs: BytePath[] = [];
    for (const { dir } of baseline.below(top)) dirs.push(dir);
    for (const dir of dirs.reverse()) {
      const run = baseline.run(dir);
      for (const at of recordOffsets(run)) {
        const before = readRecord(run, at, dir);
        if (moved.hasMovedBelow(top, before.path)) continue;
        for (const finding of removed(before, scope)) slice.add(finding);
        if (slice.isFull) await slice.flush();
        if (signal.aborted) return;
      }
    }
    const before = isGone ? baseline.find(top) : undefined;
    for (const finding of before === undefined ? [] : removed(before, scope)) slice.add(finding);
  };
  /** A directory that was told as added before, and is what went here. */
  const takeOther = async (top: BytePath): Promise<void> => {
    const before = baseline.find(top);
    const rule = scope.ruleOf(top)?.name;
    if (before === undefined || rule === undefined) return;
    const target = halves.otherOf({ kind: 'removed', rule, before, after: undefined }, store);
    if (target === undefined) return;
    moved.suspect([top]);
    const page = await disk.read(dirOf(target), [nameOf(target)]);
    for await (const finding of findingsHere(page, parts)) await meet(finding);
    if (!moved.hasMoved(top)) return;
    enter([top, target]);
    roots.push(target);
    await walk();
    await takeSingle();
  };

  enter(task.trees);
  roots.push(...task.roots);
  // Who is not in a tree need not wait for it, unless it may be in there now.
  const came = new Set(task.heads.map((head) => (head.kind === 'added' ? head.after.inode : undefined)));
  for (const head of task.heads) {
    if (head.kind === 'removed' && !came.has(head.before.inode)) single.push(head);
    else if (!hasAncestorIn(pathOf(head), trees)) await take(head);
  }
  await slice.flush();
  await walk();
  await takeSingle();
  await slice.flush();
  for (const [path, isGone] of gone) if (isGone && !moved.hasMoved(path) && !signal.aborted) await takeOther(path);
  for (const [path, isGone] of gone) if (!moved.hasMoved(path) && !signal.aborted) await takeGone(path, isGone);
  for await (const drift of moved.drifts()) {
    if (drift.kind === 'lost') await takeGone(drift.path, true);
    else slice.addDrift(drift);
    if (slice.isFull) await slice.flush();
  }
  for (const one of instead) {
    slice.add(one);
    if (slice.isFull) await slice.flush();
  }
  await slice.flush();
  await slice.finish((path) => moved.oldDirOf(dirOf(path)) === undefined);
}

function isDirectoryNoMore(finding: Difference): boolean {
  return finding.kind === 'changed' && finding.before.type === 'directory' && finding.after.type !== 'directory';
}

function isRemoved(path: BytePath, among: readonly Difference[]): boolean {
  return among.some((one) => one.kind === 'removed' && one.before.path === path);
}

function isWithinAny(path: BytePath, trees: ReadonlySet<BytePath>): boolean {
  return trees.has(path) || hasAncestorIn(path, trees);
}
