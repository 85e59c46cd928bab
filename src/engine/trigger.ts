// Which hook runs when: one lane per hook, one run in flight per lane, later drift folds into the next run.
import type { Actor } from '../domain/actor.ts';
import type { Dirty } from '../domain/batch.ts';
import type { BytePath } from '../domain/path.ts';
import type { HookSettings } from '../domain/settings.ts';
import { type DeliveryParts, type Lane, newLane } from './delivery.ts';
import { noteDrift, recall, runLane } from './lane.ts';
import type { RunOutcome } from './ports/hook-runner.ts';

export interface TriggerParts extends DeliveryParts {
  readonly hooks: readonly HookSettings[];
}

export interface HookState {
  readonly name: string;
  readonly pending: number;
  readonly running: boolean;
  readonly dead: number;
  /** The last run's outcome. */
  readonly last: RunOutcome['outcome'] | undefined;
}

export interface ReadMeanwhile {
  readonly hook: string;
  /** Not empty. */
  readonly paths: readonly BytePath[];
}

export interface Trigger {
  /**
   * Delivers, first of all what an earlier process left in the outbox. Begins when `former` is closed: it is closed here.
   * Resolves after `close`; rejects at once with what the outbox throws.
   */
  run(former?: Trigger): Promise<void>;
  /** The outbox has something new for this hook. */
  notify(hook: string): void;
  states(): readonly HookState[];
  /** Whether nobody but runs of this hook were seen doing it: then it is not told. */
  isOwnDoing(hook: string, actors: readonly Actor[]): boolean;
  /**
   * By hook, what its runs may have read of a dirty path while it was otherwise than now (`GivenPaths`). Only hooks that look
   * for themselves: who is given records goes by what they say.
   */
  readMeanwhile(dirty: Dirty, ctimeNs: bigint | undefined): readonly ReadMeanwhile[];
  /**
   * Cancels runs in flight, and kills those that have not ended `patienceMs` later; what they had not delivered stays in
   * the outbox. Never rejects. A later call may be less patient than an earlier one.
   */
  close(patienceMs?: number): Promise<void>;
}

export function openTrigger(parts: TriggerParts): Trigger {
  const { clock } = parts;
  const closing = new AbortController();
  const kill = new AbortController();
  const lanes = new Map(parts.hooks.map((hook) => [hook.name, newLane(hook)]));
  let predecessor: Trigger | undefined;
  let work: readonly Promise<void>[] = [];
  return {
    async run(former) {
      predecessor = former;
      await former?.close();
      predecessor = undefined;
      if (closing.signal.aborted) return;
      recall(lanes, parts);
      work = [...lanes.values()].map((lane) => runLane(parts, lane, closing.signal, kill.signal));
      await Promise.all(work);
    },
    notify(hook) {
      const lane = lanes.get(hook);
      if (lane === undefined) return;
      noteDrift(lane, clock.monotonicMs());
      if (lane.running && lane.hook.onBusy === 'restart') lane.run.abort();
      lane.wake.abort();
    },
    states: () => statesOf(lanes, parts, predecessor?.states() ?? []),
    isOwnDoing: (hook, actors) =>
      (lanes.get(hook)?.own.caused(actors, clock.monotonicMs()) ?? false) ||
      (predecessor?.isOwnDoing(hook, actors) ?? false),
    readMeanwhile: (dirty, ctimeNs) => [
      ...[...lanes.values()]
        .filter(({ hook }) => hook.stdin === 'paths0' || hook.stdin === 'none')
        .map(({ hook, given }) => ({ hook: hook.name, paths: given.readMeanwhile(dirty, ctimeNs) }))
        .filter(({ paths }) => paths.length > 0),
      ...(predecessor?.readMeanwhile(dirty, ctimeNs).filter(({ hook }) => lanes.has(hook)) ?? []),
    ],
    async close(patienceMs) {
      closing.abort();
      for (const lane of lanes.values()) {
        lane.run.abort();
        lane.wake.abort();
      }
      const ended = new AbortController();
      if (patienceMs !== undefined) void clock.sleep(patienceMs, ended.signal).then(() => kill.abort());
      await Promise.all([predecessor?.close(patienceMs), Promise.allSettled(work)]);
      ended.abort();
    },
  };
}

function statesOf(
  lanes: ReadonlyMap<string, Lane>,
  { outbox }: TriggerParts,
  former: readonly HookState[],
): HookState[] {
  const backlog = outbox.backlog();
  return [...lanes.values()].map(({ hook: { name }, running, last }) => {
    const rows = backlog.find((one) => one.hook === name);
    const before = former.find((one) => one.name === name);
    return {
      name,
      pending: rows?.pending ?? 0,
      running: running || (before?.running ?? false),
      dead: rows?.dead ?? 0,
      last: last ?? before?.last,
    };
  });
}
