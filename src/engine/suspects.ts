// What a running watch answers to whoever would otherwise have to walk: outside of these paths nothing differs from the baseline.
import { type BytePath, hasAncestorIn, outermostPaths } from '../domain/path.ts';
import type { Store } from './ports/store.ts';

/** `unsure`: only a walk can tell, and why, for a person. */
export type Suspects =
  | { readonly kind: 'suspects'; readonly paths: readonly BytePath[] }
  | { readonly kind: 'unsure'; readonly reason: string };

export interface SuspectParts {
  /** Resolves when all events of changes that were made before have been taken. */
  readonly settled: () => Promise<void>;
  /** Reads what is dirty now, and records what it finds. */
  readonly flush: () => Promise<void>;
  /** What keeps the watch from knowing; undefined when nothing does. */
  readonly doubtful: () => string | undefined;
  /** Every name that an open drift speaks of. */
  readonly openPaths: () => Iterable<BytePath>;
  /** What is, or was, too long in reading to wait for, with everything below it. */
  readonly unreadPaths: () => Iterable<BytePath>;
}

/** More paths than this are walked faster than told. */
const PATHS_MAX = 50_000;

/** To be called between two batches. */
export async function findSuspects(parts: SuspectParts): Promise<Suspects> {
  await parts.settled();
  await parts.flush();
  const reason = parts.doubtful();
  if (reason !== undefined) return unsure(reason);
  const paths = new Set([...parts.openPaths(), ...parts.unreadPaths()]);
  return paths.size > PATHS_MAX ? unsure(`${paths.size} paths differ`) : { kind: 'suspects', paths: [...paths].sort() };
}

/** Those of the paths that are at or below the roots, and the roots below one of them; none below another. */
export function suspectsWithin(paths: readonly BytePath[], roots: readonly BytePath[]): BytePath[] {
  const [suspects, asked] = [new Set<string>(paths), new Set<string>(roots)];
  const inside = paths.filter((path) => asked.has(path) || hasAncestorIn(path, asked));
  return outermostPaths([...inside, ...roots.filter((root) => hasAncestorIn(root, suspects))]);
}

export function unsure(reason: string): Suspects {
  return { kind: 'unsure', reason };
}

/** Both names of everything that is open drift. */
export function* openPaths(store: Pick<Store, 'openDrift'>): Generator<BytePath> {
  for (const { key, path } of store.openDrift()) {
    yield key;
    yield path;
  }
}
