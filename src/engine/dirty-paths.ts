// What a watch has in doubt: collected until it is due, then read and recorded slice by slice.
import { type Actor, UNKNOWN_ACTOR } from '../domain/actor.ts';
import { type BatchSettings, createBatch } from '../domain/batch.ts';
import type { Dirty } from '../domain/dirty.ts';
import type { BytePath } from '../domain/path.ts';
import type { Flush } from './flush.ts';
import { LARGE_BYTES, type LargeFiles } from './large-files.ts';
import type { Clock } from './ports/clock.ts';

export interface DirtyPaths {
  doubt(path: BytePath, subtree: boolean, actor?: Actor, nowMs?: number): void;
  /** What was taken and could not be compared. */
  add(dirty: Dirty): void;
  /** Names of one rename: `Batch.join`. */
  join(paths: readonly BytePath[]): void;
  /** In ms of the monotonic clock; infinite when nothing is dirty. */
  dueMs(): number;
  /** Reads and records what is due, or a part of it that is a good piece of work; large files go to their lane. */
  flushDue(signal: AbortSignal): Promise<void>;
  /** Everything that is dirty by now, due or not; `contentMaxBytes`: what is larger goes to its lane. */
  flushAll(signal: AbortSignal, contentMaxBytes?: number): Promise<void>;
  paths(): Iterable<BytePath>;
  /** Those that were taken and are not recorded yet among them. */
  readonly size: number;
}

/** Paths that are compared together: what is known of them, before and after, is in memory at once, some 5 KiB each. */
const SLICE = 1_024;

export function openDirtyPaths(
  { clock, settings }: { readonly clock: Clock; readonly settings: BatchSettings },
  { flush, large }: { readonly flush: Pick<Flush, 'batch'>; readonly large: LargeFiles },
): DirtyPaths {
  const batch = createBatch(settings);
  let taken = 0;
  let last: readonly Actor[] = [];

  const listOf = (actor: Actor): readonly Actor[] => {
    // Storms have few actors: one list for all paths that come in a row.
    if (last[0] !== actor) last = [actor];
    return last;
  };
  const flushSlices = async (slices: readonly Dirty[][], signal: AbortSignal, maxBytes?: number): Promise<void> => {
    taken = slices.reduce((sum, slice) => sum + slice.length, 0);
    for (const slice of slices) {
      if (signal.aborted) return;
      large.add(await flush.batch(large.recall(slice), signal, maxBytes));
      taken -= slice.length;
    }
  };

  return {
    doubt(path, subtree, actor = UNKNOWN_ACTOR, nowMs = clock.monotonicMs()) {
      batch.add({ path, subtree, actors: listOf(actor), hasOthers: false, sinceMs: nowMs }, nowMs);
    },
    add: (dirty) => batch.add(dirty, clock.monotonicMs()),
    join: batch.join,
    dueMs: () => batch.dueMs(large.holds) ?? Number.POSITIVE_INFINITY,
    flushDue: (signal) => flushSlices(batch.take(clock.monotonicMs(), large.holds, SLICE), signal, LARGE_BYTES),
    flushAll: (signal, maxBytes) => flushSlices(batch.takeAll(large.holds, SLICE), signal, maxBytes),
    paths: batch.paths,
    get size() {
      return taken + batch.size;
    },
  };
}
