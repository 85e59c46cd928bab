// Two halves of a move that were seen apart, by a comparison that passed one place before and the other after it, or as a
// link and an unlink: they become one drift when the second is found.
import type { Dirty } from '../domain/dirty.ts';
import type { Drift } from '../domain/drift.ts';
import type { Digest, Entry } from '../domain/entry.ts';
import { inodeKey } from '../domain/inode-table.ts';
import { isSameFile, type Likeness } from '../domain/moves.ts';
import { type BytePath, pathFromBytes } from '../domain/path.ts';
import type { Store } from './ports/store.ts';
import { type Reconciled, type ReconcileParts, reconcile } from './reconcile.ts';

export interface Counterparts {
  /** `reconcile`, and once more together with what is open already and is the other half of what was found. */
  reconcile(parts: ReconcileParts, dirty: readonly Dirty[], contentMaxBytes?: number): Promise<Reconciled>;
}

/** What appeared or went and is open by itself. */
interface Half extends Omit<Likeness, 'digest'> {
  readonly path: BytePath;
  readonly algorithm: Digest['algorithm'] | undefined;
  /** One character per byte: of very many it is smaller than any array. */
  readonly digest: string;
}

/** By inode, type and rule. */
type Halves = Map<string, Half>;

/** Of each kind. More than that are hardly moves; those forgotten stay a removal and an addition. */
const KEPT_MAX = 50_000;

export function openCounterparts(): Counterparts {
  const added: Halves = new Map();
  const removed: Halves = new Map();

  const note = ({ drifts }: Reconciled): void => {
    for (const { drift } of drifts) {
      if (drift.kind === 'added' && drift.after !== undefined) keep(added, drift, drift.after);
      if (drift.kind === 'removed' && drift.before !== undefined) keep(removed, drift, drift.before);
    }
  };
  const otherHalf = (drift: Drift, store: Store): BytePath[] => {
    const { kind, rule, before, after } = drift;
    const [entry, halves] = kind === 'added' ? [after, removed] : kind === 'removed' ? [before, added] : [];
    const half = entry && halves?.get(keyOf(rule, entry));
    if (entry === undefined || half === undefined) return [];
    const isSame = entry.type === 'directory' || isSameFile(likenessOf(half), entry);
    return isSame && isOpenByItself(half.path, store) ? [half.path] : [];
  };

  return {
    async reconcile(parts, dirty, contentMaxBytes) {
      const first = await reconcile(parts, dirty, contentMaxBytes);
      const more = first.drifts.flatMap(({ drift }) => otherHalf(drift, parts.store)).map(doubted);
      const found = more.length === 0 ? first : await reconcile(parts, [...dirty, ...more], contentMaxBytes);
      note(found);
      return found;
    },
  };
}

function keep(halves: Halves, { path, rule }: Drift, entry: Entry): void {
  const key = keyOf(rule, entry);
  halves.delete(key);
  halves.set(key, halfOf(path, entry));
  if (halves.size <= KEPT_MAX) return;
  for (const oldest of halves.keys()) {
    halves.delete(oldest);
    return;
  }
}

function halfOf(path: BytePath, { sizeBytes, target, mtimeNs, digest }: Entry): Half {
  const text = digest === undefined ? '' : pathFromBytes(digest.value);
  return { path, sizeBytes, target, mtimeNs, algorithm: digest?.algorithm, digest: text };
}

function likenessOf({ sizeBytes, target, mtimeNs, algorithm, digest }: Half): Likeness {
  const value = Buffer.from(digest, 'latin1');
  return { sizeBytes, target, mtimeNs, digest: algorithm && { algorithm, value } };
}

function keyOf(rule: string, { type, inode }: Entry): string {
  return `${inodeKey(inode)}:${type}:${rule}`;
}

/** Not explained by a move, accepted or gone since. */
function isOpenByItself(path: BytePath, store: Store): boolean {
  return store.openDriftAt(path).some((open) => open.key === path && open.path === path);
}

function doubted(path: BytePath): Dirty {
  return { path, subtree: false, actors: [], hasOthers: false, sinceMs: 0 };
}
