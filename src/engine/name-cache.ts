// The names that inodes have in the directories of a baseline, and those of open drift there; kept while nothing is added to them.
import { recordInodeKey, recordName, recordOffsets } from '../domain/packed.ts';
import { type BytePath, joinPath } from '../domain/path.ts';
import type { Baseline, Store } from './ports/store.ts';

export interface NameCache {
  /** By `inodeKey`: names in the baseline, and of all open drift in the directories of those; some may be of another inode. */
  namesOf(keys: Iterable<number>): Set<BytePath>;
  /** To be called when the baseline, open drift or what `placesOf` says has changed. */
  clear(): void;
}

export interface Found {
  readonly names: BytePath[];
  /** The directories that were looked in. */
  readonly dirs: readonly BytePath[];
}

/** Paths, of either kind: storms write the same few files over and over. */
const CACHED_MAX = 65_536;

/** `placesOf`: the directories in which an inode may have names. */
export function createNameCache(
  { baseline, openPathsIn }: Pick<Store, 'baseline' | 'openPathsIn'>,
  placesOf: (key: number) => readonly BytePath[],
): NameCache {
  const known = createBounded<number, Found>(({ names, dirs }) => names.length + dirs.length + 1);
  const open = createBounded<BytePath, readonly BytePath[]>((paths) => paths.length + 1);
  const openIn = (dir: BytePath): readonly BytePath[] => {
    const paths = open.get(dir) ?? openPathsIn(dir);
    open.put(dir, paths);
    return paths;
  };
  return {
    namesOf(keys) {
      const [names, dirs, unknown] = [new Set<BytePath>(), new Set<BytePath>(), new Set<number>()];
      const take = (found: Found): void => {
        for (const name of found.names) names.add(name);
        for (const dir of found.dirs) dirs.add(dir);
      };
      for (const key of keys) {
        const found = known.get(key);
        if (found === undefined) unknown.add(key);
        else take(found);
      }
      for (const [key, found] of lookUp(baseline, unknown, placesOf)) {
        take(found);
        known.put(key, found);
      }
      // What is not in the baseline there is open drift there; which of it is not worth keeping.
      for (const dir of dirs) for (const path of openIn(dir)) names.add(path);
      return names;
    },
    clear() {
      known.clear();
      open.clear();
    },
  };
}

/** By `inodeKey`, of each that is asked for: its names, as the baseline has them. Each directory is read once. */
export function lookUp(
  baseline: Baseline,
  keys: ReadonlySet<number>,
  placesOf: (key: number) => readonly BytePath[],
): Map<number, Found> {
  const found = new Map<number, Found>();
  for (const key of keys) found.set(key, { names: [], dirs: placesOf(key) });
  for (const dir of new Set([...found.values()].flatMap(({ dirs }) => dirs))) {
    const run = baseline.run(dir);
    for (const at of recordOffsets(run))
      found.get(recordInodeKey(run, at))?.names.push(joinPath(dir, recordName(run, at)));
  }
  return found;
}

/** A map that forgets everything when it would become too large, and does not take what is too large by itself. */
function createBounded<K, V>(sizeOf: (value: V) => number) {
  const map = new Map<K, V>();
  let size = 0;
  const clear = (): void => {
    map.clear();
    size = 0;
  };
  return {
    get: (key: K): V | undefined => map.get(key),
    put(key: K, value: V): void {
      const more = sizeOf(value);
      if (map.has(key) || more > CACHED_MAX) return;
      if (size + more > CACHED_MAX) clear();
      size += more;
      map.set(key, value);
    },
    clear,
  };
}
