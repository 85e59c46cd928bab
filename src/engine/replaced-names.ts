// Names that the baseline has with another inode, and that differ in nothing else that counts.
import type { BytePath } from '../domain/path.ts';

export interface ReplacedNames {
  /** By `inodeKey`. Returns whether it was not known yet; undefined when there is no room for it. */
  set(path: BytePath, key: number): boolean | undefined;
  namesOf(key: number): Iterable<BytePath>;
  entries(): Iterable<readonly [path: BytePath, key: number]>;
}

/** Some 350 bytes each. */
const NAMES_MAX = 65_536;

export function createReplacedNames(): ReplacedNames {
  const keys = new Map<BytePath, number>();
  const names = new Map<number, Set<BytePath>>();
  const forget = (path: BytePath, key: number): void => {
    const others = names.get(key);
    others?.delete(path);
    if (others?.size === 0) names.delete(key);
  };
  return {
    set(path, key) {
      const former = keys.get(path);
      if (former === key) return false;
      if (former !== undefined) forget(path, former);
      else if (keys.size >= NAMES_MAX) return undefined;
      keys.set(path, key);
      names.set(key, (names.get(key) ?? new Set()).add(path));
      return true;
    },
    namesOf: (key) => names.get(key) ?? [],
    entries: () => keys,
  };
}
