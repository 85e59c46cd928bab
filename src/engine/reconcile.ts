// Dirty paths to drift: read the state of what is in doubt, compare, and say what is open now and what is not any more.
import { type Actor, UNKNOWN_ACTOR } from '../domain/actor.ts';
import { type Dirty, mergeDirty } from '../domain/dirty.ts';
import { type Drift, driftKey } from '../domain/drift.ts';
import { recordCtimeNs, recordName, recordOffsets } from '../domain/packed.ts';
import { type BytePath, dirOf, hasAncestorIn, joinPath, outermostPaths, ROOT_DIR } from '../domain/path.ts';
import { rootsFor } from '../domain/rule.ts';
import type { Appended } from './appended.ts';
import { type Difference, driftsOf } from './findings.ts';
import type { Finding } from './page-diff.ts';
import type { OpenDrift, Store } from './ports/store.ts';
import { readingsOf } from './readings.ts';
import { findingsOf, type SurveyParts, survey } from './survey.ts';

export interface Attributed {
  readonly drift: Drift;
  /** Never empty. */
  readonly actors: readonly Actor[];
  /** Somebody did it, too, who is not among the actors. */
  readonly hasOthers: boolean;
}

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
}

/** How many directories are read at the same time. */
const READS = 16;

/** `contentMaxBytes`: files with more content are postponed, unless what hangs together would be told apart. */
export async function reconcile(
  parts: ReconcileParts,
  dirty: readonly Dirty[],
  contentMaxBytes?: number,
): Promise<Reconciled> {
  const moves = movesByPlace(parts.store.openMoves());
  const doubt = widen(dirty, moves);
  const differences: Difference[] = [];
  const incomplete: { path: BytePath; errno: number }[] = [];
  const grown = new Set<BytePath>();
  const lost = new Set<BytePath>();
  const ctimes = new Map<BytePath, bigint>();
  const postponed = new Set<BytePath>();
  const take = (finding: Finding): void => {
    if (finding.kind === 'incomplete') incomplete.push(finding);
    else if (finding.kind === 'lost') lost.add(finding.path);
    else if (becameDirectory(finding)) grown.add(finding.after.path);
    else differences.push(finding);
  };
  const readNow = async (paths: ReadonlySet<BytePath>): Promise<void> => {
    for (const one of await readPaths(parts, paths, { ctimes, postponed })) take(one);
    for (const path of paths) postponed.delete(path);
  };
  for (const one of await readPaths(parts, doubt.paths, { ctimes, postponed, contentMaxBytes })) take(one);
  await readNow(inPlaceOfOthers(postponed, parts.store));
  // What is, or was, in such a directory may be open as moved.
  const trees = [...withMoves([...doubt.trees, ...grown, ...movedWithin(lost, moves)], moves)];
  // Of a directory above rule paths it is those paths that are in doubt: a rename or a mount up there moves or hides them.
  const roots = trees.flatMap((tree) => rootsFor(parts.scope, tree));
  const covered = outermostPaths(roots.filter((root) => parts.scope.ruleOf(root) !== undefined));
  for await (const finding of survey(parts, covered, { quick: false })) {
    if (finding.kind === 'incomplete') incomplete.push(finding);
    else if (finding.kind !== 'lost') differences.push(finding);
  }
  // What lies below a tree has been read with it.
  const read = new Set(covered);
  for (const path of postponed) if (hasAncestorIn(path, read)) postponed.delete(path);
  await readNow(moveTargets(postponed, differences, parts.store, contentMaxBytes));
  const paths = [...doubt.paths].filter((path) => !postponed.has(path));
  const found = driftsOf(unique(differences), parts.scope);
  const seen = new Map(dirty.map((one) => [one.path, one]));
  return {
    drifts: found.map((drift) => attribute(drift, seen)),
    resolved: resolvedBy(found, paths, [...trees, ...lost], incomplete, parts.store),
    incomplete,
    ctimes,
    postponed,
  };
}

/** Adds what hangs together with the dirty paths by open moves. */
function widen(dirty: readonly Dirty[], moves: MovesByPlace): { paths: Set<BytePath>; trees: Set<BytePath> } {
  const paths = new Set(dirty.filter(({ subtree }) => !subtree).map(({ path }) => path));
  const whole = dirty.filter(({ subtree }) => subtree).map(({ path }) => path);
  const trees = withMoves([...whole, ...[...paths].flatMap((path) => movedAbove(path, moves))], moves);
  for (const path of paths) if (trees.has(path) || hasAncestorIn(path, trees)) paths.delete(path);
  return { paths, trees };
}

