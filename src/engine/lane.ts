// The order of one hook's runs: each waits until its drift has been quiet, and a failed one until its pause is over.
import { type DeliveryParts, deliver, type Lane } from './delivery.ts';

/** Until `closing` aborts. */
export async function runLane(
  parts: DeliveryParts,
  lane: Lane,
  closing: AbortSignal,
  kill: AbortSignal,
): Promise<void> {
  while (!closing.aborted) {
    const waitMs = dueIn(parts, lane);
    if (waitMs === undefined || waitMs > 0) {
      lane.wake = new AbortController();
      await parts.clock.sleep(waitMs ?? FOREVER_MS, lane.wake.signal);
      continue;
    }
    lane.firstMs = undefined;
    lane.retryMs = undefined;
    const batch = parts.outbox.claim(lane.hook.name);
    if (batch !== undefined) await deliver(parts, lane, batch, kill);
  }
}

/** The longest timer that Node takes is 2^31 - 1 ms. */
const FOREVER_MS = 2 ** 31 - 1;

/** Milliseconds until the lane's next run; undefined when there is nothing to do. */
function dueIn({ outbox, clock }: DeliveryParts, { hook, firstMs, lastMs, retryMs }: Lane): number | undefined {
  const waiting = outbox.backlog().find((one) => one.hook === hook.name);
  if (waiting === undefined || waiting.pending === 0) return undefined;
  const quietMs = firstMs === undefined ? 0 : Math.min(firstMs + hook.deadlineMs, lastMs + hook.quietMs);
  return Math.max(quietMs, retryMs ?? 0) - clock.monotonicMs();
}

export function noteDrift(lane: Lane, atMs: number): void {
  lane.firstMs ??= atMs;
  lane.lastMs = atMs;
}

/**
 * What an earlier process left, with its times on the clock of this one. The wall clock may have been set meanwhile: no
 * drift comes from the future, and no pause is longer than the longest.
 */
export function recall(lanes: ReadonlyMap<string, Lane>, { outbox, clock }: DeliveryParts): void {
  const [wallMs, nowMs] = [clock.nowMs(), clock.monotonicMs()];
  for (const { hook, oldestMs, notBeforeMs } of outbox.backlog()) {
    const lane = lanes.get(hook);
    if (lane === undefined || oldestMs === undefined) continue;
    const atMs = nowMs - Math.max(0, wallMs - oldestMs);
    lane.firstMs = Math.min(lane.firstMs ?? atMs, atMs);
    lane.lastMs = Math.max(lane.lastMs, atMs);
    if (notBeforeMs === undefined) continue;
    lane.retryMs = nowMs + Math.min(Math.max(0, notBeforeMs - wallMs), lane.hook.retry.backoffMaxMs);
  }
}
