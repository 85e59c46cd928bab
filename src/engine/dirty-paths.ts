// What a watch has in doubt: collected until it is due, then read and recorded slice by slice.
import { type Actor, UNKNOWN_ACTOR } from '../domain/actor.ts';
import { type BatchSettings, createBatch, type IsHeld } from '../domain/batch.ts';
import type { Dirty } from '../domain/dirty.ts';
import type { BytePath } from '../domain/path.ts';
import type { Flush } from './flush.ts';
import type { GrowthChecks } from './growth-checks.ts';
import { type HeldPaths, holdPaths } from './held-paths.ts';
import type { LargeFiles } from './large-files.ts';
import type { Clock } from './ports/clock.ts';
import { LARGE_BYTES } from './readings.ts';
import type { StillGrowing } from './still-growing.ts';

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

/** Who waits for a large piece of work to end has a turn so often. */
const TURN_MS = 50;
/** Pieces of work that are begun while another one goes on: each has its slice in memory. */
const NESTED_MAX = 4;

export interface DirtyPathsParts {
  readonly clock: Clock;
  readonly settings: BatchSettings;
  readonly growth: Pick<GrowthChecks, 'takeDue' | 'dueMs' | 'paths'>;
  readonly stillGrowing: Pick<StillGrowing, 'takeDue' | 'dueMs'>;
}

export function openDirtyPaths(
  { clock, settings, growth, stillGrowing }: DirtyPathsParts,
  { flush, large }: { readonly flush: Pick<Flush, 'batch'>; readonly large: LargeFiles },
): DirtyPaths {
  const batch = createBatch(settings);
  /** What is compared piece by piece, the latest last. */
  const works: Work[] = [];
  let taken = 0;
  let last: readonly Actor[] = [];
  let turnMs = 0;

  const listOf = (actor: Actor): readonly Actor[] => {
    // Storms have few actors: one list for all paths that come in a row.
    if (last[0] !== actor) last = [actor];
    return last;
  };
  const isHeld = (path: BytePath): boolean => large.holds?.(path) === true || works.some((work) => work.holds(path));
  const between = async (signal: AbortSignal): Promise<void> => {
    if (clock.monotonicMs() - turnMs < TURN_MS || works.length > NESTED_MAX) return;
    // Or no event would arrive while pages come faster than they are compared.
    await new Promise((resolve) => setImmediate(resolve));
    // Or whoever waits would be waited for.
    if (batch.size > 0) await flushSlices(batch.take(clock.monotonicMs(), isHeld, SLICE, 1), signal, LARGE_BYTES);
    turnMs = clock.monotonicMs();
  };
  const flushSlices = async (slices: readonly Dirty[][], signal: AbortSignal, maxBytes?: number): Promise<void> => {
    taken += sizeOf(slices);
    // Who is in a slice by itself need not wait for everything in a directory.
    const work = openWork([...slices].sort((a, b) => Number(a.some(isTree)) - Number(b.some(isTree))));
    const others = [...works];
    const isOthers = (path: BytePath): boolean => others.some((other) => other.holds(path));
    works.push(work);
    for (let slice = work.next(); slice !== undefined && !signal.aborted; slice = work.next()) {
      turnMs = clock.monotonicMs();
      const turn = (isHeldInHand: IsHeld): Promise<void> => {
        work.inHand(isHeldInHand);
        return between(signal);
      };
      const options = { contentMaxBytes: maxBytes, between: turn, isHeld: isOthers };
      large.add(await flush.batch(large.recall(slice), signal, options));
      taken -= slice.length;
    }
    works.pop();
  };

  return {
    doubt(path, subtree, actor = UNKNOWN_ACTOR, nowMs = clock.monotonicMs()) {
      batch.add({ path, subtree, actors: listOf(actor), hasOthers: false, sinceMs: nowMs }, nowMs);
    },
    add: (dirty) => batch.add(dirty, clock.monotonicMs()),
    join: batch.join,
    dueMs: () => Math.min(batch.dueMs(large.holds) ?? Number.POSITIVE_INFINITY, growth.dueMs(), stillGrowing.dueMs()),
    flushDue(signal) {
      for (const one of [...growth.takeDue(), ...stillGrowing.takeDue()]) batch.add(one, clock.monotonicMs());
      return flushSlices(batch.take(clock.monotonicMs(), large.holds, SLICE), signal, LARGE_BYTES);
    },
    flushAll: (signal, maxBytes) => flushSlices(batch.takeAll(large.holds, SLICE), signal, maxBytes),
    paths: () => [...growth.paths(), ...batch.paths()],
    get size() {
      return taken + batch.size;
    },
  };
}

/** Slices that were taken together; one of them is in hand. */
interface Work {
  next(): readonly Dirty[] | undefined;
  /** What the slice in hand is about. */
  inHand(isHeld: IsHeld): void;
  /** Whether something of the path is in hand, or waits here for its turn. */
  holds(path: BytePath): boolean;
}

function openWork(slices: readonly Dirty[][]): Work {
  const waiting = [...slices].reverse();
  let isInHand: IsHeld = nothing;
  let left: HeldPaths | undefined;
  return {
    next() {
      const slice = waiting.pop();
      isInHand = nothing;
      left?.release((slice ?? []).map(pathOf));
      return slice;
    },
    inHand(isHeld) {
      isInHand = isHeld;
    },
    holds(path) {
      left ??= holdPaths(waiting.flatMap((slice) => slice.map(pathOf)));
      return isInHand(path) || left.holds(path);
    },
  };
}

function nothing(): boolean {
  return false;
}

function pathOf({ path }: Dirty): BytePath {
  return path;
}

function isTree({ subtree }: Dirty): boolean {
  return subtree;
}

function sizeOf(slices: readonly Dirty[][]): number {
  return slices.reduce((sum, slice) => sum + slice.length, 0);
}
