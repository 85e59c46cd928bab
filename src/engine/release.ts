// The end of a hold: somebody has looked at what drifted.
import type { Actor } from '../domain/actor.ts';
import type { DeliveryParts } from './delivery.ts';
import type { HookMemory } from './ports/outbox.ts';

/** Lets a hook run again, and journals who did; returns what is remembered of it now. */
export function releaseHold(
  { outbox, records, clock }: Pick<DeliveryParts, 'outbox' | 'records' | 'clock'>,
  hook: string,
  memory: HookMemory,
  by: Actor,
): HookMemory {
  if (memory.hold === undefined) return memory;
  const released = { ...memory, hold: undefined };
  const record = records.release({ timeNs: clock.nowNs(), hook, ...memory.hold, by });
  outbox.remember(hook, released, [record]);
  return released;
}
