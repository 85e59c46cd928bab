// Dirty paths in columns: a storm has hundreds of thousands of them, and with some objects for each they would take four times
// the memory.
import type { Actor } from './actor.ts';
import { type Dirty, mergeDirty } from './dirty.ts';
import type { BytePath } from './path.ts';

/** A group is named by the row of one of its paths, which has the times of all. */
export interface WaitingPaths {
  add(dirty: Dirty, nowMs: number): void;
  /** Those of them that are waiting become one group, with all that they are in groups with. */
  join(paths: readonly BytePath[]): void;
  /** Of the path's group. */
  groupOf(path: BytePath): number | undefined;
  /** When the first of a group was added, and when the last change came. */
  firstMs(group: number): number;
  lastMs(group: number): number;
  isJoined(path: BytePath): boolean;
  isTree(path: BytePath): boolean;
  /** All paths of a group are to be taken before another path is added. */
  take(path: BytePath): Dirty | undefined;
  /** In the order of their first change. */
  paths(): Iterable<BytePath>;
  readonly size: number;
}

const ROWS_MIN = 256;
const IS_TREE = 1;
const HAS_OTHERS = 2;
const IS_JOINED = 4;

export function createWaiting(): WaitingPaths {
  const rows = new Map<BytePath, number>();
  let columns = newColumns(ROWS_MIN);
  /** Rows that were in use; behind `used` all are free. */
  let free: number[] = [];
  let used = 0;

  const newRow = (): number => {
    const row = free.pop() ?? used;
    if (row === used) used += 1;
    if (row >= columns.bits.length) columns = grown(columns);
    return row;
  };
  const dirtyAt = (path: BytePath, row: number): Dirty => {
    const bits = columns.bits[row] ?? 0;
    const [subtree, hasOthers] = [(bits & IS_TREE) !== 0, (bits & HAS_OTHERS) !== 0];
    return { path, subtree, actors: columns.actors[row] ?? [], hasOthers, sinceMs: columns.sinceMs[row] ?? 0 };
  };
  const write = (row: number, { subtree, hasOthers, actors, sinceMs }: Dirty): void => {
    const joined = (columns.bits[row] ?? 0) & IS_JOINED;
    columns.bits[row] = joined | (subtree ? IS_TREE : 0) | (hasOthers ? HAS_OTHERS : 0);
    columns.actors[row] = actors;
    columns.sinceMs[row] = sinceMs;
  };
  const rootOf = (row: number): number => {
    const { joinedTo } = columns;
    let root = row;
    for (let next = joinedTo[root] ?? root; next !== root; next = joinedTo[root] ?? root) root = next;
    // Long chains are walked once: from then on everybody on the way knows the root.
    for (let at = row; at !== root; ) {
      const next = joinedTo[at] ?? root;
      joinedTo[at] = root;
      at = next;
    }
    return root;
  };
  const joinRows = (a: number, b: number): void => {
    const { firstMs, lastMs, joinedTo, bits } = columns;
    const [root, other] = [rootOf(a), rootOf(b)];
    if (root === other) return;
    firstMs[root] = Math.min(firstMs[root] ?? 0, firstMs[other] ?? 0);
    lastMs[root] = Math.max(lastMs[root] ?? 0, lastMs[other] ?? 0);
    joinedTo[other] = root;
    for (const row of [root, other]) bits[row] = (bits[row] ?? 0) | IS_JOINED;
  };
  const bitOf = (path: BytePath, bit: number): boolean => ((columns.bits[rows.get(path) ?? -1] ?? 0) & bit) !== 0;

  return {
    add(dirty, nowMs) {
      const known = rows.get(dirty.path);
      if (known !== undefined) {
        columns.lastMs[rootOf(known)] = nowMs;
        write(known, mergeDirty(dirtyAt(dirty.path, known), dirty));
        return;
      }
      const row = newRow();
      rows.set(dirty.path, row);
      columns.bits[row] = 0;
      columns.joinedTo[row] = row;
      columns.firstMs[row] = nowMs;
      columns.lastMs[row] = nowMs;
      write(row, dirty);
    },
    join(paths) {
      const [first, ...others] = paths.flatMap((path) => rows.get(path) ?? []);
      for (const other of others) if (first !== undefined) joinRows(first, other);
    },
    groupOf(path) {
      const row = rows.get(path);
      return row === undefined ? undefined : rootOf(row);
    },
    firstMs: (group) => columns.firstMs[group] ?? 0,
    lastMs: (group) => columns.lastMs[group] ?? 0,
    isJoined: (path) => bitOf(path, IS_JOINED),
    isTree: (path) => bitOf(path, IS_TREE),
    take(path) {
      const row = rows.get(path);
      if (row === undefined) return undefined;
      const dirty = dirtyAt(path, row);
      rows.delete(path);
      free.push(row);
      // A storm is over: its room is given back.
      if (rows.size === 0) [columns, free, used] = [newColumns(ROWS_MIN), [], 0];
      return dirty;
    },
    paths: () => rows.keys(),
    get size() {
      return rows.size;
    },
  };
}

/** Of equal length, but for `actors`; what a row of a path that was taken holds has no meaning. */
interface Columns {
  readonly bits: Uint8Array;
  readonly joinedTo: Uint32Array;
  readonly firstMs: Float64Array;
  readonly lastMs: Float64Array;
  readonly sinceMs: Float64Array;
  readonly actors: (readonly Actor[])[];
}

function newColumns(rows: number): Columns {
  return {
    bits: new Uint8Array(rows),
    joinedTo: new Uint32Array(rows),
    firstMs: new Float64Array(rows),
    lastMs: new Float64Array(rows),
    sinceMs: new Float64Array(rows),
    actors: [],
  };
}

function grown(columns: Columns): Columns {
  const larger = { ...newColumns(columns.bits.length * 2), actors: columns.actors };
  larger.bits.set(columns.bits);
  larger.joinedTo.set(columns.joinedTo);
  larger.firstMs.set(columns.firstMs);
  larger.lastMs.set(columns.lastMs);
  larger.sinceMs.set(columns.sinceMs);
  return larger;
}
