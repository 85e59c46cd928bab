// One run of a hook: what it is given, what its outcome means for the outbox, and who is told.
import type { HookSettings } from '../domain/settings.ts';
import { type Lane, ownProgram, type Run, raise } from './lane-state.ts';
import type { Clock } from './ports/clock.ts';
import type { HookRunner, RunOutcome } from './ports/hook-runner.ts';
import type { HookBatch, Outbox, Settlement } from './ports/outbox.ts';
import type { RecordWriter } from './ports/record-writer.ts';
import type { Reporter } from './ports/reporter.ts';
import { rememberRun, verdictOf } from './settlement.ts';

export interface DeliveryParts {
  readonly outbox: Outbox;
  readonly runner: HookRunner;
  readonly records: RecordWriter;
  readonly reporter: Reporter;
  readonly clock: Clock;
  readonly newId: (timeMs: number) => string;
  /** At least 0, less than 1. */
  readonly random: () => number;
  /** The bytes and variables that a hook receives. */
  readonly payload: (hook: HookSettings, batch: HookBatch, runId: string) => HookPayload;
}

export interface HookPayload {
  readonly input: Uint8Array;
  readonly environment: Readonly<Record<string, string>>;
}

export async function deliver(parts: DeliveryParts, lane: Lane, batch: HookBatch, kill: AbortSignal): Promise<void> {
  const { hook } = lane;
  const { clock } = parts;
  const startMs = clock.nowMs();
  const runId = parts.newId(startMs);
  const run: Run = { abort: new AbortController(), isRestart: false, startMs, depth: lane.depth };
  lane.depth = 0;
  lane.runs.set(batch.key, run);
  const readingEnds = lane.given.started(batch.paths, clock.monotonicMs(), startMs);
  const own = ownProgram(lane, run.depth, clock);
  const payload = parts.payload(hook, batch, runId);
  const signals = { signal: run.abort.signal, kill, onStart: own.started };
  const outcome = await parts.runner.run({ hook, runId, batch, ...payload, ...signals });
  readingEnds(clock.monotonicMs());
  const endMs = clock.nowMs();
  const attempt = batch.attempts + 1;
  const numbers = { key: batch.key, attempt, paths: batch.paths.length };
  const record = parts.records.run({ hook: hook.name, runId, ...numbers, startMs, endMs, outcome });
  const settlement = settle(parts, lane, { batch, run, outcome, record, endMs });
  tellRun(parts.reporter, hook, attempt, batch, outcome, settlement);
  if (outcome.outcome === 'failed' || outcome.outcome === 'timedOut') {
    await parts.runner.tellFailure({ hook, record, environment: payload.environment, kill, onStart: own.started });
  }
  own.ended();
  lane.runs.delete(batch.key);
  if (settlement.kind === 'dead') {
    await raise(parts, lane, { kind: 'dead', message: `a batch of ${batch.paths.length} paths was given up` }, kill);
  }
  if (hook.onBusy === 'skip' && lane.firstMs !== undefined && settlement.kind !== 'released') skipWaiting(parts, lane);
}

interface Finished {
  readonly batch: HookBatch;
  readonly run: Run;
  readonly outcome: RunOutcome;
  readonly record: string;
  readonly endMs: number;
}

function settle(parts: DeliveryParts, lane: Lane, { batch, run, outcome, record, endMs }: Finished): Settlement {
  const { hook } = lane;
  const putOff = outcome.outcome === 'again' ? (lane.putOff.get(batch.key) ?? 0) + 1 : 0;
  const attempt = { hook, batch, outcome: outcome.outcome, putOff, isRestart: run.isRestart, random: parts.random() };
  const { settlement, pauseMs } = verdictOf(attempt, endMs);
  const { memory, isOpened, isClosed } = rememberRun(lane.memory, attempt, endMs);
  parts.outbox.settle(batch.key, settlement, [record], memory);
  lane.memory = memory;
  if (putOff > 0) lane.putOff.set(batch.key, putOff);
  else lane.putOff.delete(batch.key);
  if (settlement.kind === 'again') lane.pauses.set(batch.key, parts.clock.monotonicMs() + pauseMs);
  if (memory.openUntilMs !== undefined && memory.openUntilMs > endMs) {
    lane.openUntilMs = parts.clock.monotonicMs() + memory.openUntilMs - endMs;
  }
  if (outcome.alert !== undefined) lane.news.push({ kind: outcome.alert, message: outcome.problem ?? outcome.alert });
  if (isOpened) lane.news.push({ kind: 'breaker', message: `${memory.failures} failures in a row: it pauses` });
  if (isClosed) lane.news.push({ kind: 'recovered', message: 'works again' });
  return settlement;
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
  const isAlarm = run.outcome === 'failed' || run.outcome === 'timedOut';
  const count = isAlarm ? `attempt ${attempt} of ${hook.retry.attempts}, ` : '';
  const line = `hook ${hook.name}: ${run.outcome} (${how}), ${count}${NEXT[kind]}`;
  if (run.outcome === 'again') reporter.notice(line);
  else reporter.problem(line);
}

/** `onBusy: skip`: what came during the run is dropped, and the journal says so. */
function skipWaiting(parts: DeliveryParts, lane: Lane): void {
  lane.firstMs = undefined;
  const open = new Set(parts.outbox.batches(lane.hook.name).map(({ key }) => key));
  const batch = parts.outbox.claim(lane.hook.name);
  if (batch === undefined || open.has(batch.key)) return;
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
