// Which hook runs when: one lane per hook, one run in flight per lane, later drift folds into the next run.
import type { Actor } from '../domain/actor.ts';
import type { HookSettings } from '../domain/settings.ts';
import { type OwnRuns, trackOwnRuns } from './own-doing.ts';
import type { Clock } from './ports/clock.ts';
import type { HookRunner, RunOutcome } from './ports/hook-runner.ts';
import type { RecordWriter } from './ports/record-writer.ts';
import type { Reporter } from './ports/reporter.ts';
import type { HookBacklog, HookBatch, Outbox } from './ports/store.ts';

export interface TriggerParts {
  readonly hooks: readonly HookSettings[];
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

export interface HookState {
  readonly name: string;
  readonly pending: number;
  readonly running: boolean;
  readonly dead: number;
  /** The last run's outcome. */
  readonly last: RunOutcome['outcome'] | undefined;
}

export interface Trigger {
  /** Begins to deliver, first of all what an earlier process left in the outbox. */
  start(): void;
  /** The outbox has something new for this hook. */
  notify(hook: string): void;
  states(): readonly HookState[];
  /** Whether nobody but runs of this hook were seen doing it: then it is not told. */
  isOwnDoing(hook: string, actors: readonly Actor[]): boolean;
  /** Cancels runs in flight, and kills those that have not ended `patienceMs` later; what they had not delivered stays in the outbox. */
  close(patienceMs?: number): Promise<void>;
}

interface Lane {
  readonly hook: HookSettings;
  readonly own: OwnRuns;
  firstMs: number | undefined;
  lastMs: number;
  running: boolean;
  last: RunOutcome['outcome'] | undefined;
  /** Ends the lane's sleep. */
  wake: AbortController;
  run: AbortController;
}

export function openTrigger(parts: TriggerParts): Trigger {
  const closing = new AbortController();
  const kill = new AbortController();
  const lanes = new Map(parts.hooks.map((hook) => [hook.name, newLane(hook)]));
  let done: Promise<unknown> = Promise.resolve();
  return {
    start() {
      for (const { hook, oldestMs } of parts.outbox.backlog()) {
        const lane = lanes.get(hook);
        if (lane !== undefined && oldestMs !== undefined) note(lane, oldestMs);
      }
      done = Promise.all([...lanes.values()].map((lane) => runLane(parts, lane, closing.signal, kill.signal)));
    },
    notify(hook) {
      const lane = lanes.get(hook);
      if (lane === undefined) return;
      note(lane, parts.clock.nowMs());
      if (lane.running && lane.hook.onBusy === 'restart') lane.run.abort();
      lane.wake.abort();
    },
    states: () => statesOf(lanes, parts.outbox.backlog()),
    isOwnDoing: (hook, actors) => lanes.get(hook)?.own.caused(actors, parts.clock.nowMs()) ?? false,
    async close(patienceMs) {
      closing.abort();
      for (const lane of lanes.values()) {
        lane.run.abort();
        lane.wake.abort();
      }
      const ended = new AbortController();
      if (patienceMs !== undefined) void parts.clock.sleep(patienceMs, ended.signal).then(() => kill.abort());
      await done;
      ended.abort();
    },
  };
}

function newLane(hook: HookSettings): Lane {
  return {
    hook,
    own: trackOwnRuns(),
    firstMs: undefined,
    lastMs: 0,
    running: false,
    last: undefined,
    wake: new AbortController(),
    run: new AbortController(),
  };
}

function note(lane: Lane, nowMs: number): void {
  lane.firstMs ??= nowMs;
  lane.lastMs = nowMs;
}

async function runLane(parts: TriggerParts, lane: Lane, closing: AbortSignal, kill: AbortSignal): Promise<void> {
  while (!closing.aborted) {
    const waitMs = dueIn(parts, lane);
    if (waitMs === undefined || waitMs > 0) {
      lane.wake = new AbortController();
      await parts.clock.sleep(waitMs ?? FOREVER_MS, lane.wake.signal);
      continue;
    }
    lane.firstMs = undefined;
    const batch = parts.outbox.claim(lane.hook.name);
    if (batch !== undefined) await deliver(parts, lane, batch, kill);
  }
}

/** The longest timer that Node takes is 2^31 - 1 ms. */
const FOREVER_MS = 2 ** 31 - 1;

/** Milliseconds until the lane's next run; undefined when there is nothing to do. */
function dueIn({ outbox, clock }: TriggerParts, { hook, firstMs, lastMs }: Lane): number | undefined {
  const waiting = outbox.backlog().find((one) => one.hook === hook.name);
  if (waiting === undefined || waiting.pending === 0) return undefined;
  const since = firstMs ?? waiting.oldestMs ?? clock.nowMs();
  const quietAt = Math.min(since + hook.deadlineMs, Math.max(lastMs, since) + hook.quietMs);
  return Math.max(quietAt, waiting.notBeforeMs ?? 0) - clock.nowMs();
}

async function deliver(parts: TriggerParts, lane: Lane, batch: HookBatch, kill: AbortSignal): Promise<void> {
  const { hook } = lane;
  const startMs = parts.clock.nowMs();
  const runId = parts.newId(startMs);
  lane.run = new AbortController();
  lane.running = true;
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
  const endMs = parts.clock.nowMs();
  if (pid !== undefined) lane.own.ended(pid, endMs);
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
  parts.outbox.settle(batch.key, settlement(hook, attempt, outcome, endMs), [parts.records.run(fields)]);
  tellRun(parts.reporter, hook, attempt, batch, outcome);
  if (hook.onBusy === 'skip' && lane.firstMs !== undefined) skipWaiting(parts, lane);
}

function settlement(hook: HookSettings, attempt: number, outcome: RunOutcome, nowMs: number) {
  if (outcome.outcome === 'ok') return { kind: 'done' } as const;
  if (outcome.outcome === 'canceled') return { kind: 'again', notBeforeMs: nowMs } as const;
  if (attempt >= hook.retry.attempts) return { kind: 'dead' } as const;
  const backoffMs = Math.min(hook.retry.backoffMaxMs, hook.retry.backoffMinMs * 2 ** (attempt - 1));
  return { kind: 'again', notBeforeMs: nowMs + backoffMs } as const;
}

function tellRun(reporter: Reporter, hook: HookSettings, attempt: number, batch: HookBatch, run: RunOutcome): void {
  if (run.outcome === 'ok') {
    reporter.notice(`hook ${hook.name}: ok, ${batch.paths.length} ${batch.paths.length === 1 ? 'path' : 'paths'}`);
    return;
  }
  const how = run.problem ?? (run.signal === undefined ? `exit ${run.exitCode ?? '?'}` : `signal ${run.signal}`);
  const next = attempt >= hook.retry.attempts ? 'given up' : 'will be tried again';
  reporter.problem(`hook ${hook.name}: ${run.outcome} (${how}), attempt ${attempt} of ${hook.retry.attempts}, ${next}`);
}

/** `onBusy: skip`: what came during the run is dropped, and the journal says so. */
function skipWaiting(parts: TriggerParts, lane: Lane): void {
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

function statesOf(lanes: ReadonlyMap<string, Lane>, backlog: readonly HookBacklog[]): HookState[] {
  return [...lanes.values()].map(({ hook, running, last }) => {
    const rows = backlog.find((one) => one.hook === hook.name);
    return { name: hook.name, pending: rows?.pending ?? 0, running, dead: rows?.dead ?? 0, last };
  });
}
