// What was found of logs that may grow and are drift already, as far as it is to be told.
import type { Dirty } from '../domain/dirty.ts';
import { driftKey } from '../domain/drift.ts';
import type { BytePath } from '../domain/path.ts';
import { appendedSince } from './appended-since.ts';
import type { Attributed } from './attribution.ts';
import type { ReconcileParts } from './reconcile.ts';
import type { StillGrowing } from './still-growing.ts';

export interface AsToldParts extends ReconcileParts {
  readonly stillGrowing?: StillGrowing | undefined;
}

/** What was told is read again with each append; where that is more, each append is told. */
const TOLD_MAX_BYTES = 16n * 1024n * 1024n;
/** Everything begins with nothing: what is there then was never told. */
const isSought = (toldBytes: bigint): boolean => toldBytes > 0n && toldBytes <= TOLD_MAX_BYTES;

export interface ReadNow {
  readonly found: readonly Attributed[];
  readonly dirty: readonly Dirty[];
}

/** With who wrote to them, and as it was told where nothing but more is there. `doubt`: the path is to be read again. */
export async function asTold(
  parts: AsToldParts,
  { found, dirty }: ReadNow,
  doubt: (path: BytePath) => void,
): Promise<Attributed[]> {
  const { growth, stillGrowing } = parts;
  const all: Attributed[] = [];
  const growing = new Set<BytePath>();
  for (const one of growth === undefined ? found : found.map(growth.named)) {
    const { path } = one.drift;
    const prints = (): string[] => parts.store.openDriftAt(driftKey(one.drift)).map((open) => open.fingerprint);
    const { drift, kind } = await appendedSince(one.drift, { ...parts, prints, isSought });
    if (kind === 'appended') growing.add(path);
    // What was read of it before may be of another time: the digest is one of no file then.
    if (kind === 'other' && parts.appended?.has(path)) {
      parts.appended.doubt(path);
      doubt(path);
    }
    const over = kind === 'appended' ? stillGrowing?.appended(one) : undefined;
    all.push(over ?? { ...one, drift });
  }
  for (const { path } of dirty) if (!growing.has(path)) stillGrowing?.forget(path);
  return all;
}
