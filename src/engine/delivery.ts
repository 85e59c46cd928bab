// One run of a hook: what it is given, what its outcome means for the outbox, and who is told.
import type { HookSettings } from '../domain/settings.ts';
import { type GivenPaths, trackGivenPaths } from './given.ts';
import { type OwnRuns, trackOwnRuns } from './own-doing.ts';
import type { Clock } from './ports/clock.ts';
import type { HookRunner, RunOutcome } from './ports/hook-runner.ts';
import type { RecordWriter } from './ports/record-writer.ts';
import type { Reporter } from './ports/reporter.ts';
import type { HookBatch, Outbox, Settlement } from './ports/store.ts';

export interface DeliveryParts {
  readonly outbox: Outbox;
  readonly runner: HookRunner;
  readonly records: RecordWriter;
  readonly reporter: Reporter;
  readonly clock: Clock;
  readonly newId: (timeMs: number) => string;
  /** The bytes and variables that a hook receives. */
  readonly payload: (hook: HookSettings, batch: HookBatch, runId: string) => HookPayload;
}

export interface HookPayload {
  readonly input: Uint8Array;
  readonly environment: Readonly<Record<string, string>>;
}

/** One hook's runs. Times are of the monotonic clock. */
export interface Lane {
  readonly hook: HookSettings;
  readonly own: OwnRuns;
  readonly given: GivenPaths;
  /** When the first and the last drift came that no run has taken yet. */
  firstMs: number | undefined;
  lastMs: number;
  /** When the pause after a failed run is over. */
  retryMs: number | undefined;
  running: boolean;
  last: RunOutcome['outcome'] | undefined;
  /** Ends the lane's sleep. */
  wake: AbortController;
  run: AbortController;
}

export function newLane(hook: HookSettings): Lane {
  return {
    hook,
    own: trackOwnRuns(),
    given: trackGivenPaths(),
    firstMs: undefined,
    lastMs: Number.NEGATIVE_INFINITY,
    retryMs: undefined,
    running: false,
    last: undefined,
    wake: new AbortController(),
    run: new AbortController(),
  };
}

export async function deliver(parts: DeliveryParts, lane: Lane, batch: HookBatch, kill: AbortSignal): Promise<void> {
  const { hook } = lane;
  const { clock } = parts;
  const startMs = clock.nowMs();
  const runId = parts.newId(startMs);
  lane.run = new AbortController();
  lane.running = true;
  lane.given.started(batch.paths, clock.monotonicMs(), startMs);
  let pid: number | undefined;
  const onStart = (started: number): void => {
    pid = started;
    lane.own.started(started);
  };
  const outcome = await parts.runner.run({
    hook,
    runId,
    batch,
    ...parts.payload(hook, batch, runId),
    signal: lane.run.signal,
    kill,
    onStart,
  });
  lane.running = false;
  lane.last = outcome.outcome;
  lane.given.ended(clock.monotonicMs());
  const endMs = clock.nowMs();
  if (pid !== undefined) lane.own.ended(pid, clock.monotonicMs());
  const attempt = batch.attempts + 1;
  const fields = {
    hook: hook.name,
    runId,
    key: batch.key,
    attempt,
    paths: batch.paths.length,
    startMs,
    endMs,
    outcome,
  };
  const next = settlement(hook, attempt, outcome, endMs);
  if (next.kind === 'again') lane.retryMs = clock.monotonicMs() + backoffMs(hook, attempt);
  parts.outbox.settle(batch.key, next, [parts.records.run(fields)]);
  tellRun(parts.reporter, hook, attempt, batch, outcome, next);
  if (hook.onBusy === 'skip' && lane.firstMs !== undefined && next.kind !== 'released') skipWaiting(parts, lane);
}

function settlement(hook: HookSettings, attempt: number, { outcome }: RunOutcome, nowMs: number): Settlement {
  if (outcome === 'ok') return { kind: 'done' };
  if (outcome === 'canceled') return { kind: 'released' };
  if (attempt >= hook.retry.attempts) return { kind: 'dead' };
  return { kind: 'again', notBeforeMs: nowMs + backoffMs(hook, attempt) };
}

function backoffMs({ retry }: HookSettings, attempt: number): number {
  return Math.min(retry.backoffMaxMs, retry.backoffMinMs * 2 ** (attempt - 1));
}

const NEXT: Readonly<Record<Settlement['kind'], string>> = {
  done: '',
  again: 'will be tried again',
  dead: 'given up',
  released: 'what it had to deliver waits for the next run',
};

function tellRun(
  reporter: Reporter,
  hook: HookSettings,
  attempt: number,
  { paths }: HookBatch,
  run: RunOutcome,
  { kind }: Settlement,
): void {
  if (kind === 'done') {
    reporter.notice(`hook ${hook.name}: ok, ${paths.length} ${paths.length === 1 ? 'path' : 'paths'}`);
    return;
  }
  const how = run.problem ?? (run.signal === undefined ? `exit ${run.exitCode ?? '?'}` : `signal ${run.signal}`);
  const count = kind === 'released' ? '' : `attempt ${attempt} of ${hook.retry.attempts}, `;
  reporter.problem(`hook ${hook.name}: ${run.outcome} (${how}), ${count}${NEXT[kind]}`);
}

/** `onBusy: skip`: what came during the run is dropped, and the journal says so. */
function skipWaiting(parts: DeliveryParts, lane: Lane): void {
  lane.firstMs = undefined;
  const batch = parts.outbox.claim(lane.hook.name);
  if (batch === undefined || batch.attempts > 0) return;
  const nowMs = parts.clock.nowMs();
  const outcome: RunOutcome = {
    outcome: 'canceled',
    exitCode: undefined,
    signal: undefined,
    output: '',
    problem: 'skipped: the hook was busy',
  };
  const fields = {
    hook: lane.hook.name,
    runId: parts.newId(nowMs),
    key: batch.key,
    attempt: 0,
    paths: batch.paths.length,
  };
  parts.outbox.settle(batch.key, { kind: 'done' }, [
    parts.records.run({ ...fields, startMs: nowMs, endMs: nowMs, outcome }),
  ]);
}
