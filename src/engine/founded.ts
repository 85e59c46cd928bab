// What is accepted must stay findable: whatever the baseline has, it has the directories above that, too.
import { type Drift, driftKey } from '../domain/drift.ts';
import type { Entry } from '../domain/entry.ts';
import { readRecord, recordOffsets } from '../domain/packed.ts';
import { type BytePath, dirOf, hasAncestorIn, lineage, ROOT_DIR } from '../domain/path.ts';
import type { Scope } from '../domain/rule.ts';
import { isStandIn, isStandInRecord, standIn } from '../domain/stand-in.ts';
import type { Baseline } from './ports/store.ts';

export interface GroundParts {
  readonly baseline: Baseline;
  readonly scope: Scope;
}

/**
 * What is not to be accepted alone, with the path that would have to be accepted first: a path above it that the baseline has
 * as something else than a directory, or one in a directory that is none any more. To make room for the one would forget the
 * other.
 */
export function unfounded(drifts: readonly Drift[], parts: GroundParts): ReadonlyMap<Drift, BytePath> {
  const found = belowOthers(drifts, parts);
  const rest = drifts.filter((drift) => !found.has(drift));
  const settled = settledBy(rest);
  for (const drift of rest.filter(isDirectoryNoMore)) {
    for (const { path } of entriesBelow(drift.path, parts.baseline)) {
      if (!settled.has(path) && isCompared(path, parts.scope)) found.set(drift, path);
      if (found.has(drift)) break;
    }
  }
  return found;
}

function belowOthers(drifts: readonly Drift[], { baseline, scope }: GroundParts): Map<Drift, BytePath> {
  const directories = new Set(drifts.filter(({ after }) => after?.type === 'directory').map(({ path }) => path));
  const blocks = new Map<BytePath, BytePath | undefined>();
  const blockOf = (path: BytePath): BytePath | undefined => {
    for (const above of coveredAbove(path, scope)) {
      const entry = directories.has(above) ? undefined : baseline.find(above);
      if (entry !== undefined) return entry.type === 'directory' ? undefined : above;
    }
    return undefined;
  };
  const found = new Map<Drift, BytePath>();
  for (const drift of drifts.filter(({ after }) => after !== undefined)) {
    const dir = dirOf(drift.path);
    if (!blocks.has(dir)) blocks.set(dir, blockOf(drift.path));
    const block = blocks.get(dir);
    if (block !== undefined) found.set(drift, block);
  }
  return found;
}

function isDirectoryNoMore({ before, after }: Drift): boolean {
  return before?.type === 'directory' && after !== undefined && after.type !== 'directory';
}

/** The names in the baseline of everything that drift speaks of. */
export function settledBy(drifts: readonly Drift[]): Set<BytePath> {
  const settled = new Set<BytePath>();
  for (const drift of drifts) {
    if (drift.before !== undefined) settled.add(driftKey(drift));
    for (const { from } of drift.along ?? []) settled.add(from);
  }
  return settled;
}

/** What is in the baseline below a directory, stand-ins aside. */
export function* entriesBelow(path: BytePath, baseline: Baseline): Generator<Entry> {
  for (const { dir, run } of baseline.below(path)) {
    for (const at of recordOffsets(run)) if (!isStandInRecord(run, at)) yield readRecord(run, at, dir);
  }
}

/** Whether somebody would be told of drift there. */
export function isCompared(path: BytePath, scope: Scope): boolean {
  const rule = scope.ruleOf(path);
  return rule !== undefined && rule.onDrift !== 'ignore';
}

/** A stand-in for each directory above what is put that the baseline will not have otherwise. */
export function standInsFor(
  put: ReadonlyMap<BytePath, Entry>,
  drop: ReadonlySet<BytePath>,
  { baseline, scope }: GroundParts,
): Entry[] {
  const found = new Map<BytePath, Entry>();
  const isKept = (dir: BytePath): boolean => !isDropped(dir, drop) && baseline.find(dir)?.type === 'directory';
  for (const path of put.keys()) {
    for (const dir of coveredAbove(path, scope)) {
      if (put.has(dir) || found.has(dir) || isKept(dir)) break;
      found.set(dir, standIn(dir));
    }
  }
  return [...found.values()];
}

/** The stand-ins that nothing is below any more, when this is put and that is dropped. */
export function idleStandIns(
  put: ReadonlyMap<BytePath, Entry>,
  drop: ReadonlySet<BytePath>,
  { baseline, scope }: GroundParts,
): BytePath[] {
  const above = new Set<BytePath>();
  for (const path of drop) {
    for (const dir of coveredAbove(path, scope)) {
      if (above.has(dir) || !isStandIn(baseline.find(dir))) break;
      above.add(dir);
    }
  }
  if (above.size === 0) return [];
  const needed = new Set([...put.keys()].flatMap((path) => lineage(path)));
  return [...above].filter((dir) => !needed.has(dir) && !hasBelow(dir, drop, baseline));
}

/** The directories above a path, as far as rules cover them, the nearest first. */
function* coveredAbove(path: BytePath, scope: Scope): Generator<BytePath> {
  for (let dir = dirOf(path); dir !== ROOT_DIR && scope.ruleOf(dir) !== undefined; dir = dirOf(dir)) yield dir;
}

function hasBelow(dir: BytePath, drop: ReadonlySet<BytePath>, baseline: Baseline): boolean {
  for (const { path } of entriesBelow(dir, baseline)) if (!isDropped(path, drop)) return true;
  return false;
}

/** What is dropped goes with everything below it. */
export function isDropped(path: BytePath, drop: ReadonlySet<BytePath>): boolean {
  return drop.has(path) || hasAncestorIn(path, drop);
}
