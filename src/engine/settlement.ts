// What the outcome of a run means for its batch and for what is remembered of its hook.
import type { HookSettings } from '../domain/settings.ts';
import type { RunOutcome } from './ports/hook-runner.ts';
import type { HookBatch, HookMemory, Settlement } from './ports/outbox.ts';

export interface Attempt {
  readonly hook: HookSettings;
  readonly batch: HookBatch;
  readonly outcome: RunOutcome['outcome'];
  /** How often in a row the batch was put off with a status of `again`, this time included. */
  readonly putOff: number;
  /** A canceled run makes room for one that delivers newer drift, too. */
  readonly isRestart: boolean;
  /** At least 0, less than 1. */
  readonly random: number;
}

export interface Verdict {
  readonly settlement: Settlement;
  /** Until the next attempt; 0: none, or at once. */
  readonly pauseMs: number;
}

export function verdictOf({ hook, batch, outcome, putOff, isRestart, random }: Attempt, nowMs: number): Verdict {
  switch (outcome) {
    case 'ok':
      return { settlement: { kind: 'done' }, pauseMs: 0 };
    case 'canceled':
      if (isRestart) return { settlement: { kind: 'released' }, pauseMs: 0 };
      return { settlement: { kind: 'again', notBeforeMs: undefined, counts: false }, pauseMs: 0 };
    case 'again': {
      const pauseMs = backoffMs(hook, putOff, random);
      return { settlement: { kind: 'again', notBeforeMs: nowMs + pauseMs, counts: false }, pauseMs };
    }
    case 'failed':
    case 'timedOut': {
      const attempt = batch.attempts + 1;
      if (attempt >= hook.retry.attempts) return { settlement: { kind: 'dead' }, pauseMs: 0 };
      const pauseMs = backoffMs(hook, attempt, random);
      return { settlement: { kind: 'again', notBeforeMs: nowMs + pauseMs, counts: true }, pauseMs };
    }
  }
}

/** Hooks that failed for one reason, as a server that is gone, do not all come back to it at once. */
const JITTER = 0.2;

/** Doubled each time up to the longest pause, and up to a fifth longer than that. */
function backoffMs({ retry }: HookSettings, attempt: number, random: number): number {
  const pauseMs = Math.min(retry.backoffMaxMs, retry.backoffMinMs * 2 ** Math.min(attempt - 1, 60));
  return Math.round(pauseMs * (1 + JITTER * random));
}

/** The longest pause that `backoffMs` gives. */
export function longestPauseMs({ retry }: HookSettings): number {
  return retry.backoffMaxMs * (1 + JITTER);
}

export interface Remembered {
  readonly memory: HookMemory;
  /** The run opened the breaker, which was closed. */
  readonly isOpened: boolean;
  /** It closed one that was open. */
  readonly isClosed: boolean;
}

export function rememberRun(
  before: HookMemory,
  { hook, batch, outcome }: Pick<Attempt, 'hook' | 'batch' | 'outcome'>,
  nowMs: number,
): Remembered {
  const last = { outcome, endMs: nowMs };
  const isBad = outcome === 'failed' || outcome === 'timedOut';
  const failures = outcome === 'ok' ? 0 : before.failures + (isBad ? 1 : 0);
  const triedNumber = outcome === 'ok' ? before.triedNumber : Math.max(before.triedNumber, batch.lastNumber);
  const isTooBad = isBad && hook.breaker !== undefined && failures >= hook.breaker.failures;
  const openUntilMs = isTooBad ? nowMs + hook.breaker.pauseMs : outcome === 'ok' ? undefined : before.openUntilMs;
  return {
    memory: { ...before, last, failures, triedNumber, openUntilMs },
    isOpened: isTooBad && before.openUntilMs === undefined,
    isClosed: before.openUntilMs !== undefined && openUntilMs === undefined,
  };
}
