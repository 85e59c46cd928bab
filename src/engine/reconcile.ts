// Dirty paths to drift: read the state of what is in doubt, compare, and say what is open now and what is not any more.
import type { Dirty } from '../domain/dirty.ts';
import { type Drift, driftKey } from '../domain/drift.ts';
import { type BytePath, hasAncestorIn, outermostPaths } from '../domain/path.ts';
import type { Appended } from './appended.ts';
import { type Attributed, attribute, seenAt } from './attribution.ts';
import { compareBelow } from './below.ts';
import { type Difference, driftsOf, unique } from './findings.ts';
import type { InodeNames } from './inode-names.ts';
import { movedWithin, movesByPlace, rootsBelow, widen, withMoves } from './open-moves.ts';
import type { Finding } from './page-diff.ts';
import type { OpenDrift, Store } from './ports/store.ts';
import { readPaths } from './readings.ts';
import type { Slicing } from './slice.ts';
import type { SurveyParts } from './survey.ts';
import { compareInSlices } from './tree-slices.ts';

export interface Reconciled {
  readonly drifts: readonly Attributed[];
  /** Open drift of paths that are as the baseline has them. */
  readonly resolved: readonly OpenDrift[];
  readonly incomplete: readonly { readonly path: BytePath; readonly errno: number }[];
  /** ctime of what was read by its name; of what is not there it is missing. */
  readonly ctimes: ReadonlyMap<BytePath, bigint>;
  /** Dirty files with more content than was to be read: nothing is said of them. */
  readonly postponed: ReadonlySet<BytePath>;
}

export interface ReconcileParts extends SurveyParts {
  readonly store: Store;
  /** Files of which only what was appended is read. */
  readonly appended?: Appended;
  /** Where what appeared may come from. */
  readonly names?: Pick<InodeNames, 'inBaseline'>;
}

export interface ReconcileOptions {
  /** Files with more content are postponed, unless what hangs together would be told apart. */
  readonly contentMaxBytes?: number | undefined;
  /**
   * How very many differences are recorded: in slices, before this returns; undefined: they are all returned. When its
   * signal aborts nothing more is found.
   */
  readonly slicing?: Slicing | undefined;
}

export async function reconcile(
  parts: ReconcileParts,
  dirty: readonly Dirty[],
  { contentMaxBytes, slicing }: ReconcileOptions = {},
): Promise<Reconciled> {
  const { store, scope } = parts;
  const moves = movesByPlace(store.openMoves());
  const doubt = widen(dirty, moves);
  const heads: Difference[] = [];
  const incomplete: { path: BytePath; errno: number }[] = [];
  const grown = new Set<BytePath>();
  const lost = new Set<BytePath>();
  const ctimes = new Map<BytePath, bigint>();
  const postponed = new Set<BytePath>();
  const take = (finding: Finding): void => {
    if (finding.kind === 'incomplete') incomplete.push(finding);
    else if (finding.kind === 'lost') lost.add(finding.path);
    else if (becameDirectory(finding)) grown.add(finding.after.path);
    else heads.push(finding);
  };
  const readNow = async (paths: ReadonlySet<BytePath>): Promise<void> => {
    for (const one of await readPaths(parts, paths, { ctimes, postponed })) take(one);
    for (const path of paths) postponed.delete(path);
  };
  for (const one of await readPaths(parts, doubt.paths, { ctimes, postponed, contentMaxBytes })) take(one);
  await readNow(inPlaceOfOthers(postponed, store));
  // What is, or was, in such a directory may be open as moved.
  const trees = [...withMoves([...doubt.trees, ...grown, ...movedWithin(lost, moves)], moves)];
  const covered = rootsBelow(trees, scope);
  // What lies below a tree is read with it.
  const walked = new Set(covered);
  for (const path of postponed) if (hasAncestorIn(path, walked)) postponed.delete(path);
  const task = { roots: covered, lost, trees: [...trees, ...lost], paths: doubt.paths };
  const below = await compareBelow(parts, task, slicing);
  if (slicing?.signal.aborted === true) return { drifts: [], resolved: [], incomplete, ctimes, postponed };
  if (below.kind === 'slices') {
    await compareInSlices(parts, { ...task, heads, seen: seenAt(dirty, moves), incomplete, postponed }, below.slicing);
    return { drifts: [], resolved: [], incomplete, ctimes, postponed };
  }
  incomplete.push(...below.incomplete);
  await readNow(moveTargets(postponed, [...heads, ...below.differences], store, contentMaxBytes));
  const found = driftsOf(unique([...heads, ...below.differences]), scope);
  const paths = [...doubt.paths].filter((path) => !postponed.has(path));
  const seen = seenAt(dirty, movesByPlace([...store.openMoves(), ...found.flatMap(moveOf)]));
  return {
    drifts: found.map((drift) => attribute(drift, seen)),
    resolved: resolvedBy(found, paths, task.trees, incomplete, store),
    incomplete,
    ctimes,
    postponed,
  };
}

function moveOf(drift: Drift): { key: BytePath; path: BytePath }[] {
  return drift.kind === 'moved' ? [{ key: driftKey(drift), path: drift.path }] : [];
}

/** What came in the place of a directory belongs to whatever became of that. */
function inPlaceOfOthers(postponed: ReadonlySet<BytePath>, { baseline }: Store): Set<BytePath> {
  return new Set([...postponed].filter((path) => (baseline.find(path)?.type ?? 'file') !== 'file'));
}

/** What the baseline does not have may be the new name of a file that went, when that was as large. */
function moveTargets(
  postponed: ReadonlySet<BytePath>,
  differences: readonly Difference[],
  { baseline }: Store,
  contentMaxBytes = Number.POSITIVE_INFINITY,
): Set<BytePath> {
  const hasSource = differences.some((one) => one.kind === 'removed' && one.before.sizeBytes > contentMaxBytes);
  return new Set(hasSource ? [...postponed].filter((path) => baseline.find(path) === undefined) : []);
}

type Arrived = Extract<Difference, { readonly kind: 'added' | 'changed' }>;

/** A directory that the baseline does not have: what is in it has to be looked at, too. */
function becameDirectory(finding: Difference): finding is Arrived {
  if (finding.kind === 'removed' || finding.after.type !== 'directory') return false;
  return finding.kind === 'added' || finding.before.type !== 'directory';
}

function resolvedBy(
  found: readonly Drift[],
  paths: readonly BytePath[],
  trees: readonly BytePath[],
  incomplete: readonly { readonly path: BytePath }[],
  store: Store,
): OpenDrift[] {
  const keys = new Set<string>(found.map(driftKey));
  const unread = new Set<string>(incomplete.map(({ path }) => path));
  const candidates = outermostPaths(trees).flatMap((tree) => [...store.openDriftBelow(tree)]);
  candidates.push(...store.openDriftAmong(paths));
  const isOpen = (open: OpenDrift): boolean =>
    keys.has(open.key) || [open.key, open.path].some((path) => unread.has(path) || hasAncestorIn(path, unread));
  return [...new Map(candidates.filter((open) => !isOpen(open)).map((open) => [open.key, open])).values()];
}
