import { expect, test } from 'vitest';
import type { HookSettings } from '../../../src/domain/settings.ts';
import type { RunOutcome, RunRequest } from '../../../src/engine/ports/hook-runner.ts';
import { type HookBatch, NO_MEMORY, type Outbox, type Settlement } from '../../../src/engine/ports/outbox.ts';
import { openTrigger, type Trigger } from '../../../src/engine/trigger.ts';
import { createManualClock, type ManualClock } from '../../fakes/clock.ts';
import { hook } from '../../fakes/hook.ts';
import { silentRecords, silentReporter } from '../../fakes/records.ts';

const HOOK = hook({ name: 'mirror' });

/** One attempt is all there is. */
const ONCE = { ...HOOK.retry, attempts: 1 };

interface Row {
  readonly path: string;
  readonly atMs: number;
  batch: string | undefined;
}

/** An outbox in memory of one hook without `concurrency`. */
function fakeOutbox(clock: ManualClock) {
  let rows: Row[] = [];
  let dead: Row[] = [];
  let memory = NO_MEMORY;
  let [attempts, keys] = [0, 0];
  let notBeforeMs: number | undefined;
  const settled: Settlement[] = [];
  const journal: string[] = [];
  const openKey = (): string | undefined => rows.find(({ batch }) => batch !== undefined)?.batch;
  const outbox: Outbox = {
    backlog: () => {
      const waiting = rows.filter(({ batch }) => batch === undefined).length;
      const row = { hook: 'mirror', pending: rows.length, waiting, dead: dead.length, oldestMs: rows[0]?.atMs };
      return [{ ...row, notBeforeMs }];
    },
    hasWaiting: () => rows.some(({ batch }) => batch === undefined),
    batches: () => {
      const key = openKey();
      return key === undefined ? [] : [{ key, isDead: false, attempts, items: 1, oldestMs: 0, notBeforeMs }];
    },
    claim(): HookBatch | undefined {
      if (rows.length === 0) return undefined;
      keys += 1;
      const key = openKey() ?? `k${keys}`;
      if (openKey() === undefined) for (const row of rows) row.batch = key;
      const mine = rows.filter(({ batch }) => batch === key);
      const names = mine.map(({ path }) => path as never);
      return { key, hook: 'mirror', attempts, records: [], paths: names, lastNumber: 0 };
    },
    peek: () => undefined,
    settle(key, settlement, records, remembered) {
      settled.push(settlement);
      journal.push(...records);
      memory = remembered ?? memory;
      if (settlement.kind === 'released') for (const row of rows) row.batch = undefined;
      notBeforeMs = settlement.kind === 'again' ? settlement.notBeforeMs : undefined;
      attempts = settlement.kind === 'again' ? attempts + (settlement.counts ? 1 : 0) : 0;
      if (settlement.kind === 'dead') dead = [...dead, ...rows.filter(({ batch }) => batch === key)];
      if (settlement.kind === 'done' || settlement.kind === 'dead') rows = rows.filter(({ batch }) => batch !== key);
    },
    revive: () => 0,
    memory: () => memory,
    remember: (_hook, remembered, records) => {
      memory = remembered;
      journal.push(...records);
    },
  };
  const add = (path: string) => rows.push({ path, atMs: clock.nowMs(), batch: undefined });
  return { outbox, settled, journal, add };
}

/** A runner whose runs end when the test says so. */
function fakeRunner(deaf: boolean) {
  const runs: { request: RunRequest; end: (outcome: RunOutcome['outcome']) => void }[] = [];
  const failures: string[] = [];
  return {
    runs,
    failures,
    runner: {
      tellFailure: ({ record }: { readonly record: string }) => {
        failures.push(record);
        return Promise.resolve();
      },
      run: (request: RunRequest) =>
        new Promise<RunOutcome>((resolve) => {
          const end = (outcome: RunOutcome['outcome']): void =>
            resolve({ outcome, exitCode: 0, signal: undefined, output: '', problem: undefined });
          if (!deaf) request.signal.addEventListener('abort', () => end('canceled'));
          runs.push({ request, end });
        }),
    },
  };
}

interface Around {
  readonly clock?: ManualClock;
  readonly outbox?: ReturnType<typeof fakeOutbox>;
  readonly former?: Trigger;
  /** The hook does not end when it is asked to. */
  readonly deaf?: boolean;
}

function setUp(fields: Partial<HookSettings> = {}, around: Around = {}) {
  const clock = around.clock ?? createManualClock();
  const outbox = around.outbox ?? fakeOutbox(clock);
  const reports: string[] = [];
  const { runs, failures, runner } = fakeRunner(around.deaf ?? false);
  const trigger: Trigger = openTrigger({
    hooks: [{ ...HOOK, ...fields }],
    limits: { concurrency: 8, chain: 3 },
    random: () => 0,
    entriesOf: () => 100,
    looksEncrypted: () => false,
    outbox: outbox.outbox,
    runner,
    records: silentRecords,
    reporter: { ...silentReporter, problem: (message) => reports.push(message) },
    clock,
    newId: (timeMs) => `id${timeMs}`,
    payload: () => ({ input: new Uint8Array(), environment: {} }),
  });
  const work = trigger.run(around.former);
  const drift = (path: string): void => {
    outbox.add(path);
    trigger.notify('mirror');
  };
  return { clock, trigger, work, runs, failures, outbox, drift, reports };
}

