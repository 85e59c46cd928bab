// Many dirty paths are compared in slices, so that what is known of all of them is never in memory at once. Each slice is right by
// itself, as state decides; what is cut well is also told well: the names of a rename together, and what is below a
// directory that is in doubt as a whole with it.
import { gather } from './gather.ts';
import { type BytePath, comparePaths, dirOf, ROOT_DIR } from './path.ts';

export interface Belonging {
  /** The same for paths that belong together, undefined for the others. */
  readonly groupOf: (path: BytePath) => number | undefined;
  /** Everything below the path is in doubt, too. */
  readonly isTree: (path: BytePath) => boolean;
}

/**
 * In the order in which their directories come first; of a directory with more than `share` paths the first so many, and then
 * others have their turn. A slice ends with the first path (and what comes along with it) that makes it `max` paths or more.
 * Nothing is asked of paths whose slice has been given out.
 */
export function* slicesOf(
  paths: readonly BytePath[],
  { groupOf, isTree }: Belonging,
  max = Number.POSITIVE_INFINITY,
  share = Number.POSITIVE_INFINITY,
): Generator<BytePath[]> {
  if (paths.length <= max) {
    if (paths.length > 0) yield [...paths];
    return;
  }
  const trees = new Set(paths.filter(isTree));
  const groups = gather(paths, groupOf);
  const inTrees = gather(paths, (path) => topOf(path, trees));
  const left = new Set(paths);
  let slice: BytePath[] = [];
  for (const path of inOrder(paths, max, share)) {
    // An array is iterated over what is added meanwhile, too.
    const along = left.delete(path) ? [path] : [];
    for (const one of along) {
      const [top, group] = [topOf(one, trees), groupOf(one)];
      const others = [...takeList(inTrees, top), ...takeList(groups, group)];
      for (const other of others) if (left.delete(other)) along.push(other);
    }
    for (const one of along) slice.push(one);
    if (slice.length < max) continue;
    yield slice;
    slice = [];
  }
  if (slice.length > 0) yield slice;
}

/** By directory, or a directory would be read once for each slice; within a large one by name, as it is stored. */
function* inOrder(paths: readonly BytePath[], max: number, share: number): Generator<BytePath> {
  const lists = [...gather(paths, dirOf).values()];
  // An array is iterated over what is added meanwhile, too.
  for (const list of lists) {
    const first = list.length > share ? list.slice(0, share) : list;
    yield* first.length > max ? first.sort(comparePaths) : first;
    if (first !== list) lists.push(list.slice(share));
  }
}

/** The outermost of the trees that the path is, or is in. */
function topOf(path: BytePath, trees: ReadonlySet<BytePath>): BytePath | undefined {
  let top: BytePath | undefined;
  if (trees.size === 0) return top;
  for (let at = path; at !== ROOT_DIR; at = dirOf(at)) if (trees.has(at)) top = at;
  return top;
}

function takeList<K>(lists: Map<K, BytePath[]>, key: K | undefined): readonly BytePath[] {
  if (key === undefined) return [];
  const list = lists.get(key) ?? [];
  lists.delete(key);
  return list;
}
