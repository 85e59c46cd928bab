// The order of one hook's runs: each waits until its drift has been quiet, and a failed one until its pause is over.
import type { BytePath } from '../domain/path.ts';
import { cameAndWent } from './came-and-went.ts';
import { type DeliveryParts, deliver } from './delivery.ts';
import { heldNews } from './hold.ts';
import { type Lane, raise } from './lane-state.ts';
import type { HookBatch } from './ports/outbox.ts';
import { longestPauseMs } from './settlement.ts';
import type { Slots } from './slots.ts';

export interface LaneParts extends DeliveryParts {
  readonly slots: Slots;
}

/** Until `closing` aborts and the runs have ended. */
export async function runLane(parts: LaneParts, lane: Lane, closing: AbortSignal, kill: AbortSignal): Promise<void> {
  const runs = new Set<Promise<void>>();
  let failure: unknown;
  const follow = (work: Promise<void>): void => {
    const run = work
      .catch((error: unknown) => {
        failure ??= error;
      })
      .finally(() => {
        runs.delete(run);
        lane.isBlocked = false;
        lane.wake.abort();
      });
    runs.add(run);
  };
  while (!closing.aborted && failure === undefined) {
    for (const news of lane.news.splice(0)) follow(raise(parts, lane, news, kill));
    const waitMs = dueIn(parts, lane);
    if (waitMs > 0) {
      lane.wake = new AbortController();
      await parts.clock.sleep(Math.min(waitMs, FOREVER_MS), lane.wake.signal);
      continue;
    }
    const release = await parts.slots.take(closing);
    if (release === undefined) break;
    // What came while it waited for its turn comes along, if it has to be quiet for no longer than the rest.
    const batch = dueIn(parts, lane) > 0 ? undefined : claim(parts, lane);
    if (batch === undefined) release();
    else follow(deliver(parts, lane, batch, kill).finally(release));
  }
  await Promise.all(runs);
  // What the last runs led to is an alert, too.
  if (failure === undefined) for (const news of lane.news.splice(0)) await raise(parts, lane, news, kill);
  if (failure !== undefined) throw failure;
}

/** The longest timer that Node takes is 2^31 - 1 ms. */
const FOREVER_MS = 2 ** 31 - 1;

/** Milliseconds until the lane's next run; infinite while there is nothing to do. */
function dueIn(parts: LaneParts, lane: Lane): number {
  const { hook, runs, pauses, firstMs, lastMs } = lane;
  const nowMs = parts.clock.monotonicMs();
  if (lane.memory.hold !== undefined) return Number.POSITIVE_INFINITY;
  const most = lane.memory.openUntilMs === undefined ? hook.concurrency : 1;
  if (runs.size >= most) return Number.POSITIVE_INFINITY;
  const waits = [...pauses.values()];
  if (runs.size + pauses.size < most && !lane.isBlocked && parts.outbox.hasWaiting(hook.name)) {
    waits.push(firstMs === undefined ? 0 : Math.min(firstMs + hook.deadlineMs, lastMs + hook.quietMs));
  }
  return Math.max(Math.min(Number.POSITIVE_INFINITY, ...waits), lane.openUntilMs ?? 0) - nowMs;
}

/** A batch whose pause is over, or a new one. */
function claim({ outbox, clock }: LaneParts, lane: Lane): HookBatch | undefined {
  const { hook, runs, pauses, memory, given } = lane;
  const nowMs = clock.monotonicMs();
  const [over] = [...pauses].filter(([, untilMs]) => untilMs <= nowMs);
  if (over !== undefined) pauses.delete(over[0]);
  else lane.firstMs = undefined;
  const wallMs = clock.nowMs();
  const mayHaveRead = (path: BytePath, atMs: number): boolean => given.mayHaveRead(path, nowMs, wallMs - atMs);
  const batch = outbox.claim(hook.name, {
    busy: new Set([...runs.keys(), ...pauses.keys()]),
    maxPaths: hook.maxPaths,
    drop: (waiting) => cameAndWent(waiting, { stdin: hook.stdin, triedNumber: memory.triedNumber, mayHaveRead }),
  });
  lane.isBlocked = batch === undefined && runs.size > 0;
  return batch;
}

export function noteDrift(lane: Lane, atMs: number): void {
  lane.isBlocked = false;
  lane.firstMs ??= atMs;
  lane.lastMs = atMs;
}

/** No pause, and a breaker that lets one run begin. */
export function retryNow(lane: Lane, { outbox, clock }: DeliveryParts): void {
  const nowMs = clock.monotonicMs();
  lane.openUntilMs = undefined;
  for (const { key, isDead } of outbox.batches(lane.hook.name)) {
    if (!isDead && !lane.runs.has(key)) lane.pauses.set(key, nowMs);
  }
  lane.wake.abort();
}

/**
 * What an earlier process left, with its times on the clock of this one. The wall clock may have been set meanwhile: no
 * drift comes from the future, and no pause is longer than the longest.
 */
export function recall(lanes: ReadonlyMap<string, Lane>, { outbox, clock }: DeliveryParts): void {
  const [wallMs, nowMs] = [clock.nowMs(), clock.monotonicMs()];
  const left = (untilMs: number, longestMs: number): number =>
    nowMs + Math.min(Math.max(0, untilMs - wallMs), longestMs);
  for (const lane of lanes.values()) {
    const { hook } = lane;
    lane.memory = outbox.memory(hook.name);
    const { openUntilMs, hold } = lane.memory;
    lane.news.splice(0, lane.news.length, ...(hold === undefined || hold.isTold === true ? [] : [heldNews(hold)]));
    if (openUntilMs !== undefined) lane.openUntilMs = left(openUntilMs, hook.breaker?.pauseMs ?? 0);
    const begun = outbox.batches(hook.name);
    if (begun.length > 0 || lane.memory.last !== undefined) lane.given.recalled();
    for (const { key, isDead, notBeforeMs } of begun) {
      if (!isDead) lane.pauses.set(key, left(notBeforeMs ?? 0, longestPauseMs(hook)));
    }
  }
  for (const { hook, oldestMs } of outbox.backlog()) {
    const lane = lanes.get(hook);
    if (lane === undefined || oldestMs === undefined) continue;
    const atMs = nowMs - Math.max(0, wallMs - oldestMs);
    lane.firstMs = Math.min(lane.firstMs ?? atMs, atMs);
    lane.lastMs = Math.max(lane.lastMs, atMs);
  }
}
