// Which hook runs when: one lane per hook; later drift folds into the next run.
import type { Actor } from '../domain/actor.ts';
import type { Dirty } from '../domain/dirty.ts';
import type { BytePath } from '../domain/path.ts';
import { type HookLimits, type HookSettings, tellsPaths } from '../domain/settings.ts';
import { openChains } from './chain.ts';
import type { DeliveryParts } from './delivery.ts';
import { REMEMBER_MS } from './given.ts';
import { type HoldParts, type Holds, openHolds } from './hold.ts';
import { type HookState, statesOf } from './hook-state.ts';
import { noteDrift, recall, retryNow, runLane } from './lane.ts';
import { newLane } from './lane-state.ts';
import { releaseHold } from './release.ts';
import { openSlots } from './slots.ts';

export interface TriggerParts extends DeliveryParts {
  readonly hooks: readonly HookSettings[];
  readonly limits: HookLimits;
  readonly entriesOf: HoldParts['entriesOf'];
  readonly looksEncrypted: HoldParts['looksEncrypted'];
}

export interface ReadMeanwhile {
  readonly hook: string;
  /** Not empty. */
  readonly paths: readonly BytePath[];
}

export interface LookedAt {
  /** Of what is at the path now. */
  readonly ctimeNs: bigint | undefined;
  /** The hooks that are told of it although they were given only what is above or below it. */
  readonly around: () => readonly string[];
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
  /**
   * Whether a hook is not told of what the actors did: nobody but its own runs did it, or runs of hooks that started each
   * other too often. Otherwise it will be told, and its next run is counted as one that those runs led to.
   */
  isOwnDoing(hook: string, actors: readonly Actor[]): boolean;
  /** Whether drift that is about to be recorded makes hooks wait, and that it does. */
  readonly judge: Holds['judge'];
  readonly hold: Holds['hold'];
  /** Lets a hook run again that was held; false when it was not. */
  release(hook: string, by: Actor): boolean;
  /** Tries again at once what failed, also what was given up; returns how many batches were. */
  retry(hook: string): number;
  /**
   * By hook, what its runs may have read of a dirty path while it was otherwise than now (`GivenPaths`). Only hooks that look
   * for themselves: who is given records goes by what they say.
   */
  readMeanwhile(dirty: Dirty, looked: LookedAt): readonly ReadMeanwhile[];
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
  const lanes = new Map(parts.hooks.map((hook) => [hook.name, newLane(hook, parts.outbox.memory(hook.name))]));
  const chains = openChains(lanes, parts.limits.chain, clock);
  const holds = openHolds(lanes, parts);
  let predecessor: Trigger | undefined;
  /** Whose runs have ended, but are remembered. */
  let before: { readonly trigger: Trigger; readonly untilMs: number } | undefined;
  const formerRuns = (): Trigger | undefined => {
    if (before !== undefined && clock.monotonicMs() > before.untilMs) before = undefined;
    return predecessor ?? before?.trigger;
  };
  let work: readonly Promise<void>[] = [];
  return {
    async run(former) {
      predecessor = former;
      await former?.close();
      predecessor = undefined;
      if (former !== undefined) before = { trigger: former, untilMs: clock.monotonicMs() + REMEMBER_MS };
      if (closing.signal.aborted) return;
      recall(lanes, parts);
      const slots = openSlots(parts.limits.concurrency);
      work = [...lanes.values()].map((lane) => runLane({ ...parts, slots }, lane, closing.signal, kill.signal));
      await Promise.all(work);
    },
    notify(hook) {
      const lane = lanes.get(hook);
      if (lane === undefined) return;
      noteDrift(lane, clock.monotonicMs());
      if (lane.hook.onBusy === 'restart') {
        for (const run of lane.runs.values()) {
          run.isRestart = true;
          run.abort.abort();
        }
      }
      lane.wake.abort();
    },
    states: () => statesOf(lanes, parts, predecessor?.states() ?? []),
    isOwnDoing: (hook, actors) => chains.isBroken(hook, actors) || (formerRuns()?.isOwnDoing(hook, actors) ?? false),
    judge: holds.judge,
    hold(held) {
      predecessor?.hold(held);
      holds.hold(held);
    },
    release(hook, by) {
      // Whose runs are ending goes on to write what it remembers.
      const isReleased = predecessor?.release(hook, by) ?? false;
      const lane = lanes.get(hook);
      if (lane?.memory.hold === undefined) return isReleased;
      lane.memory = isReleased ? { ...lane.memory, hold: undefined } : releaseHold(parts, hook, lane.memory, by);
      lane.wake.abort();
      return true;
    },
    retry(hook) {
      const lane = lanes.get(hook);
      const revived = parts.outbox.revive(hook);
      if (lane !== undefined) retryNow(lane, parts);
      return revived;
    },
    readMeanwhile: (dirty, looked) => [
      ...[...lanes.values()]
        .filter(({ hook }) => tellsPaths(hook.stdin))
        .map(({ hook: { name }, given }) => {
          const options = { ctimeNs: looked.ctimeNs, around: () => looked.around().includes(name) };
          return { hook: name, paths: given.readMeanwhile(dirty, options) };
        })
        .filter(({ paths }) => paths.length > 0),
      ...(formerRuns()
        ?.readMeanwhile(dirty, looked)
        .filter(({ hook }) => lanes.has(hook)) ?? []),
    ],
    async close(patienceMs) {
      closing.abort();
      before = undefined;
      for (const lane of lanes.values()) {
        for (const run of lane.runs.values()) run.abort.abort();
        lane.wake.abort();
      }
      const ended = new AbortController();
      if (patienceMs !== undefined) void clock.sleep(patienceMs, ended.signal).then(() => kill.abort());
      await Promise.all([predecessor?.close(patienceMs), Promise.allSettled(work)]);
      ended.abort();
    },
  };
}