const paths = (run: { request: RunRequest } | undefined): unknown => run?.request.batch.paths;

test('a hook runs once when its drift has been quiet', async () => {
  const { clock, runs, drift, trigger } = setUp();
  drift('/a');
  await clock.advance(300);
  drift('/b');
  await clock.advance(499);
  expect(runs).toHaveLength(0);
  await clock.advance(1);
  expect(runs).toHaveLength(1);
  expect(paths(runs[0])).toEqual(['/a', '/b']);
  await trigger.close();
});

test('a hook whose drift never rests runs at its deadline', async () => {
  const { clock, runs, drift, trigger } = setUp();
  for (let ms = 0; ms < 2000; ms += 100) {
    drift(`/${ms}`);
    await clock.advance(100);
  }
  expect(runs).toHaveLength(1);
  await trigger.close();
});

test('one run at a time: what comes meanwhile is the next run', async () => {
  const { clock, runs, drift, trigger } = setUp();
  drift('/a');
  await clock.advance(500);
  drift('/b');
  drift('/c');
  await clock.advance(5000);
  expect(runs).toHaveLength(1);
  runs[0]?.end('ok');
  await clock.advance(500);
  expect(paths(runs[1])).toEqual(['/b', '/c']);
  await trigger.close();
});

test('a failed run is tried again with growing pauses, then given up', async () => {
  const { clock, runs, outbox, drift, trigger } = setUp();
  drift('/a');
  await clock.advance(500);
  runs[0]?.end('failed');
  await clock.advance(999);
  expect(runs).toHaveLength(1);
  await clock.advance(1);
  expect(runs).toHaveLength(2);
  expect(runs[1]?.request.batch).toMatchObject({ key: 'k1', attempts: 1 });
  runs[1]?.end('timedOut');
  await clock.advance(2000);
  runs[2]?.end('failed');
  await clock.advance(60_000);
  expect(runs).toHaveLength(3);
  expect(outbox.settled.map(({ kind }) => kind)).toEqual(['again', 'again', 'dead']);
  await trigger.close();
});

test('onBusy restart cancels the run in flight and delivers everything together in the next', async () => {
  const { clock, runs, outbox, drift, trigger, reports } = setUp({ onBusy: 'restart', retry: ONCE });
  drift('/a');
  await clock.advance(500);
  drift('/b');
  await clock.advance(499);
  expect(runs[0]?.request.signal.aborted).toBe(true);
  expect(runs).toHaveLength(1);
  await clock.advance(1);
  expect(paths(runs[1])).toEqual(['/a', '/b']);
  expect(runs[1]?.request.batch.attempts).toBe(0);
  runs[1]?.end('ok');
  await clock.advance(5000);
  expect(runs).toHaveLength(2);
  expect(outbox.settled.map(({ kind }) => kind)).toEqual(['released', 'done']);
  expect(reports).toEqual([expect.stringMatching(/canceled .*waits for the next run$/)]);
  await trigger.close();
});

test('onBusy skip drops what came during the run', async () => {
  const { clock, runs, outbox, drift, trigger } = setUp({ onBusy: 'skip' });
  drift('/a');
  await clock.advance(500);
  drift('/b');
  runs[0]?.end('ok');
  await clock.advance(5000);
  expect(runs).toHaveLength(1);
  expect(outbox.settled.map(({ kind }) => kind)).toEqual(['done', 'done']);
  await trigger.close();
});

test('close cancels the run in flight and keeps its batch', async () => {
  const { clock, runs, outbox, drift, trigger } = setUp();
  drift('/a');
  await clock.advance(500);
  await trigger.close();
  expect(runs[0]?.request.signal.aborted).toBe(true);
  expect(outbox.settled).toMatchObject([{ kind: 'again', counts: false, notBeforeMs: undefined }]);
});

test('a wall clock that is set delays nothing', async () => {
  const { clock, runs, drift, trigger } = setUp();
  drift('/a');
  clock.step(-3_600_000);
  await clock.advance(500);
  expect(runs).toHaveLength(1);
  runs[0]?.end('failed');
  await clock.advance(1);
  clock.step(-3_600_000);
  await clock.advance(1000);
  expect(runs).toHaveLength(2);
  await trigger.close();
});

test('what an earlier process left waits for the longest pause at most, however the clock was set', async () => {
  const { clock, outbox, drift, trigger } = setUp();
  drift('/a');
  await trigger.close();
  outbox.outbox.settle(
    outbox.outbox.claim('mirror')?.key ?? '',
    { kind: 'again', notBeforeMs: clock.nowMs() + 1000, counts: true },
    [],
  );
  clock.step(-3_600_000);
  const later = setUp({}, { clock, outbox });
  await clock.advance(4799);
  expect(later.runs).toHaveLength(0);
  await clock.advance(1);
  expect(later.runs).toHaveLength(1);
  await later.trigger.close();
});

