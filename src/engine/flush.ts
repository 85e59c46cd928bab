// A batch: read, compared, recorded, and the hooks told.
import type { Dirty } from '../domain/dirty.ts';
import { incompleteText, UNSTABLE } from '../domain/entry.ts';
import { escapePath } from '../domain/escape.ts';
import type { BytePath } from '../domain/path.ts';
import { openCounterparts } from './counterparts.ts';
import type { InodeNames } from './inode-names.ts';
import { trackKeptDrift } from './kept.ts';
import type { Reconciled, ReconcileParts } from './reconcile.ts';
import { type RecorderParts, recordDrift } from './recorder.ts';
import { retell } from './retell.ts';
import type { Trigger } from './trigger.ts';

export interface FlushParts extends ReconcileParts, RecorderParts {
  readonly names: InodeNames;
  readonly trigger: Trigger;
}

export interface Flush {
  /** Reads and records what is dirty; returns files with more than `contentMaxBytes` to read, which are left for later. */
  batch(dirty: readonly Dirty[], signal: AbortSignal, contentMaxBytes?: number): Promise<Dirty[]>;
  /** Records what was found of paths that were dirty. */
  record(dirty: readonly Dirty[], found: Reconciled, signal: AbortSignal): Promise<void>;
  /** Whether something could not be read when it was dirty last. */
  readonly hasUnread: boolean;
}

/** `doubt`: the path is to be read again. `parts` may change between two calls. */
export function openFlush(parts: FlushParts, doubt: (path: BytePath) => void): Flush {
  const unread = new Set<BytePath>();
  const counterparts = openCounterparts();
  const keptDrift = trackKeptDrift();

  const record: Flush['record'] = async (dirty, found, signal) => {
    const { trigger } = parts;
    for (const { path } of dirty) unread.delete(path);
    for (const { path, errno } of found.incomplete) {
      unread.add(path);
      if (errno === UNSTABLE) doubt(path);
      else parts.reporter.problem(`cannot read ${escapePath(path)}: ${incompleteText(errno)}`);
    }
    for (const { drift } of found.drifts) {
      if (drift.after !== undefined && parts.names.note(drift.after)) doubt(drift.path);
    }
    const { told, kept, accepted } = await recordDrift(parts, found, {
      isOwnDoing: trigger.isOwnDoing,
      holds: trigger,
      signal,
    });
    for (const path of keptDrift.note(kept, accepted)) doubt(path);
    const again = retell(parts, { dirty, ctimes: found.ctimes, told }, trigger);
    for (const hook of new Set([...told.keys(), ...again])) trigger.notify(hook);
  };

  return {
    async batch(dirty, signal, contentMaxBytes) {
      const found = await counterparts.reconcile(parts, dirty, contentMaxBytes);
      const isPostponed = ({ path }: Dirty): boolean => found.postponed.has(path);
      const read = found.postponed.size === 0 ? dirty : dirty.filter((one) => !isPostponed(one));
      await record(read, found, signal);
      return found.postponed.size === 0 ? [] : dirty.filter(isPostponed);
    },
    record,
    get hasUnread() {
      return unread.size > 0;
    },
  };
}
