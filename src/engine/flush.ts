// A batch: read, compared, recorded, and the hooks told.
import type { IsHeld } from '../domain/batch.ts';
import type { Dirty, Doubt } from '../domain/dirty.ts';
import { driftKey } from '../domain/drift.ts';
import { incompleteText, UNSTABLE } from '../domain/entry.ts';
import { errorCode } from '../domain/errors.ts';
import { escapePath } from '../domain/escape.ts';
import type { BytePath } from '../domain/path.ts';
import type { AcceptResult } from './accept.ts';
import { type AsToldParts, asTold } from './as-told.ts';
import { openCounterparts } from './counterparts.ts';
import type { InodeNames } from './inode-names.ts';
import { trackKeptDrift } from './kept.ts';
import type { Reconciled } from './reconcile.ts';
import { type RecorderParts, recordDrift } from './recorder.ts';
import { whenReplaced } from './replaced.ts';
import { type Meanwhile, type PathsByHook, readMeanwhile, retell } from './retell.ts';
import type { Slicing } from './slice.ts';
import type { Trigger } from './trigger.ts';

export interface FlushParts extends AsToldParts, RecorderParts {
  readonly names: InodeNames;
  readonly trigger: Trigger;
}

export interface Flush {
  /** Reads and records what is dirty; returns files with more than `contentMaxBytes` to read, which are left for later. */
  batch(dirty: readonly Dirty[], signal: AbortSignal, options: BatchOptions): Promise<Dirty[]>;
  /** Records what was found of a file that was dirty, read since the moment, as the move that it may be the second half of. */
  recordFile(read: { dirty: Dirty; found: Reconciled; moment: number }, signal: AbortSignal): Promise<void>;
  /** Events were lost: what is being read may have changed since, and nobody will tell. */
  lost(): void;
  /** Somebody accepted by hand: what has to be looked at again, and what waited for that. */
  accepted(result: Pick<AcceptResult, 'accepted' | 'again'>): void;
  /**
   * Nothing was accepted; throws the error. If something is not as it was told: what was told of files of which only what was
   * appended was read is told anew.
   */
  refused(error: unknown): never;
  /** Whether something could not be read when it was dirty last. */
  readonly hasUnread: boolean;
}

export interface BatchOptions {
  readonly contentMaxBytes?: number | undefined;
  /** When very much differs: lets others have their turn, but for what is held. */
  readonly between: Slicing['between'];
  /** What the batches hold that this one has its turn between. */
  readonly isHeld: IsHeld;
}

/** Of what differs below directories that are in doubt as a whole: some 5 KiB each, as long as it is compared together. */
const TOGETHER_MAX = 4_096;
const SLICE = 1_024;

interface RecordedWith {
  readonly signal: AbortSignal;
  /** Nothing of it was read before; of the monotonic clock. */
  readonly sinceMs: number;
  /** The same, of `InodeNames`. */
  readonly moment: number;
  /** What hooks may have to hear of again, if that is known already. */
  readonly meanwhile?: Meanwhile | undefined;
}

/** `doubt`: the path is to be read again. `parts` may change between two calls. */
export function openFlush(parts: FlushParts, doubt: (path: BytePath, subtree?: boolean) => void): Flush {
  const unread = new Set<BytePath>();
  const counterparts = openCounterparts();
  const keptDrift = trackKeptDrift();
  let lostMs = Number.NEGATIVE_INFINITY;

  /** Returns what the hooks are told. */
  const record = async (
    dirty: readonly Dirty[],
    read: Reconciled,
    { signal, sinceMs, moment, meanwhile }: RecordedWith,
  ): Promise<PathsByHook> => {
    const { trigger, growth } = parts;
    const found = { ...read, drifts: await asTold(parts, { found: read.drifts, dirty }, doubt) };
    for (const { path } of dirty) unread.delete(path);
    growth?.keep(dirty);
    for (const { path, errno } of found.incomplete) {
      unread.add(path);
      if (errno === UNSTABLE) doubt(path);
      else parts.reporter.problem(`cannot read ${escapePath(path)}: ${incompleteText(errno)}`);
    }
    const unknown = found.drifts.flatMap(({ drift }) => (parts.names.note(drift) ? (drift.after ?? []) : []));
    const { told, kept, accepted, left } = await recordDrift(parts, found, {
      isOwnDoing: trigger.isOwnDoing,
      holds: trigger,
      signal,
    });
    // Only now whoever hears of a change finds it by its inode.
    for (const after of unknown) if (parts.names.hasChangedSince(after, moment)) doubt(after.path);
    for (const path of keptDrift.note(kept, accepted)) doubt(path);
    for (const { path, subtree } of left) doubt(path, subtree);
    if (sinceMs <= lostMs) for (const { path, subtree } of placesOf(found)) doubt(path, subtree);
    const again = retell(parts, { dirty, ctimes: found.ctimes, told, meanwhile }, trigger);
    for (const hook of new Set([...told.keys(), ...again])) trigger.notify(hook);
    return told;
  };

  return {
    async batch(dirty, signal, { contentMaxBytes, between, isHeld }) {
      const since = { sinceMs: parts.clock.monotonicMs(), moment: parts.names.moment() };
      let meanwhile: Meanwhile | undefined;
      const recordSlice = async (found: Reconciled): Promise<void> => {
        // Runs that begin now are given what is in the slices, and those before may be forgotten at the end.
        meanwhile ??= readMeanwhile(dirty, parts.scope, parts.trigger);
        const told = await record([], found, { signal, ...since });
        for (const [hook, paths] of told) for (const path of paths) meanwhile.left.get(hook)?.delete(path);
      };
      const slicing = {
        togetherMax: TOGETHER_MAX,
        max: SLICE,
        record: recordSlice,
        between,
        signal,
      };
      const onReplaced = whenReplaced(parts.names, since.moment, doubt);
      const found = await counterparts.reconcile({ ...parts, onReplaced }, dirty, { contentMaxBytes, slicing, isHeld });
      const isPostponed = ({ path }: Dirty): boolean => found.postponed.has(path);
      const read = found.postponed.size === 0 ? dirty : dirty.filter((one) => !isPostponed(one));
      await record(read, found, { signal, ...since, meanwhile });
      return found.postponed.size === 0 ? [] : dirty.filter(isPostponed);
    },
    async recordFile({ dirty, found, moment }, signal) {
      await record([dirty], await counterparts.complete(parts, found), { signal, sinceMs: dirty.sinceMs, moment });
    },
    lost() {
      lostMs = parts.clock.monotonicMs();
    },
    accepted({ accepted, again }) {
      for (const { path } of accepted) parts.appended?.doubt(path);
      for (const path of [...again, ...keptDrift.note([], accepted.map(driftKey))]) doubt(path);
    },
    refused(error) {
      if (errorCode(error) === 'STALE') {
        for (const path of parts.appended?.paths() ?? []) doubt(path);
        parts.appended?.doubtAll();
      }
      throw error;
    },
    get hasUnread() {
      return unread.size > 0;
    },
  };
}

/** With a directory that moved comes what is in it. */
function placesOf({ drifts, resolved }: Reconciled): Doubt[] {
  const places = drifts.flatMap(({ drift }) => [
    { path: driftKey(drift), subtree: false },
    { path: drift.path, subtree: drift.kind === 'moved' && drift.after?.type === 'directory' },
  ]);
  return [...places, ...resolved.map(({ path }) => ({ path, subtree: false }))];
}
