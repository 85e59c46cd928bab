// What accepted drift means for the baseline: just what it says, whatever else lies below a directory that moved or went.
import { type Drift, driftKey } from '../domain/drift.ts';
import type { Entry } from '../domain/entry.ts';
import { readRecord, recordOffsets } from '../domain/packed.ts';
import { type BytePath, dirOf, isWithin, outermostPaths, rebasePath } from '../domain/path.ts';
import type { Scope } from '../domain/rule.ts';
import { isStandIn } from '../domain/stand-in.ts';
import { type GroundParts, idleStandIns, isDropped, standInsFor } from './founded.ts';
import type { Baseline, Commit } from './ports/store.ts';

type Patch = NonNullable<Commit['accept']>;

/** An entry that could not be read to the end is nothing to compare with later. */
export function isAcceptable({ after }: Drift): boolean {
  return after === undefined || after.incomplete === 0;
}

/**
 * Entries below a directory that moved or went stay findable when they are not accepted, too: those of the same rule go
 * along to the directory's new place (or with it), so that what was added, changed or removed there still is; those of
 * another rule keep their old name, and with it the directories above.
 */
export function patchOf(drifts: readonly Drift[], parts: GroundParts): Patch {
  const accepted = drifts.filter(isAcceptable);
  const put = new Map<BytePath, Entry>();
  const settled = new Set<BytePath>();
  for (const drift of accepted) {
    if (drift.before !== undefined) settled.add(driftKey(drift));
    if (drift.after !== undefined) put.set(drift.path, drift.after);
    for (const { from, after } of drift.along ?? []) {
      settled.add(from);
      if (after.incomplete === 0) put.set(after.path, after);
      else putRebased(put, parts.baseline.find(from), after.path);
    }
  }
  const gone = goneBy(accepted);
  const drop = new Set(gone.keys());
  for (const top of outermostPaths(gone.keys())) {
    if (gone.get(top)?.before?.type !== 'directory') continue;
    for (const entry of entriesBelow(top, parts.baseline)) {
      const drift = settled.has(entry.path) ? undefined : nearestAbove(entry.path, gone);
      if (drift !== undefined) remain(entry, { drift, top, drop }, parts, put);
    }
  }
  return {
    put: [...put.values(), ...standInsFor(put, drop, parts)],
    drop: [...drop, ...idleStandIns(put, drop, parts)],
  };
}

/** The accepted drift whose name in the baseline goes, with everything below it, by that name. */
export function goneBy(accepted: readonly Drift[]): ReadonlyMap<BytePath, Drift> {
  return new Map(accepted.filter(isGone).map((drift) => [driftKey(drift), drift]));
}

/** The name in the baseline stands for something else or for nothing now, and so does everything below it. */
function isGone({ kind, from, before, after }: Drift): boolean {
  return kind === 'removed' || from !== undefined || (before?.type === 'directory' && after?.type !== 'directory');
}

function* entriesBelow(path: BytePath, baseline: Baseline): Generator<Entry> {
  for (const { dir, run } of baseline.below(path)) {
    for (const at of recordOffsets(run)) yield readRecord(run, at, dir);
  }
}

/** What became of the nearest directory above. */
export function nearestAbove(path: BytePath, gone: ReadonlyMap<BytePath, Drift>): Drift | undefined {
  for (let dir = dirOf(path); dir.length > 1; dir = dirOf(dir)) {
    const drift = gone.get(dir);
    if (drift !== undefined) return drift;
  }
  return undefined;
}

interface Remaining {
  /** What became of the nearest directory above. */
  readonly drift: Drift;
  /** The outermost directory that is dropped. */
  readonly top: BytePath;
  readonly drop: ReadonlySet<BytePath>;
}

function remain(
  entry: Entry,
  { drift, top, drop }: Remaining,
  { baseline, scope }: GroundParts,
  put: Map<BytePath, Entry>,
): void {
  // Who still needs it gets a new one.
  if (isStandIn(entry)) return;
  const rule = scope.ruleOf(entry.path);
  if (rule === undefined || rule.onDrift === 'ignore') return;
  const place = placeAfter(entry.path, drift, scope);
  if (place !== undefined) {
    const after = (at: BytePath): Entry | undefined =>
      put.get(at) ?? (isDropped(at, drop) ? undefined : baseline.find(at));
    if (!isTaken(place, drift.path, after)) putRebased(put, entry, place);
  } else if (drift.from !== undefined || rule.name !== drift.rule) {
    for (let at = entry.path; isWithin(at, top); at = dirOf(at)) putRebased(put, baseline.find(at), at);
  }
}

/** Where the move of a directory above takes an entry; undefined when it does not, or only into another rule. */
export function placeAfter(path: BytePath, { from, path: to }: Drift, scope: Scope): BytePath | undefined {
  if (from === undefined || !isWithin(path, from)) return undefined;
  const place = rebasePath(path, from, to);
  return scope.ruleOf(place)?.name === scope.ruleOf(path)?.name ? place : undefined;
}

/** Something else was accepted there, or above it as what is no directory. */
function isTaken(place: BytePath, top: BytePath, after: (path: BytePath) => Entry | undefined): boolean {
  const own = after(place);
  if (own !== undefined && !isStandIn(own)) return true;
  for (let at = dirOf(place); at !== top; at = dirOf(at)) {
    const above = after(at);
    if (above !== undefined) return above.type !== 'directory';
  }
  return false;
}

/** What was accepted at a place goes before what remains. */
function putRebased(put: Map<BytePath, Entry>, entry: Entry | undefined, path: BytePath): void {
  if (entry !== undefined && !put.has(path)) put.set(path, { ...entry, path });
}
