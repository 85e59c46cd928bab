// What somebody asks for a hook by hand, in a running watch or without one.
import type { Actor } from '../domain/actor.ts';
import { AppError } from '../domain/errors.ts';
import { escapeText } from '../domain/escape.ts';
import type { BytePath } from '../domain/path.ts';
import type { HookSettings } from '../domain/settings.ts';
import { type DeliveryParts, deliver } from './delivery.ts';
import { newLane, raise } from './lane-state.ts';
import type { OutboxItem } from './ports/outbox.ts';
import type { RecordWriter } from './ports/record-writer.ts';
import type { Store } from './ports/store.ts';
import type { Trigger } from './trigger.ts';

export interface HookErrand {
  /** `release`: a hook that is held. `retry`: what failed and what was given up, at once. `add`: it is told of `paths`. */
  readonly action: 'release' | 'retry' | 'add';
  readonly hook: string;
  /** Of `add`. */
  readonly paths: readonly BytePath[];
  /** Who asked. */
  readonly by: Actor;
}

export interface ErrandResult {
  /** `release`: 1 when it was held. `retry`: batches that had been given up. `add`: paths. */
  readonly count: number;
  /** Drifts that the hook has to deliver now. */
  readonly pending: number;
}

export interface ErrandParts {
  readonly store: Store;
  readonly records: RecordWriter;
  readonly newId: (timeMs: number) => string;
  readonly clock: { nowMs(): number; nowNs(): bigint };
}

/** Of a watch: its trigger does it. Throws USAGE for a hook that there is not, BUSY for one that is held. */
export function runErrand(
  parts: ErrandParts,
  trigger: Pick<Trigger, 'release' | 'retry' | 'notify' | 'states'>,
  { action, hook, paths, by }: HookErrand,
): ErrandResult {
  const state = trigger.states().find(({ name }) => name === hook);
  if (state === undefined) throw noHook(hook);
  const result = (count: number): ErrandResult => {
    const pending = trigger.states().find(({ name }) => name === hook)?.pending ?? 0;
    return { count, pending };
  };
  if (action === 'release') return result(trigger.release(hook, by) ? 1 : 0);
  if (state.hold !== undefined) throw held(hook, state.hold.reason);
  if (action === 'retry') return result(trigger.retry(hook));
  parts.store.commit({ outbox: itemsFor(parts, hook, paths) });
  trigger.notify(hook);
  return result(paths.length);
}

/** One item per path: with the drift that is open there, or that it is as the baseline has it. */
export function itemsFor(
  { store, records, newId, clock }: ErrandParts,
  hook: string,
  paths: readonly BytePath[],
): OutboxItem[] {
  return paths.map((path) => {
    const [open] = store.openDriftAt(path);
    const record = open?.record ?? records.resolved({ id: newId(clock.nowMs()), path, timeNs: clock.nowNs() });
    return { hook, paths: [path], record };
  });
}

export function noHook(hook: string): AppError {
  return new AppError('USAGE', `there is no hook '${escapeText(hook)}'`, { hint: '`driftline hook list` shows them' });
}

export function held(hook: string, reason: string): AppError {
  return new AppError('BUSY', `hook ${escapeText(hook)} is held: ${escapeText(reason)}`, {
    hint: `look at what drifted, then \`driftline hook release ${escapeText(hook)}\``,
  });
}

export interface Delivered {
  readonly ok: number;
  /** Batches that are tried again, and those that were given up. */
  readonly left: number;
}

/**
 * One attempt for every batch of a hook, one after the other, without a watch. `stop` ends it after the run in flight, which is
 * asked to end; `kill` ends that at once, and whatever would follow it.
 */
export async function deliverPending(
  parts: DeliveryParts,
  hook: HookSettings,
  stop: AbortSignal,
  kill: AbortSignal,
): Promise<Delivered> {
  const { outbox } = parts;
  const lane = newLane(hook, outbox.memory(hook.name));
  const tried = new Set<string>();
  stop.addEventListener('abort', () => {
    for (const run of lane.runs.values()) run.abort.abort();
  });
  while (!stop.aborted) {
    const batch = outbox.claim(hook.name, { busy: tried, maxPaths: hook.maxPaths });
    if (batch === undefined) break;
    tried.add(batch.key);
    await deliver(parts, lane, batch, kill);
    for (const news of lane.news.splice(0)) await raise(parts, lane, news, kill);
  }
  const left = outbox.batches(hook.name).filter(({ key }) => tried.has(key)).length;
  return { ok: tried.size - left, left };
}
