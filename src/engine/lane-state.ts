// What is known of one hook while a watch runs. Times are of the monotonic clock unless it is said.
import type { HookSettings } from '../domain/settings.ts';
import type { DeliveryParts } from './delivery.ts';
import { type GivenPaths, trackGivenPaths } from './given.ts';
import { type OwnRuns, trackOwnRuns } from './own-doing.ts';
import type { Clock } from './ports/clock.ts';
import type { StartedProgram } from './ports/hook-runner.ts';
import type { HookMemory } from './ports/outbox.ts';
import type { AlertFields } from './ports/record-writer.ts';

export interface Lane {
  readonly hook: HookSettings;
  readonly own: OwnRuns;
  readonly given: GivenPaths;
  /** When the first and the last drift came that no run has taken yet. */
  firstMs: number | undefined;
  lastMs: number;
  /** By key of the batch. */
  readonly runs: Map<string, Run>;
  /** Until when batches wait whose runs did not end well. */
  readonly pauses: Map<string, number>;
  /** How often in a row a batch was put off. */
  readonly putOff: Map<string, number>;
  /** Everything that waits has to wait for a run in flight. */
  isBlocked: boolean;
  /** How many runs led to what waits. */
  depth: number;
  memory: HookMemory;
  /** Until then the breaker lets no run begin; after that one at a time, until `memory` says that it is closed. */
  openUntilMs: number | undefined;
  /** Alerts that nobody was told of yet. */
  readonly news: News[];
  /** Ends the lane's sleep. */
  wake: AbortController;
}

export interface Run {
  readonly abort: AbortController;
  /** It is aborted to make room for one that delivers newer drift, too. */
  isRestart: boolean;
  /** Since the epoch. */
  readonly startMs: number;
  readonly depth: number;
}

export type News = Pick<AlertFields, 'kind' | 'message'>;

export function newLane(hook: HookSettings, memory: HookMemory): Lane {
  return {
    hook,
    own: trackOwnRuns(),
    given: trackGivenPaths(),
    firstMs: undefined,
    lastMs: Number.NEGATIVE_INFINITY,
    runs: new Map(),
    pauses: new Map(),
    putOff: new Map(),
    isBlocked: false,
    depth: 0,
    memory,
    openUntilMs: undefined,
    news: [],
    wake: new AbortController(),
  };
}

/** The programs of one run, for as long as their writes are its doing. */
export function ownProgram(
  { own }: Lane,
  depth: number,
  clock: Clock,
): { readonly started: (program: StartedProgram) => void; readonly ended: () => void } {
  const programs: StartedProgram[] = [];
  const sinceMs = clock.bootMs();
  return {
    started: (program) => {
      programs.push(program);
      own.started(program, depth, sinceMs);
    },
    ended: () => {
      const at = { nowMs: clock.monotonicMs(), bootMs: clock.bootMs() };
      for (const program of programs) own.ended(program, at);
    },
  };
}

/** Journals an alert, says it, and runs what the hook has for failures. */
export async function raise(parts: DeliveryParts, lane: Lane, news: News, kill: AbortSignal): Promise<void> {
  const { hook } = lane;
  const timeMs = parts.clock.nowMs();
  const record = parts.records.alert({ id: parts.newId(timeMs), timeMs, hook: hook.name, ...news });
  parts.outbox.remember(hook.name, lane.memory, [record]);
  if (news.kind === 'recovered') parts.reporter.notice(`hook ${hook.name}: ${news.message}`);
  else parts.reporter.problem(`alert: hook ${hook.name}: ${news.message}`);
  const own = ownProgram(lane, lane.depth, parts.clock);
  const environment = { DRIFTLINE_HOOK: hook.name, DRIFTLINE_ALERT: news.kind };
  await parts.runner.tellFailure({ hook, record, environment, kill, onStart: own.started });
  own.ended();
  if (news.kind === 'hold') toldHold(parts, lane);
}

/** Whoever is killed before raises it again. */
function toldHold({ outbox }: DeliveryParts, lane: Lane): void {
  const { hold } = lane.memory;
  if (hold === undefined) return;
  lane.memory = { ...lane.memory, hold: { ...hold, isTold: true } };
  outbox.remember(lane.hook.name, lane.memory, []);
}
