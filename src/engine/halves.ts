// What appeared or went and is open by itself: half of a move, maybe, of which the other half is still to be found.
import type { Drift } from '../domain/drift.ts';
import type { Digest, Entry } from '../domain/entry.ts';
import { inodeKey } from '../domain/inode-table.ts';
import { isSameFile, type Likeness } from '../domain/moves.ts';
import { type BytePath, pathFromBytes } from '../domain/path.ts';
import type { Attributed } from './attribution.ts';
import type { Store } from './ports/store.ts';

export interface Halves {
  /** Remembers what was found. */
  note(drifts: readonly Attributed[]): void;
  /** Where the same object went, or came, of what came or went now; open by itself until now. */
  otherOf(half: Pick<Drift, 'kind' | 'rule' | 'before' | 'after'>, store: Store): BytePath | undefined;
}

interface Half extends Omit<Likeness, 'digest'> {
  readonly path: BytePath;
  readonly algorithm: Digest['algorithm'] | undefined;
  /** One character per byte: of very many it is smaller than any array. */
  readonly digest: string;
}

/** By inode, type and rule. */
type ByObject = Map<string, Half>;

/** Of each kind. More than that are hardly moves; those forgotten stay a removal and an addition. */
const KEPT_MAX = 50_000;

export function openHalves(): Halves {
  const added: ByObject = new Map();
  const removed: ByObject = new Map();
  return {
    note(drifts) {
      for (const { drift } of drifts) {
        if (drift.kind === 'added' && drift.after !== undefined) keep(added, drift, drift.after);
        if (drift.kind === 'removed' && drift.before !== undefined) keep(removed, drift, drift.before);
      }
    },
    otherOf({ kind, rule, before, after }, store) {
      const [entry, halves] = kind === 'added' ? [after, removed] : kind === 'removed' ? [before, added] : [];
      const half = entry && halves?.get(keyOf(rule, entry));
      if (entry === undefined || half === undefined) return undefined;
      const isSame = entry.type === 'directory' || isSameFile(likenessOf(half), entry);
      return isSame && isOpenByItself(half.path, store) ? half.path : undefined;
    },
  };
}

function keep(halves: ByObject, { path, rule }: Drift, entry: Entry): void {
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
