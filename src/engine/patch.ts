// What accepted drift means for the baseline: just what it says, whatever else lies below a directory that moved or went.
import { type Drift, driftKey } from '../domain/drift.ts';
import type { Entry } from '../domain/entry.ts';
import { type BytePath, dirOf, isWithin, outermostPaths, rebasePath } from '../domain/path.ts';
import type { Scope } from '../domain/rule.ts';
import { isStandIn } from '../domain/stand-in.ts';
import {
  entriesBelow,
  type GroundParts,
  idleStandIns,
  isCompared,
  isDropped,
  settledBy,
  standInsFor,
} from './founded.ts';
import type { Commit } from './ports/store.ts';

export interface Patch extends NonNullable<Commit['accept']> {
  /** What is not accepted below directories that moved or went, by its name in the baseline: its name from now on. */
  readonly remaining: ReadonlyMap<BytePath, BytePath>;
  /** Those directories, none below another, by their names in the baseline. */
  readonly tops: readonly BytePath[];
}

/** An entry that could not be read to the end is nothing to compare with later. */
export function isAcceptable({ after }: Drift): boolean {
  return after === undefined || after.incomplete === 0;
}

/**
 * Entries below a directory that moved or went stay findable when they are not accepted, too: those of the same rule go
 * along to the directory's new place, so that what was added, changed or removed there still is; all others keep their name.
 */
export function patchOf(drifts: readonly Drift[], parts: GroundParts): Patch {
  const accepted = drifts.filter(isAcceptable);
  const put = new Map<BytePath, Entry>();
  for (const drift of accepted) {
    if (drift.after !== undefined) put.set(drift.path, drift.after);
    for (const { from, after } of drift.along ?? []) {
      const entry = after.incomplete === 0 ? after : parts.baseline.find(from);
      if (entry !== undefined) put.set(after.path, { ...entry, path: after.path });
    }
  }
  const gone = goneBy(accepted);
  const drop = new Set(gone.keys());
  const tops = outermostPaths(drop).filter((top) => gone.get(top)?.before?.type === 'directory');
  const remaining = new Map<BytePath, BytePath>();
  const after = (path: BytePath): Entry | undefined =>
    put.get(path) ?? (isDropped(path, drop) ? undefined : parts.baseline.find(path));
  for (const { entry, place, top } of remainingBelow(tops, { gone, settled: settledBy(accepted) }, parts)) {
    if (isTaken(place, top, after)) continue;
    put.set(place, { ...entry, path: place });
    remaining.set(entry.path, place);
  }
  return {
    put: [...put.values(), ...standInsFor(put, drop, parts)],
    drop: [...drop, ...idleStandIns(put, drop, parts)],
    remaining,
    tops,
  };
}

/** The accepted drift whose name in the baseline goes, with everything below it, by that name. */
function goneBy(accepted: readonly Drift[]): ReadonlyMap<BytePath, Drift> {
  return new Map(accepted.filter(isGone).map((drift) => [driftKey(drift), drift]));
}

/** The name in the baseline stands for something else or for nothing now, and so does everything below it. */
function isGone({ kind, from, before, after }: Drift): boolean {
  return kind === 'removed' || from !== undefined || (before?.type === 'directory' && after?.type !== 'directory');
}

interface Remaining {
  readonly entry: Entry;
  readonly place: BytePath;
  /** The outermost directory above the place that this acceptance is about. */
  readonly top: BytePath;
}

/** What drift that is not accepted speaks of below directories that moved or went. */
function* remainingBelow(
  tops: readonly BytePath[],
  { gone, settled }: { readonly gone: ReadonlyMap<BytePath, Drift>; readonly settled: ReadonlySet<BytePath> },
  { baseline, scope }: GroundParts,
): Generator<Remaining> {
  for (const top of tops) {
    for (const entry of entriesBelow(top, baseline)) {
      if (settled.has(entry.path) || !isCompared(entry.path, scope)) continue;
      const above = nearestAbove(entry.path, gone);
      const place = above && placeAfter(entry.path, above, scope);
      if (above === undefined || place === undefined) yield { entry, place: entry.path, top };
      else yield { entry, place, top: above.path };
    }
  }
}

/** What became of the nearest directory above. */
function nearestAbove(path: BytePath, gone: ReadonlyMap<BytePath, Drift>): Drift | undefined {
  for (let dir = dirOf(path); dir.length > 1; dir = dirOf(dir)) {
    const drift = gone.get(dir);
    if (drift !== undefined) return drift;
  }
  return undefined;
}

/** Where the move of a directory above takes an entry; undefined when it does not, or only into another rule. */
function placeAfter(path: BytePath, { from, path: to }: Drift, scope: Scope): BytePath | undefined {
  if (from === undefined || !isWithin(path, from)) return undefined;
  const place = rebasePath(path, from, to);
  return scope.ruleOf(place)?.name === scope.ruleOf(path)?.name ? place : undefined;
}

/** Something else was accepted there, or above it as what is no directory. */
function isTaken(place: BytePath, top: BytePath, after: (path: BytePath) => Entry | undefined): boolean {
  const own = after(place);
  if (own !== undefined && !isStandIn(own)) return true;
  for (let at = dirOf(place); isWithin(at, top); at = dirOf(at)) {
    const above = after(at);
    if (above !== undefined) return above.type !== 'directory';
  }
  return false;
}
