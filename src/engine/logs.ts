// What a watch knows of logs that may grow.
import { type Appended, openAppended } from './appended.ts';
import { type GrowthChecks, openGrowthChecks } from './growth-checks.ts';
import type { Clock } from './ports/clock.ts';
import { openStillGrowing, type StillGrowing } from './still-growing.ts';

export interface Logs {
  readonly appended: Appended;
  readonly growth: GrowthChecks;
  readonly stillGrowing: StillGrowing;
}

export function openLogs(clock: Clock): Logs {
  const appended = openAppended();
  return { appended, growth: openGrowthChecks(clock, appended), stillGrowing: openStillGrowing(clock) };
}
