// Drift that a command found and nobody journaled, as the record that it would be.
import { UNKNOWN_ACTOR } from '../domain/actor.ts';
import { type Drift, type DriftRecord, driftKey } from '../domain/drift.ts';
import type { Store } from '../engine/ports/store.ts';
import { systemClock } from './clock.ts';
import { newId } from './identity.ts';

/** Drift that a watch has journaled keeps the identifier that it has there. */
export function openRecords(store: Store): (drift: Drift) => DriftRecord {
  const open = new Map([...store.openDrift()].map(({ key, id, seq }) => [key, { id, seq }]));
  const { generation } = store.baseline.info();
  return (drift) => {
    const timeNs = systemClock.nowNs();
    const { id, seq } = open.get(driftKey(drift)) ?? { id: newId(Number(timeNs / 1_000_000n)), seq: 1 };
    return { ...drift, id, seq, timeNs, actors: [UNKNOWN_ACTOR], generation };
  };
}
