// What the baseline calls what appeared under another name: of the other half of a move nothing has to be known for that.
import { type BytePath, dirOf, lineage } from '../domain/path.ts';
import type { ReconcileParts } from './reconcile.ts';

/** By `inodeKey`. Names below a directory that has moved itself are not among them: what is there may have come along. */
export function formerNames(keys: ReadonlySet<number>, { names, store }: ReconcileParts): BytePath[] {
  const found = keys.size === 0 ? [] : (names?.inBaseline(keys) ?? []);
  const above = new Set([...new Set(found.map(dirOf))].flatMap(lineage));
  const moved = new Set(store.openDriftAmong([...above]).flatMap(({ key, path }) => (key === path ? [] : [key])));
  if (moved.size === 0) return found;
  return found.filter((path) => !lineage(dirOf(path)).some((dir) => moved.has(dir)));
}
