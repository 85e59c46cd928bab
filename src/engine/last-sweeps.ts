// When everything was last read and compared, as the journal has it: a maximum age holds over restarts, too.
import { SEVERITIES, type Severity } from '../domain/drift.ts';
import type { Journal } from './ports/store.ts';

/**
 * Milliseconds since the epoch of the last sweep of each tier that ended since `sinceMs`; `init` reads all tiers. Reads the
 * journal from there on.
 */
export function lastSweeps(journal: Journal, sinceMs: number): ReadonlyMap<Severity, number> {
  const last = new Map<Severity, number>();
  for (const { record } of journal.read(Math.max(0, sinceMs))) {
    // Most records are drift, and many.
    if (!/"type":"(?:sweep|init)"/.test(record)) continue;
    const { type, tier, time } = JSON.parse(record) as Readonly<Record<string, unknown>>;
    const atMs = typeof time === 'string' ? Date.parse(time) : Number.NaN;
    if (Number.isNaN(atMs)) continue;
    for (const severity of SEVERITIES) {
      if (type === 'init' || (type === 'sweep' && tier === severity)) last.set(severity, atMs);
    }
  }
  return last;
}