test('what the outbox throws ends the trigger', async () => {
  const { clock, outbox, drift, trigger, work } = setUp();
  outbox.outbox.claim = () => {
    throw new Error('the disk is full');
  };
  drift('/a');
  const failed = expect(work).rejects.toThrow('the disk is full');
  await clock.advance(500);
  await failed;
  await trigger.close();
});

test('a trigger takes over when the runs of the former have ended, and closes it less patiently when it is closed', async () => {
  const { clock, runs, outbox, drift, trigger } = setUp({}, { deaf: true });
  drift('/a');
  await clock.advance(500);
  const next = setUp({}, { clock, outbox, former: trigger });
  next.drift('/b');
  await clock.advance(5000);
  expect(runs[0]?.request.signal.aborted).toBe(true);
  expect(runs[0]?.request.kill.aborted).toBe(false);
  expect(next.runs).toHaveLength(0);
  expect(next.trigger.states()).toMatchObject([{ running: true }]);
  runs[0]?.end('canceled');
  await clock.advance(500);
  expect(next.runs[0]?.request.batch).toMatchObject({ key: 'k1', attempts: 0, paths: ['/a'] });
  next.runs[0]?.end('ok');
  await clock.advance(500);
  expect(paths(next.runs[1])).toEqual(['/b']);
  await next.trigger.close();
});

test('closing a trigger that waits for its former kills the run that it waits for', async () => {
  const { clock, runs, outbox, drift, trigger } = setUp({}, { deaf: true });
  drift('/a');
  await clock.advance(500);
  const next = setUp({}, { clock, outbox, former: trigger });
  await clock.advance(0);
  const closed = next.trigger.close(200);
  await clock.advance(200);
  expect(runs[0]?.request.kill.aborted).toBe(true);
  runs[0]?.end('canceled');
  await closed;
  await next.work;
  expect(next.runs).toHaveLength(0);
});

test('a run that is put off is tried again however often, later each time, without an alarm', async () => {
  const { clock, runs, failures, outbox, drift, trigger, reports } = setUp({ retry: { ...HOOK.retry, attempts: 1 } });
  drift('/a');
  await clock.advance(500);
  for (const pauseMs of [1000, 2000, 4000, 4000, 4000]) {
    const before = runs.length;
    runs.at(-1)?.end('again');
    await clock.advance(pauseMs - 1);
    expect(runs).toHaveLength(before);
    await clock.advance(1);
    expect(runs).toHaveLength(before + 1);
  }
  expect(runs.at(-1)?.request.batch).toMatchObject({ key: 'k1', attempts: 0 });
  runs.at(-1)?.end('ok');
  await clock.advance(0);
  expect(outbox.settled.at(-1)).toEqual({ kind: 'done' });
  expect([...reports, ...failures]).toEqual([]);
  await trigger.close();
});

test('too many failures in a row: nothing runs for a while, somebody is told, then one run decides', async () => {
  const breaker = { failures: 2, pauseMs: 60_000 };
  const { clock, runs, failures, outbox, drift, trigger } = setUp({ breaker });
  drift('/a');
  await clock.advance(500);
  runs[0]?.end('failed');
  await clock.advance(1000);
  runs[1]?.end('timedOut');
  await clock.advance(59_999);
  expect(runs).toHaveLength(2);
  expect(trigger.states()).toMatchObject([{ failures: 2, openUntilMs: expect.any(Number), pending: 1 }]);
  expect(failures.filter((record) => record.includes('"alert"'))).toHaveLength(1);
  expect(failures.filter((record) => record.includes('"run"'))).toHaveLength(2);
  expect(outbox.journal.filter((record) => record.includes('"breaker"'))).toHaveLength(1);
  await clock.advance(1);
  expect(runs).toHaveLength(3);
  runs[2]?.end('ok');
  await clock.advance(0);
  expect(trigger.states()).toMatchObject([{ failures: 0, openUntilMs: undefined }]);
  expect(outbox.journal.filter((record) => record.includes('"recovered"'))).toHaveLength(1);
  expect(failures.filter((record) => record.includes('"recovered"'))).toHaveLength(1);
  await trigger.close();
});

test('what the last run of a watch led to is told before its end', async () => {
  const around = { deaf: true };
  const { clock, runs, outbox, drift, trigger } = setUp({ breaker: { failures: 1, pauseMs: 60_000 } }, around);
  drift('/a');
  await clock.advance(500);
  const closed = trigger.close();
  runs[0]?.end('failed');
  await closed;
  expect(outbox.journal.filter((record) => record.includes('"breaker"'))).toHaveLength(1);
});

test('the breaker is still open after a restart', async () => {
  const fields = { breaker: { failures: 1, pauseMs: 60_000 } };
  const { clock, runs, outbox, drift, trigger } = setUp(fields);
  drift('/a');
  await clock.advance(500);
  runs[0]?.end('failed');
  await clock.advance(0);
  await trigger.close();
  const next = setUp(fields, { clock, outbox });
  await clock.advance(59_000);
  expect(next.runs).toHaveLength(0);
  await clock.advance(1_000);
  expect(next.runs).toHaveLength(1);
  await next.trigger.close();
});
