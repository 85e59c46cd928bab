// What is accepted must stay findable: whatever the baseline has, it has the directories above that, too.
import type { Drift } from '../domain/drift.ts';
import type { Entry } from '../domain/entry.ts';
import { recordName, recordOffsets } from '../domain/packed.ts';
import { type BytePath, dirOf, hasAncestorIn, joinPath, lineage, ROOT_DIR } from '../domain/path.ts';
import type { Scope } from '../domain/rule.ts';
import { isStandIn, isStandInRecord, standIn } from '../domain/stand-in.ts';
import type { Baseline } from './ports/store.ts';

export interface GroundParts {
  readonly baseline: Baseline;
  readonly scope: Scope;
}

/**
 * What is not to be accepted, with the path above it that the baseline has as something else than a directory and that would
 * have to be accepted first: to make room for the one would forget the other.
 */
export function unfounded(drifts: readonly Drift[], { baseline, scope }: GroundParts): ReadonlyMap<Drift, BytePath> {
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
  for (const page of baseline.below(dir)) {
    for (const at of recordOffsets(page.run)) {
      if (!isStandInRecord(page.run, at) && !isDropped(joinPath(page.dir, recordName(page.run, at)), drop)) return true;
    }
  }
  return false;
}

/** What is dropped goes with everything below it. */
export function isDropped(path: BytePath, drop: ReadonlySet<BytePath>): boolean {
  return drop.has(path) || hasAncestorIn(path, drop);
}