/**
 * The trees and both names of every move that has one of them in a tree, or a tree in it: the entries of a moved directory
 * are in the baseline under their old names. Each name that this adds is a tree that others may hang together with.
 */
function withMoves(trees: readonly BytePath[], moves: MovesByPlace): Set<BytePath> {
  const all = new Set(trees);
  let added = moves.size === 0 ? new Set<BytePath>() : all;
  while (added.size > 0) {
    const found = [...[...added].flatMap((tree) => movedAbove(tree, moves)), ...movedWithin(added, moves)];
    added = new Set(found.filter((tree) => !all.has(tree)));
    for (const tree of added) all.add(tree);
  }
  return all;
}

/** Both names of each move that has the path as one of them, or below it. */
function movedAbove(path: BytePath, moves: MovesByPlace): BytePath[] {
  const found: BytePath[] = [];
  if (moves.size === 0) return found;
  for (let at = path; at !== ROOT_DIR; at = dirOf(at)) {
    for (const { key, path: to } of moves.get(at) ?? []) found.push(key, to);
  }
  return found;
}

/** Both names of each move of which one is in the trees. */
function movedWithin(trees: ReadonlySet<BytePath>, moves: MovesByPlace): BytePath[] {
  const within = [...moves].filter(([place]) => trees.has(place) || hasAncestorIn(place, trees));
  return within.flatMap(([, here]) => here.flatMap(({ key, path }) => [key, path]));
}

type MovesByPlace = ReadonlyMap<BytePath, readonly OpenDrift[]>;

/** Each move under both of its names. */
function movesByPlace(moves: readonly OpenDrift[]): MovesByPlace {
  const places = new Map<BytePath, OpenDrift[]>();
  for (const move of moves) {
    for (const place of [move.key, move.path]) places.set(place, [...(places.get(place) ?? []), move]);
  }
  return places;
}

interface Reading {
  readonly ctimes: Map<BytePath, bigint>;
  readonly postponed: Set<BytePath>;
  readonly contentMaxBytes?: number | undefined;
}

async function readPaths(
  parts: ReconcileParts,
  paths: ReadonlySet<BytePath>,
  { ctimes, postponed, contentMaxBytes }: Reading,
): Promise<Finding[]> {
  const queue = readingsOf(paths, parts);
  const findings: Finding[] = [];
  const read = ([dir, list, token]: (typeof queue)[number]) => parts.disk.read(dir, list, contentMaxBytes, token);
  while (queue.length > 0) {
    const pages = await Promise.all(queue.splice(0, READS).map(read));
    for (const page of pages) {
      for (const at of recordOffsets(page.records)) {
        ctimes.set(joinPath(page.dir, recordName(page.records, at)), recordCtimeNs(page.records, at));
      }
      for (const name of page.postponed ?? []) postponed.add(joinPath(page.dir, name));
      for await (const finding of findingsOf(page, parts)) {
        parts.appended?.note(finding);
        findings.push(finding);
      }
    }
  }
  return findings;
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

/** A path can be found twice: by itself and below a tree. */
function unique(differences: readonly Difference[]): Difference[] {
  const byPath = new Map<string, Difference>();
  for (const one of differences) byPath.set(one.kind === 'removed' ? one.before.path : one.after.path, one);
  return [...byPath.values()];
}

/** Who was seen at the path, at its old name, or at the directory whose move or removal explains it. */
function attribute(drift: Drift, seen: ReadonlyMap<BytePath, Dirty>): Attributed {
  const own = [drift.from, drift.path].flatMap((path) => (path === undefined ? [] : (seen.get(path) ?? [])));
  const merged = own.reduce(mergeDirty, { path: drift.path, subtree: false, actors: [], hasOthers: false, sinceMs: 0 });
  const { actors, hasOthers } = merged.actors.some(isKnown) ? merged : (nearestSeen(drift.path, seen) ?? merged);
  return { drift, actors: actors.length === 0 ? [UNKNOWN_ACTOR] : actors, hasOthers };
}

function isKnown({ source }: Actor): boolean {
  return source !== 'unknown';
}

function nearestSeen(path: BytePath, seen: ReadonlyMap<BytePath, Dirty>): Dirty | undefined {
  for (let dir = dirOf(path); dir.length > 1; dir = dirOf(dir)) {
    const found = seen.get(dir);
    if (found !== undefined) return found;
  }
  return undefined;
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
