// Two halves of a move that were seen apart, by a comparison that passed one place before and the other after it, or as a
// link and an unlink: they become one drift when the second is found.
import type { IsHeld } from '../domain/batch.ts';
import type { Dirty } from '../domain/dirty.ts';
import type { Drift } from '../domain/drift.ts';
import { inodeKey } from '../domain/inode-table.ts';
import { pairMoves } from '../domain/moves.ts';
import type { BytePath } from '../domain/path.ts';
import { withUnseen } from './attribution.ts';
import { driftOf } from './findings.ts';
import { formerNames } from './former-names.ts';
import { type Halves, openHalves } from './halves.ts';
import { LARGE_BYTES, readPaths } from './readings.ts';
import { type Reconciled, type ReconcileOptions, type ReconcileParts, reconcile } from './reconcile.ts';
import type { Slicing } from './slice.ts';

export interface Counterparts {
  /** `reconcile`, and once more together with what is open already and is the other half of what was found. */
  reconcile(parts: ReconcileParts, dirty: readonly Dirty[], options?: CounterpartOptions): Promise<Reconciled>;
  /** What was found of one file, which took too long to be read again, together with what went where it came from. */
  complete(parts: ReconcileParts, found: Reconciled): Promise<Reconciled>;
}

export interface CounterpartOptions extends Pick<ReconcileOptions, 'contentMaxBytes'> {
  readonly slicing?: Omit<Slicing, 'halves'> | undefined;
  /** What somebody else is at is nobody's other half; what is found there later may be paired with what is told now. */
  readonly isHeld?: IsHeld | undefined;
}

export function openCounterparts(): Counterparts {
  const halves = openHalves();
  return {
    async reconcile(parts, dirty, { contentMaxBytes, slicing, isHeld = () => false } = {}) {
      const free = { halves: halvesBeside(halves, isHeld), parts: partsBeside(parts, isHeld) };
      const options = { contentMaxBytes, slicing: slicing && { ...slicing, halves: free.halves } };
      const first = await reconcile(free.parts, dirty, options);
      const more = first.drifts.flatMap(({ drift }) => free.halves.otherOf(drift, parts.store) ?? []).map(doubted);
      const found = more.length === 0 ? first : await reconcile(free.parts, [...dirty, ...more], options);
      halves.note(found.drifts);
      return found;
    },
    async complete(parts, found) {
      const whole = await withSources(parts, found, halves);
      halves.note(whole.drifts);
      return whole;
    },
  };
}

function halvesBeside({ note, otherOf }: Halves, isHeld: IsHeld): Halves {
  return {
    note,
    otherOf: (half, store) => {
      const other = otherOf(half, store);
      return other === undefined || isHeld(other) ? undefined : other;
    },
  };
}

function partsBeside(parts: ReconcileParts, isHeld: IsHeld): ReconcileParts {
  const { names } = parts;
  if (names === undefined) return parts;
  return { ...parts, names: { inBaseline: (keys) => names.inBaseline(keys).filter((path) => !isHeld(path)) } };
}

async function withSources(parts: ReconcileParts, found: Reconciled, halves: Halves): Promise<Reconciled> {
  const { store, scope } = parts;
  const others = new Set(found.drifts.flatMap(({ drift }) => sourcesOf(drift, parts, halves)));
  if (others.size === 0) return found;
  const findings = await readPaths(parts, others, {
    ctimes: new Map(),
    postponed: new Set(),
    contentMaxBytes: LARGE_BYTES,
  });
  const gone = findings.flatMap((finding) => (finding.kind === 'removed' ? [driftOf(finding)] : []));
  const own = new Map(found.drifts.map((one) => [one.drift.path, one]));
  // What went and is not where the file came from has been told, or will be.
  const drifts = pairMoves([...found.drifts.map(({ drift }) => drift), ...gone], scope).flatMap((drift) => {
    const one = own.get(drift.path);
    return one === undefined ? [] : [withUnseen({ ...one, drift }, (path) => path === one.drift.from, store)];
  });
  const moved = drifts.flatMap(({ drift }) => (drift.kind === 'moved' ? [drift.path] : []));
  const told = store.openDriftAmong(moved).filter(({ key, path }) => key === path && moved.includes(key));
  return { ...found, drifts, resolved: [...found.resolved, ...told] };
}

function sourcesOf({ kind, rule, before, after }: Drift, parts: ReconcileParts, halves: Halves): BytePath[] {
  if (kind !== 'added' || after === undefined) return [];
  const half = halves.otherOf({ kind, rule, before, after }, parts.store) ?? [];
  const named = formerNames(new Set([inodeKey(after.inode)]), parts);
  return [half, named].flat().filter((path) => path !== after.path);
}

function doubted(path: BytePath): Dirty {
  return { path, subtree: false, actors: [], hasOthers: false, sinceMs: 0 };
}
