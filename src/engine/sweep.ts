// What gives no event (mapped writes, chattr, the raw device) is found by comparing everything, slowly, again and again.
import { SEVERITIES, type Severity } from '../domain/drift.ts';
import type { WatchSettings } from '../domain/settings.ts';
import { lastSweeps } from './last-sweeps.ts';
import type { Clock } from './ports/clock.ts';
import type { Journal } from './ports/store.ts';

export interface SweepState {
  readonly tier: Severity;
  /** undefined: off. */
  readonly everyMs: number | undefined;
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
  readonly sweep: (severity: Severity, signal: AbortSignal) => Promise<void>;
  /** Has the sweeps of watches before. */
  readonly journal: Journal;
}

type Tier = { -readonly [K in keyof SweepState]: SweepState[K] };

/** An overdue tier leaves a watch that has only just compared everything some time. */
const SOON_MS = 60_000;

/** `critical` rules have an interval of their own; those of every other severity share the normal one. */
export function openSweeps({ criticalMs, normalMs }: WatchSettings['sweep'], ports: SweepPorts): Sweeps {
  const { clock, journal, sweep } = ports;
  const tiers: Tier[] = SEVERITIES.map((tier) => ({
    tier,
    everyMs: tier === 'critical' ? criticalMs : normalMs,
    lastMs: undefined,
    running: false,
  }));
  const runTier = async (tier: Tier, signal: AbortSignal): Promise<void> => {
    for (let waitMs = firstWaitMs(tier, clock.nowMs()); waitMs !== undefined; waitMs = tier.everyMs) {
      await clock.sleep(waitMs, signal);
      if (signal.aborted) return;
      tier.running = true;
      await sweep(tier.tier, signal);
      tier.running = false;
      if (signal.aborted) return;
      tier.lastMs = clock.nowMs();
    }
  };
  return {
    states: () => tiers,
    run: async (signal) => {
      const longestMs = Math.max(0, ...tiers.map(({ everyMs }) => everyMs ?? 0));
      const last = longestMs > 0 ? lastSweeps(journal, clock.nowMs() - longestMs) : new Map<Severity, number>();
      for (const tier of tiers) tier.lastMs = last.get(tier.tier);
      await Promise.all(tiers.map((tier) => runTier(tier, signal)));
    },
  };
}

/** What is left of the interval that another watch began; one that is over, or was never begun, is due soon. */
function firstWaitMs({ everyMs, lastMs }: Tier, nowMs: number): number | undefined {
  if (everyMs === undefined) return undefined;
  const leftMs = lastMs === undefined ? 0 : lastMs + everyMs - nowMs;
  // A clock that was set back makes no interval longer.
  return Math.min(Math.max(leftMs, SOON_MS), everyMs);
}
