// The names that inodes have in the directories of a baseline, and those of open drift there; kept until something is committed.
import { recordInodeKey, recordName, recordOffsets } from '../domain/packed.ts';
import { type BytePath, joinPath } from '../domain/path.ts';
import type { Baseline, Store } from './ports/store.ts';

export interface NameCache {
  /** Adds names of the inodes to `names`; `dirsOf`: where those may be that are not known. */
  addNames(names: Set<BytePath>, keys: Iterable<number>, dirsOf: (keys: Iterable<number>) => Iterable<BytePath>): void;
  /** The paths of open drift in a directory itself. */
  openIn(dir: BytePath): readonly BytePath[];
  clear(): void;
}

/** Inodes, and names of open drift: storms write the same few files over and over. */
const CACHED_MAX = 65_536;

export function createNameCache({ baseline, openPathsIn }: Pick<Store, 'baseline' | 'openPathsIn'>): NameCache {
  const known = new Map<number, readonly BytePath[]>();
  const open = new Map<BytePath, readonly BytePath[]>();
  let openCount = 0;
  const keep = (found: ReadonlyMap<number, readonly BytePath[]>): void => {
    if (known.size + found.size > CACHED_MAX) known.clear();
    if (found.size <= CACHED_MAX) for (const [key, names] of found) known.set(key, names);
  };
  const clearOpen = (): void => {
    open.clear();
    openCount = 0;
  };
  return {
    addNames(names, keys, dirsOf) {
      const unknown = new Set<number>();
      for (const key of keys) {
        const paths = known.get(key);
        if (paths === undefined) unknown.add(key);
        else for (const path of paths) names.add(path);
      }
      if (unknown.size === 0) return;
      const found = namesByInode(baseline, dirsOf(unknown), unknown);
      for (const paths of found.values()) for (const path of paths) names.add(path);
      keep(found);
    },
    openIn(dir) {
      let paths = open.get(dir);
      if (paths !== undefined) return paths;
      paths = openPathsIn(dir);
      if (openCount + paths.length > CACHED_MAX) clearOpen();
      openCount += paths.length + 1;
      open.set(dir, paths);
      return paths;
    },
    clear() {
      known.clear();
      clearOpen();
    },
  };
}

/** By `inodeKey`, of each that was asked for: its names in the directories, as the baseline has them. */
export function namesByInode(
  baseline: Baseline,
  dirs: Iterable<BytePath>,
  keys: ReadonlySet<number>,
): Map<number, BytePath[]> {
  const found = new Map<number, BytePath[]>([...keys].map((key) => [key, []]));
  for (const dir of dirs) {
    const run = baseline.run(dir);
    for (const at of recordOffsets(run)) found.get(recordInodeKey(run, at))?.push(joinPath(dir, recordName(run, at)));
  }
  return found;
}
