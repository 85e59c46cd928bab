// A lane of its own for large files: they are read one after the other, and nothing else waits for them. What is recorded of them
// is recorded between two batches, like everything else.
import { type Dirty, mergeDirty } from '../domain/dirty.ts';
import { readRecord, recordOffsets } from '../domain/packed.ts';
import { type BytePath, dirOf, hasAncestorIn, isWithin, nameOf } from '../domain/path.ts';
import type { InodeNames } from './inode-names.ts';
import type { Disk } from './ports/disk.ts';
import { tokenFor } from './readings.ts';
import { type Reconciled, type ReconcileParts, reconcile } from './reconcile.ts';
import { whenReplaced } from './replaced.ts';

export interface LargeFilesParts extends ReconcileParts {
  readonly names: InodeNames;
  /** Until nothing waits any more, when it is closed: a thread of its own, so that nothing waits behind what is read slowly. */
  readonly openLargeDisk: () => Disk;
}

/** What a file is like. */
export interface LargeRead {
  readonly dirty: Dirty;
  /** Undefined: there is no such file any more, or a move concerns it, and what became of it is for the next batch. */
  readonly found: Reconciled | undefined;
  /** Of `InodeNames`: nothing of it was read before. */
  readonly moment: number;
}

export interface LargeFiles {
  /** Every file that waits, is being read, or was read and is not recorded yet. */
  paths(): BytePath[];
  add(dirty: readonly Dirty[]): void;
  /** What is due, and of what waits here all that lies at or below it: what hangs together is compared together. */
  recall(due: readonly Dirty[]): Dirty[];
  /** Whether the path is the file that is being read, or a directory above it: then it has to wait for that. */
  readonly holds: ((path: BytePath) => boolean) | undefined;
  /** One was read and is to be recorded. */
  readonly isDone: boolean;
  /** A file is being read, or recorded. */
  readonly isBusy: boolean;
  /** Begins with the next file, unless one is in hand; the signal cancels it. */
  begin(signal: AbortSignal): void;
  /** Hands over what was read, if anything was; until `record` resolves the file stays here. */
  settle(record: (read: LargeRead) => Promise<void>): Promise<void>;
}

export interface LargeFilesPorts {
  readonly onDone: () => void;
  /** It is to be read again. */
  readonly again: (dirty: Dirty) => void;
  /** Takes care of work that nobody waits for. */
  readonly survive: (work: Promise<unknown>) => void;
}

export function openLargeFiles(parts: LargeFilesParts, { onDone, again, survive }: LargeFilesPorts): LargeFiles {
  const waiting = new Map<BytePath, Dirty>();
  let current: Dirty | undefined;
  let done: (LargeRead & { readonly told: string | undefined }) | undefined;
  let disk: Disk | undefined;
  /** Of which the disk remembers how far they were read. */
  const followed = new Set<BytePath>();

  const openDisk = (signal: AbortSignal): Disk => {
    disk = parts.openLargeDisk();
    signal.addEventListener('abort', closeDisk, { once: true });
    return disk;
  };
  const closeDisk = (): void => {
    if (disk !== undefined) survive(disk.close());
    disk = undefined;
    followed.clear();
  };
  const mustStayOpen = (): boolean => {
    for (const path of followed) if (parts.appended?.has(path) !== true) followed.delete(path);
    return followed.size > 0;
  };

  const readNext = async (dirty: Dirty, signal: AbortSignal): Promise<void> => {
    const told = toldOf(parts, dirty.path);
    const moment = parts.names.moment();
    try {
      const onReplaced = whenReplaced(parts.names, moment, () => again(dirty));
      const from = { ...parts, onReplaced, disk: disk ?? openDisk(signal) };
      const token = tokenFor(parts, dirty.path);
      if (token !== undefined) followed.add(dirty.path);
      const found = told === undefined ? undefined : await readFile(from, dirty, token);
      done = { dirty, found, moment, told };
    } catch (error) {
      // What the closed disk does to work in hand is no news; the next start finds what was not read.
      if (!signal.aborted) throw error;
    }
    onDone();
  };

  return {
    paths: () => [...(current === undefined ? [] : [current.path]), ...waiting.keys()],
    add(dirty) {
      for (const one of dirty) {
        const known = waiting.get(one.path);
        waiting.set(one.path, known === undefined ? one : mergeDirty(known, one));
      }
    },
    recall(due) {
      if (waiting.size === 0) return [...due];
      const all = new Map(due.map((one) => [one.path, one]));
      const places = new Set(all.keys());
      for (const [path, one] of waiting) {
        if (!places.has(path) && !hasAncestorIn(path, places)) continue;
        waiting.delete(path);
        const again = all.get(path);
        all.set(path, again === undefined ? one : mergeDirty(one, again));
      }
      return [...all.values()];
    },
    get holds() {
      const path = current?.path;
      return path === undefined ? undefined : (other: BytePath) => isWithin(path, other);
    },
    get isDone() {
      return done !== undefined;
    },
    get isBusy() {
      return current !== undefined;
    },
    begin(signal) {
      if (current !== undefined) return;
      if (waiting.size === 0) return mustStayOpen() ? undefined : closeDisk();
      // Who is written to all the time comes back here again and again, and must not push others to the end.
      current = [...waiting.values()].reduce((a, b) => (b.sinceMs < a.sinceMs ? b : a));
      waiting.delete(current.path);
      survive(readNext(current, signal));
    },
    async settle(record) {
      if (done === undefined) return;
      const { dirty, found, moment, told } = done;
      done = undefined;
      // A batch elsewhere may have found it to be part of a move meanwhile.
      const isStale = told !== toldOf(parts, dirty.path);
      try {
        await record({ dirty, found: isStale ? undefined : found, moment });
      } finally {
        current = undefined;
      }
    },
  };
}

async function readFile(
  parts: ReconcileParts,
  dirty: Dirty,
  token: number | undefined,
): Promise<Reconciled | undefined> {
  const { disk } = parts;
  const page = await disk.read(dirOf(dirty.path), [nameOf(dirty.path)], undefined, token);
  const [at] = recordOffsets(page.records);
  if (at === undefined || readRecord(page.records, at, page.dir).type !== 'file') return undefined;
  return await reconcile({ ...parts, disk: { ...disk, read: () => Promise.resolve(page) } }, [dirty]);
}

/** What is recorded of a path; undefined when it is part of a move, or below one: then both names are compared together. */
function toldOf({ store }: ReconcileParts, path: BytePath): string | undefined {
  const isPart = store.openMoves().some((move) => isWithin(path, move.key) || isWithin(path, move.path));
  return isPart
    ? undefined
    : store
        .openDriftAt(path)
        .map(({ id, seq }) => `${id} ${seq}`)
        .join();
}
