import { expect, test } from 'vitest';
import type { HookSettings } from '../../../src/domain/settings.ts';
import type { RunOutcome, RunRequest } from '../../../src/engine/ports/hook-runner.ts';
import type { HookBatch, Outbox, Settlement } from '../../../src/engine/ports/store.ts';
import { openTrigger, type Trigger } from '../../../src/engine/trigger.ts';
import { createManualClock } from '../../fakes/clock.ts';
import { silentRecords, silentReporter } from '../../fakes/records.ts';

const HOOK: HookSettings = {
  name: 'mirror',
  run: ['/bin/true'],
  stdin: 'paths0',
  quietMs: 500,
  deadlineMs: 2000,
  timeoutMs: 60_000,
  onBusy: 'queue',
  retry: { attempts: 3, backoffMinMs: 1000, backoffMaxMs: 4000 },
  environment: {},
  detach: false,
};

interface Row {
  readonly path: string;
  batch: string | undefined;
}

/** An outbox in memory: one batch at a time, as the port says. */
function fakeOutbox() {
  let rows: Row[] = [];
  let [attempts, notBeforeMs, keys] = [0, 0, 0];
  const settled: Settlement[] = [];
  const outbox: Outbox = {
    backlog: () => [
      { hook: 'mirror', pending: rows.length, dead: 0, oldestMs: rows.length > 0 ? 0 : undefined, notBeforeMs },
    ],
    claim(): HookBatch | undefined {
      if (rows.length === 0) return undefined;
      keys += 1;
      const key = rows.find(({ batch }) => batch !== undefined)?.batch ?? `k${keys}`;
      if (!rows.some(({ batch }) => batch === key)) for (const row of rows) row.batch = key;
      const mine = rows.filter(({ batch }) => batch === key);
      return { key, hook: 'mirror', attempts, records: [], paths: mine.map(({ path }) => path as never) };
    },
    settle(key, settlement) {
      settled.push(settlement);
      attempts = settlement.kind === 'again' ? attempts + 1 : 0;
      notBeforeMs = settlement.kind === 'again' ? settlement.notBeforeMs : 0;
      if (settlement.kind !== 'again') rows = rows.filter(({ batch }) => batch !== key);
    },
  };
  return { outbox, settled, add: (path: string) => rows.push({ path, batch: undefined }) };
}

/** A runner whose runs end when the test says so. */
function fakeRunner() {
  const runs: { request: RunRequest; end: (outcome: RunOutcome['outcome']) => void }[] = [];
  return {
    runs,
    runner: {
      run: (request: RunRequest) =>
        new Promise<RunOutcome>((resolve) => {
          const end = (outcome: RunOutcome['outcome']): void =>
            resolve({ outcome, exitCode: 0, signal: undefined, output: '', problem: undefined });
          request.signal.addEventListener('abort', () => end('canceled'));
          runs.push({ request, end });
        }),
    },
  };
}

function setUp(fields: Partial<HookSettings> = {}) {
  const clock = createManualClock();
  const outbox = fakeOutbox();
  const { runs, runner } = fakeRunner();
  const trigger: Trigger = openTrigger({
    hooks: [{ ...HOOK, ...fields }],
    outbox: outbox.outbox,
    runner,
    records: silentRecords,
    reporter: silentReporter,
    clock,
    newId: (timeMs) => `id${timeMs}`,
    payload: () => ({ input: new Uint8Array(), environment: {} }),
  });
  trigger.start();
  const drift = (path: string): void => {
    outbox.add(path);
    trigger.notify('mirror');
  };
  return { clock, trigger, runs, outbox, drift };
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

test('onBusy restart cancels the run in flight and delivers everything after it', async () => {
  const { clock, runs, drift, trigger } = setUp({ onBusy: 'restart' });
  drift('/a');
  await clock.advance(500);
  drift('/b');
  await clock.advance(1000);
  expect(runs[0]?.request.signal.aborted).toBe(true);
  runs[1]?.end('ok');
  await clock.advance(1000);
  expect([paths(runs[1]), paths(runs[2])]).toEqual([['/a'], ['/b']]);
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
  expect(outbox.settled).toMatchObject([{ kind: 'again' }]);
});
