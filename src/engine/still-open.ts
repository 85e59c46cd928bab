// Open drift beside an acceptance: which names hang together, what it said of them, and what it is called afterwards.
import { type Drift, driftKey } from '../domain/drift.ts';
import { claimsOf, fingerprint } from '../domain/fingerprint.ts';
import { type BytePath, isWithin, rebasePath } from '../domain/path.ts';
import type { Scope } from '../domain/rule.ts';
import { isStandIn } from '../domain/stand-in.ts';
import { ruleOf } from './findings.ts';
import type { GroundParts } from './founded.ts';
import type { Patch } from './patch.ts';
import type { OpenDrift, Store } from './ports/store.ts';

/**
 * The paths with their other names, as far as open moves know: `paths` is what was meant, `places` what has to be looked at
 * together to find it, which is all of a directory that has moved when something in it is meant.
 */
export function followMoves(
  paths: readonly BytePath[],
  moves: readonly OpenDrift[],
): { readonly paths: readonly BytePath[]; readonly places: readonly BytePath[] } {
  const meant = new Set(paths);
  const places = new Set(paths);
  for (const path of paths) {
    for (const { key, path: to } of moves) {
      if (isWithin(path, key)) meant.add(rebasePath(path, key, to));
      else if (isWithin(path, to)) meant.add(rebasePath(path, to, key));
      else continue;
      places.add(key).add(to);
    }
  }
  // A Set is iterated over what is added meanwhile, too: a move out of a moved directory is followed as well.
  for (const path of meant) {
    for (const { key, path: to } of moves) if (isWithin(key, path) || isWithin(to, path)) meant.add(key).add(to);
  }
  return { paths: [...meant], places: [...places, ...meant] };
}

/**
 * Whether somebody was told something else than what is found: of a move, how much came along, too; otherwise of a path what
 * is there. So a removal and an addition that were told apart are no contradiction to their being one move.
 */
export function contradicts(open: OpenDrift, drift: Drift, print: string): boolean {
  if (open.fingerprint === print) return false;
  if (drift.kind === 'moved' && open.key === drift.from && open.path === drift.path) return true;
  const found = claimsOf(print);
  return [...claimsOf(open.fingerprint)].some(([path, facts]) => found.has(path) && found.get(path) !== facts);
}

interface Rekeyed {
  readonly old: BytePath;
  /** Undefined when something else is open or accepted under the new name already. */
  readonly open: OpenDrift | undefined;
  /** Then: what has to be looked at again. */
  readonly again: readonly BytePath[];
}

/** The open drift below accepted directories that stays open, where the baseline entry has another name now, or goes. */
export function rekeyed(
  { tops, remaining }: Patch,
  found: readonly Drift[],
  closed: ReadonlySet<BytePath>,
  { store, baseline, scope }: GroundParts & { readonly store: Store },
): Rekeyed[] {
  const byKey = new Map(found.map((drift) => [driftKey(drift), drift]));
  const opens = tops.flatMap((top) => store.openDriftBelow(top).filter(({ key }) => isWithin(key, top)));
  return opens.flatMap((open): Rekeyed[] => {
    const entry = baseline.find(open.key);
    if (closed.has(open.key) || entry === undefined || isStandIn(entry)) return [];
    const key = remaining.get(open.key);
    // Something else was accepted in its place.
    if (key === undefined) return [{ old: open.key, open: undefined, again: [open.path] }];
    if (key === open.key) return [];
    const isTaken = store.openDriftAt(key).some((other) => other.key === key && !closed.has(key));
    if (isTaken) return [{ old: open.key, open: undefined, again: [key, open.path] }];
    const path = open.path === open.key ? key : open.path;
    const fingerprint = printAfter(open, { key, path }, byKey.get(open.key), scope);
    return [{ old: open.key, open: { ...open, key, path, fingerprint }, again: [] }];
  });
}

/** As what the drift will be found from now on; when it is not what was told any more, it is to be told anew. */
function printAfter(
  open: OpenDrift,
  { key, path }: { readonly key: BytePath; readonly path: BytePath },
  drift: Drift | undefined,
  scope: Scope,
): string {
  const rule = drift && ruleOf(drift, scope);
  if (drift === undefined || rule === undefined) return open.fingerprint;
  if (fingerprint(drift, rule.attributes) !== open.fingerprint) return open.fingerprint;
  return fingerprint({ ...drift, path, from: path === key ? undefined : key }, rule.attributes);
}
