// Many dirty paths are compared in slices, so that what is known of all of them is never in memory at once. Each slice is right by
// itself, as state decides; what is cut well is also told well: the names of a rename together, and what is below a
// directory that is in doubt as a whole with it.
import { type BytePath, comparePaths, dirOf, ROOT_DIR } from './path.ts';

interface Slicable {
  readonly dirty: { readonly path: BytePath; readonly subtree: boolean };
}

/**
 * In the order in which their directories come first. A slice ends with the first item (and what comes along with it) that
 * makes it `max` items or more. `groupOf`: the same object for items that belong together, undefined for the others.
 */
export function* slicesOf<T extends Slicable>(
  items: readonly T[],
  groupOf: (item: T) => object | undefined,
  max = Number.POSITIVE_INFINITY,
): Generator<T[]> {
  if (items.length <= max) {
    if (items.length > 0) yield [...items];
    return;
  }
  const groups = gather(items, groupOf);
  const trees = new Set(items.filter(({ dirty }) => dirty.subtree).map(({ dirty }) => dirty.path));
  const inTrees = gather(items, ({ dirty }) => topOf(dirty.path, trees));
  const left = new Set(items);
  let slice: T[] = [];
  for (const item of inOrder(items, max)) {
    // An array is iterated over what is added meanwhile, too.
    const along = left.delete(item) ? [item] : [];
    for (const one of along) {
      const top = topOf(one.dirty.path, trees);
      const others = [...(inTrees.get(top) ?? []), ...(groups.get(groupOf(one)) ?? [])];
      for (const other of others) if (left.delete(other)) along.push(other);
      inTrees.delete(top);
    }
    for (const one of along) slice.push(one);
    if (slice.length < max) continue;
    yield slice;
    slice = [];
  }
  if (slice.length > 0) yield slice;
}

/** By directory, or a directory would be read once for each slice; within a large one by name, as it is stored. */
function* inOrder<T extends Slicable>(items: readonly T[], max: number): Generator<T> {
  for (const list of gather(items, ({ dirty }) => dirOf(dirty.path)).values()) {
    if (list.length > max) list.sort((a, b) => comparePaths(a.dirty.path, b.dirty.path));
    yield* list;
  }
}

function gather<T, K>(items: readonly T[], keyOf: (item: T) => K | undefined): Map<K | undefined, T[]> {
  const lists = new Map<K | undefined, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const list = lists.get(key);
    if (key === undefined) continue;
    if (list === undefined) lists.set(key, [item]);
    else list.push(item);
  }
  return lists;
}

/** The outermost of the trees that the path is, or is in. */
function topOf(path: BytePath, trees: ReadonlySet<BytePath>): BytePath | undefined {
  let top: BytePath | undefined;
  if (trees.size === 0) return top;
  for (let at = path; at !== ROOT_DIR; at = dirOf(at)) if (trees.has(at)) top = at;
  return top;
}
