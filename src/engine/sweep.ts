// What gives no event (mapped writes, chattr, the raw device) is found by comparing everything, slowly, again and again.
import { SEVERITIES, type Severity } from '../domain/drift.ts';
import type { WatchSettings } from '../domain/settings.ts';
import type { Clock } from './ports/clock.ts';

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

type Tier = { -readonly [K in keyof SweepState]: SweepState[K] };

/** `critical` rules have an interval of their own; those of every other severity share the normal one. */
export function openSweeps(
  { criticalMs, normalMs }: WatchSettings['sweep'],
  clock: Clock,
  sweep: (severity: Severity, signal: AbortSignal) => Promise<void>,
): Sweeps {
  const tiers: Tier[] = SEVERITIES.map((tier) => ({
    tier,
    everyMs: tier === 'critical' ? criticalMs : normalMs,
    lastMs: undefined,
    running: false,
  }));
  const runTier = async (tier: Tier, signal: AbortSignal): Promise<void> => {
    while (tier.everyMs !== undefined && !signal.aborted) {
      await clock.sleep(tier.everyMs, signal);
      if (signal.aborted) return;
      tier.running = true;
      await sweep(tier.tier, signal);
      tier.running = false;
      tier.lastMs = clock.nowMs();
    }
  };
  return {
    states: () => tiers,
    run: async (signal) => {
      await Promise.all(tiers.map((tier) => runTier(tier, signal)));
    },
  };
}
