// What gives no event (mapped writes, chattr, the raw device) is found by comparing everything, slowly, again and again.
import { SEVERITIES, type Severity } from '../domain/drift.ts';
import { partAfter, partsWithin, type Round } from '../domain/round.ts';
import type { WatchSettings } from '../domain/settings.ts';
import { type LastSweep, lastSweeps } from './last-sweeps.ts';
import type { Clock } from './ports/clock.ts';
import type { Journal } from './ports/store.ts';

export interface SweepState {
  readonly tier: Severity;
  /** undefined: off. */
  readonly everyMs: number | undefined;
  /** Within which the content of each file is read; undefined: by every sweep. */
  readonly contentMs: number | undefined;
  /** Which content is read by the sweep that is running, or comes next. */
  readonly round: Round;
  readonly lastMs: number | undefined;
  readonly running: boolean;
}

export interface Sweeps {
  states(): readonly SweepState[];
  /** Until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export interface SweepPorts {
  readonly clock: Clock;
  readonly sweep: (severity: Severity, round: Round, signal: AbortSignal) => Promise<void>;
  /** Has the sweeps of watches before. */
  readonly journal: Journal;
}

type Tier = { -readonly [K in keyof SweepState]: SweepState[K] };

/** An overdue tier leaves a watch that has only just compared everything some time. */
const SOON_MS = 60_000;

/** `critical` rules have an interval of their own; those of every other severity share the normal one. */
export function openSweeps(settings: WatchSettings['sweep'], ports: SweepPorts): Sweeps {
  const { clock, journal, sweep } = ports;
  const tiers = SEVERITIES.map((tier) => newTier(tier, settings));
  const runTier = async (tier: Tier, signal: AbortSignal): Promise<void> => {
    for (let waitMs = firstWaitMs(tier, clock.nowMs()); waitMs !== undefined; waitMs = tier.everyMs) {
      await clock.sleep(waitMs, signal);
      if (signal.aborted) return;
      tier.running = true;
      await sweep(tier.tier, tier.round, signal);
      tier.running = false;
      if (signal.aborted) return;
      tier.lastMs = clock.nowMs();
      tier.round = { ...tier.round, part: partAfter(tier.round, tier.round.parts) };
    }
  };
  return {
    states: () => tiers,
    run: async (signal) => {
      const last = sweptBefore(tiers, journal, clock.nowMs());
      for (const tier of tiers) {
        const before = last.get(tier.tier);
        tier.lastMs = before?.atMs;
        tier.round = { ...tier.round, part: partAfter(before?.round, tier.round.parts) };
      }
      await Promise.all(tiers.map((tier) => runTier(tier, signal)));
    },
  };
}

function newTier(tier: Severity, { criticalMs, normalMs, content }: WatchSettings['sweep']): Tier {
  const [everyMs, contentMs] = tier === 'critical' ? [criticalMs, content.criticalMs] : [normalMs, content.normalMs];
  const parts = everyMs === undefined ? 1 : partsWithin(contentMs, everyMs);
  return { tier, everyMs, contentMs, round: { part: 0, parts }, lastMs: undefined, running: false };
}

function sweptBefore(tiers: readonly Tier[], journal: Journal, nowMs: number): ReadonlyMap<Severity, LastSweep> {
  const longestMs = Math.max(0, ...tiers.map(({ everyMs }) => everyMs ?? 0));
  if (longestMs === 0) return new Map();
  const last = lastSweeps(journal, nowMs - longestMs);
  // Whoever watches for an hour each month must not read the first part for ever: the round goes on, however long ago it began.
  const isKnown = tiers.every(({ tier, round }) => round.parts === 1 || last.has(tier));
  return isKnown ? last : lastSweeps(journal, 0);
}

/** What is left of the interval that another watch began; one that is over, or was never begun, is due soon. */
function firstWaitMs({ everyMs, lastMs }: Tier, nowMs: number): number | undefined {
  if (everyMs === undefined) return undefined;
  const leftMs = lastMs === undefined ? 0 : lastMs + everyMs - nowMs;
  // A clock that was set back makes no interval longer.
  return Math.min(Math.max(leftMs, SOON_MS), everyMs);
}
