// When everything was last read and compared, as the journal has it: a maximum age holds over restarts, too.
import { SEVERITIES, type Severity } from '../domain/drift.ts';
import { type Round, WHOLE } from '../domain/round.ts';
import type { Journal } from './ports/store.ts';

export interface LastSweep {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** Which part of the content it read. */
  readonly round: Round;
}

/**
 * The last sweep of each tier that ended since `sinceMs` (since the epoch); `init` reads all tiers. Reads the journal from
 * there on.
 */
export function lastSweeps(journal: Journal, sinceMs: number): ReadonlyMap<Severity, LastSweep> {
  const last = new Map<Severity, LastSweep>();
  for (const { record } of journal.read(Math.max(0, sinceMs))) {
    // Most records are drift, and many.
    if (!/"type":"(?:sweep|init)"/.test(record)) continue;
    const fields = JSON.parse(record) as Readonly<Record<string, unknown>>;
    const { type, tier, time } = fields;
    const atMs = typeof time === 'string' ? Date.parse(time) : Number.NaN;
    if (Number.isNaN(atMs)) continue;
    for (const severity of SEVERITIES) {
      if (type === 'init') last.set(severity, { atMs, round: WHOLE });
      else if (type === 'sweep' && tier === severity) last.set(severity, { atMs, round: roundOf(fields) });
    }
  }
  return last;
}

/** Parts are told from 1 on, and not where there is only one. */
function roundOf({ part, parts }: Readonly<Record<string, unknown>>): Round {
  return typeof part === 'number' && typeof parts === 'number' ? { part: part - 1, parts } : WHOLE;
}
