// A file that comes and goes within one batch is no drift; but a hook that copied it meanwhile must hear of its path again.
import type { Dirty } from '../domain/dirty.ts';
import type { BytePath } from '../domain/path.ts';
import type { Scope } from '../domain/rule.ts';
import type { RecorderParts } from './recorder.ts';
import type { LookedAt, ReadMeanwhile, Trigger } from './trigger.ts';

export type PathsByHook = ReadonlyMap<string, ReadonlySet<BytePath>>;

export interface Looked {
  readonly dirty: readonly Dirty[];
  /** ctime of what was read by its name; of what is not there it is missing. */
  readonly ctimes: ReadonlyMap<BytePath, bigint>;
  /** The paths that they are told of anyway. */
  readonly told: PathsByHook;
  /** When something was told before all was looked at: what was found then. */
  readonly meanwhile?: Meanwhile | undefined;
}

/** What runs had read of dirty paths before any of what was found there was told. */
export interface Meanwhile {
  readonly read: ReadonlyMap<Dirty, readonly ReadMeanwhile[]>;
  /** By hook, those of the paths that it was not told of since. */
  readonly left: ReadonlyMap<string, Set<BytePath>>;
}

/** Returns the hooks that got something to do. */
export function retell(
  parts: RecorderParts,
  { dirty, ctimes, told, meanwhile }: Looked,
  trigger: Pick<Trigger, 'isOwnDoing' | 'readMeanwhile'>,
): ReadonlySet<string> {
  const isUntold = (hook: string, path: BytePath): boolean =>
    told.get(hook)?.has(path) !== true && (meanwhile === undefined || meanwhile.left.get(hook)?.has(path) === true);
  const outbox = dirty.flatMap((one) =>
    (meanwhile?.read.get(one) ?? trigger.readMeanwhile(one, lookedAt(one, parts.scope, ctimes.get(one.path))))
      .filter(({ hook }) => one.hasOthers || !trigger.isOwnDoing(hook, one.actors))
      .map(({ hook, paths }) => ({ hook, paths: paths.filter((path) => isUntold(hook, path)) }))
      .filter(({ paths }) => paths.length > 0)
      .map(({ hook, paths }) => ({ hook, paths, record: recordOf(one.path, parts) })),
  );
  if (outbox.length > 0) parts.store.commit({ outbox });
  return new Set(outbox.map(({ hook }) => hook));
}

/** What runs may have read of the dirty paths while that was otherwise than now, whatever they are found to be. */
export function readMeanwhile(
  dirty: readonly Dirty[],
  scope: Scope,
  trigger: Pick<Trigger, 'readMeanwhile'>,
): Meanwhile {
  const read = new Map<Dirty, readonly ReadMeanwhile[]>();
  const left = new Map<string, Set<BytePath>>();
  for (const one of dirty) {
    const found = trigger.readMeanwhile(one, lookedAt(one, scope, undefined));
    read.set(one, found);
    for (const { hook, paths } of found) {
      const known = left.get(hook) ?? new Set();
      left.set(hook, known);
      for (const path of paths) known.add(path);
    }
  }
  return { read, left };
}

function lookedAt({ path }: Dirty, scope: Scope, ctimeNs: bigint | undefined): LookedAt {
  return { ctimeNs, around: () => scope.ruleOf(path)?.hooks ?? [] };
}

/** What is true of the path now: the drift that is open, or that it is as the baseline has it. */
function recordOf(path: BytePath, { store, records, clock, newId }: RecorderParts): string {
  const [open] = store.openDriftAt(path);
  return open?.record ?? records.resolved({ id: newId(clock.nowMs()), path, timeNs: clock.nowNs() });
}
