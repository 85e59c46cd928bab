// What paths were like when they were last looked at, without a baseline: a print for each, and where nothing is known
// anything counts as a change. Names are kept by directory, so that what goes with a directory is found without a search.
import { type BytePath, dirOf, hasAncestorIn, joinPath, nameOf } from '../domain/path.ts';
import { NO_PRINT } from '../domain/print.ts';

export interface Seen {
  /** Notes what a path is like; returns whether that is news. */
  note(path: BytePath, print: string): boolean;
  /** Nothing is at the path any more; returns what was known there and below it, each once. */
  drop(path: BytePath): BytePath[];
  /** For the first look: notes a path of which nothing better is known. */
  learn(path: BytePath, print: string): void;
  has(path: BytePath): boolean;
  /** Whether anything in the directory is known. */
  hasNames(dir: BytePath): boolean;
  namesIn(dir: BytePath): Iterable<BytePath>;
  /** The first look is over; `everything`: what is not known does not exist. */
  learned(everything: boolean): void;
  /** Whether what is not known does not exist. */
  readonly isComplete: boolean;
  readonly size: number;
}

/** Some 150 bytes each; beyond that everything is forgotten, which means runs too many but none too few. */
const SEEN_MAX = 500_000;

export function openSeen(max = SEEN_MAX): Seen {
  const dirs = new Map<BytePath, Map<BytePath, string>>();
  /** What went away while the first look was going on, which may have seen it before. */
  let dropped: Set<BytePath> | undefined = new Set();
  let isComplete = false;
  let hasForgotten = false;
  let size = 0;

  const set = (path: BytePath, print: string): void => {
    const dir = dirOf(path);
    const names = dirs.get(dir) ?? new Map<BytePath, string>();
    dirs.set(dir, names);
    if (!names.has(nameOf(path))) size += 1;
    names.set(nameOf(path), print);
    if (size <= max) return;
    dirs.clear();
    [size, isComplete, hasForgotten] = [0, false, true];
  };
  const known = (path: BytePath): string | undefined => dirs.get(dirOf(path))?.get(nameOf(path));
  const take = (path: BytePath): boolean => {
    const names = dirs.get(dirOf(path));
    if (names?.delete(nameOf(path)) !== true) return false;
    if (names.size === 0) dirs.delete(dirOf(path));
    size -= 1;
    return true;
  };

  return {
    note(path, print) {
      const before = known(path);
      set(path, print);
      return before === undefined || print === NO_PRINT || before !== print;
    },
    drop(path) {
      dropped?.add(path);
      const gone: BytePath[] = [];
      const left = [path];
      for (let at = left.pop(); at !== undefined; at = left.pop()) {
        for (const name of dirs.get(at)?.keys() ?? []) left.push(joinPath(at, name));
        if (take(at)) gone.push(at);
      }
      return gone;
    },
    learn(path, print) {
      if (dropped === undefined || dropped.has(path) || hasAncestorIn(path, dropped)) return;
      if (known(path) === undefined) set(path, print);
    },
    has: (path) => known(path) !== undefined,
    hasNames: (dir) => dirs.has(dir),
    namesIn: (dir) => [...(dirs.get(dir)?.keys() ?? [])],
    learned(everything) {
      isComplete = everything && !hasForgotten;
      dropped = undefined;
    },
    get isComplete() {
      return isComplete;
    },
    get size() {
      return size;
    },
  };
}
