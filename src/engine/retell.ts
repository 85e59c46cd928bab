// A file that comes and goes within one batch is no drift; but a hook that copied it meanwhile must hear of its path again.
import type { Dirty } from '../domain/dirty.ts';
import type { BytePath } from '../domain/path.ts';
import type { RecorderParts } from './recorder.ts';
import type { Trigger } from './trigger.ts';

export interface Looked {
  readonly dirty: readonly Dirty[];
  /** ctime of what was read by its name; of what is not there it is missing. */
  readonly ctimes: ReadonlyMap<BytePath, bigint>;
  /** By hook: the paths that it is told of anyway. */
  readonly told: ReadonlyMap<string, ReadonlySet<BytePath>>;
}

/** Returns the hooks that got something to do. */
export function retell(
  parts: RecorderParts,
  { dirty, ctimes, told }: Looked,
  trigger: Pick<Trigger, 'isOwnDoing' | 'readMeanwhile'>,
): ReadonlySet<string> {
  const outbox = dirty.flatMap((one) => {
    const hooks = parts.scope.ruleOf(one.path)?.hooks ?? [];
    const looked = { ctimeNs: ctimes.get(one.path), around: hooks };
    return trigger
      .readMeanwhile(one, looked)
      .filter(({ hook }) => one.hasOthers || !trigger.isOwnDoing(hook, one.actors))
      .map(({ hook, paths }) => ({ hook, paths: paths.filter((path) => told.get(hook)?.has(path) !== true) }))
      .filter(({ paths }) => paths.length > 0)
      .map(({ hook, paths }) => ({ hook, paths, record: recordOf(one.path, parts) }));
  });
  if (outbox.length > 0) parts.store.commit({ outbox });
  return new Set(outbox.map(({ hook }) => hook));
}

/** What is true of the path now: the drift that is open, or that it is as the baseline has it. */
function recordOf(path: BytePath, { store, records, clock, newId }: RecorderParts): string {
  const [open] = store.openDriftAt(path);
  return open?.record ?? records.resolved({ id: newId(clock.nowMs()), path, timeNs: clock.nowNs() });
}
