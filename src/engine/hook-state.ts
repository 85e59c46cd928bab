// What `status` and `hook list` say of each hook.
import type { HookSettings } from '../domain/settings.ts';
import type { Lane } from './lane-state.ts';
import type { RunOutcome } from './ports/hook-runner.ts';
import type { HookMemory, Outbox } from './ports/outbox.ts';

/** Times are milliseconds since the epoch. */
export interface HookState {
  readonly name: string;
  /** Drifts that wait or are being delivered. */
  readonly pending: number;
  readonly running: boolean;
  /** When the oldest run in flight began. */
  readonly runningSinceMs: number | undefined;
  /** Drifts that were given up. */
  readonly dead: number;
  /** The last run's outcome. */
  readonly last: RunOutcome['outcome'] | undefined;
  readonly lastEndMs: number | undefined;
  /** After a run that did not end well. */
  readonly nextAttemptMs: number | undefined;
  /** In a row. */
  readonly failures: number;
  /** The breaker: nothing runs before. */
  readonly openUntilMs: number | undefined;
  readonly hold: HookMemory['hold'];
}

/** `former`: of a trigger whose runs are ending. */
export function statesOf(
  lanes: ReadonlyMap<string, Lane>,
  { outbox }: { readonly outbox: Outbox },
  former: readonly HookState[],
): HookState[] {
  return [...lanes.values()].map(({ hook, runs }) => {
    const state = idleState(hook, outbox);
    const before = former.find(({ name }) => name === hook.name);
    const starts = [...runs.values()].map(({ startMs }) => startMs);
    return {
      ...state,
      running: runs.size > 0 || (before?.running ?? false),
      runningSinceMs: starts.length === 0 ? before?.runningSinceMs : Math.min(...starts),
    };
  });
}

/** While no watch is running. */
export function idleState({ name }: HookSettings, outbox: Outbox): HookState {
  const rows = outbox.backlog().find(({ hook }) => hook === name);
  const { last, failures, openUntilMs, hold } = outbox.memory(name);
  return {
    name,
    pending: rows?.pending ?? 0,
    running: false,
    runningSinceMs: undefined,
    dead: rows?.dead ?? 0,
    last: last?.outcome,
    lastEndMs: last?.endMs,
    nextAttemptMs: rows?.notBeforeMs,
    failures,
    openUntilMs,
    hold,
  };
}
