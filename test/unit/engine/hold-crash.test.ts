// A hook that drift holds stays held when the process ends right behind the commit of that drift.
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { HookSettings } from '../../../src/domain/settings.ts';
import type { Trigger } from '../../../src/engine/trigger.ts';
import { openTrigger } from '../../../src/engine/trigger.ts';
import { createManualClock } from '../../fakes/clock.ts';
import { digestOf, entry } from '../../fakes/entry.ts';
import { hook } from '../../fakes/hook.ts';
import { silentRecords, silentReporter } from '../../fakes/records.ts';
import { rule } from '../../fakes/rule.ts';
import { Ground } from './ground.ts';

const HOLD_ON = { severity: undefined, filesPerMinute: 3, share: undefined, entropy: undefined };
const MIRROR: HookSettings = hook({ name: 'mirror', holdOn: HOLD_ON });
const BY = { source: 'unknown' } as const;
const REASON = '3 drifts within a minute';

let ground: Ground;
let runs: number;
let told: string[];

beforeEach(async () => {
  ground = new Ground();
  ground.rules = [rule('all', ['/r'], { hooks: ['mirror'], onDrift: 'accept' })];
  await ground.start(...['a', 'b', 'c'].map((name, n) => entry(`/r/${name}`, { inode: BigInt(50 + n) })));
  [runs, told] = [0, []];
});
afterEach(() => ground.close());

function open(clock = createManualClock()) {
  const trigger: Trigger = openTrigger({
    hooks: [MIRROR],
    limits: { concurrency: 8, chain: 3 },
    random: () => 0,
    entriesOf: () => 100,
    looksEncrypted: () => false,
    outbox: ground.store.outbox,
    runner: {
      run: () => {
        runs += 1;
        return Promise.resolve({ outcome: 'ok', exitCode: 0, signal: undefined, output: '', problem: undefined });
      },
      tellFailure: ({ record }) => Promise.resolve(void told.push(record)),
    },
    records: silentRecords,
    reporter: silentReporter,
    clock,
    newId: (timeMs) => `id${timeMs}`,
    payload: () => ({ input: new Uint8Array(), environment: {} }),
  });
  return { trigger, clock };
}

/** Three files change at once; `holds` is what the recorder is given. */
function encryptAll(holds: Pick<Trigger, 'judge' | 'hold'>): Promise<string[]> {
  for (const name of ['/r/a', '/r/b', '/r/c']) ground.disk.set(entry(name, { digest: digestOf('encrypted') }));
  return ground.dirtyBy({ holds }, '/r/a', '/r/b', '/r/c');
}

/** A process that begins with what is in the file, and has all the time it wants. */
async function restart(): Promise<Trigger> {
  const { trigger, clock } = open();
  const work = trigger.run();
  await clock.advance(60_000);
  await trigger.close();
  await work;
  return trigger;
}

const crash = (): never => {
  throw new Error('killed');
};

test('killed between the commit and everything that follows from it, it is held', async () => {
  const { trigger } = open();
  await expect(encryptAll({ judge: trigger.judge, hold: crash })).rejects.toThrow('killed');
  expect(ground.store.outbox.backlog()).toMatchObject([{ hook: 'mirror', waiting: 3 }]);
  expect(ground.store.outbox.memory('mirror').hold).toMatchObject({ reason: REASON });
  await restart();
  expect(runs).toBe(0);
  expect(told).toEqual([expect.stringContaining(REASON)]);
  await restart();
  expect(told).toHaveLength(1);
  expect(ground.store.outbox.backlog()).toMatchObject([{ hook: 'mirror', waiting: 3 }]);
});

test('killed before the commit, nothing is recorded, and the next one judges anew', async () => {
  const { trigger } = open();
  await expect(encryptAll({ judge: crash, hold: trigger.hold })).rejects.toThrow('killed');
  expect(ground.store.outbox.backlog()).toEqual([]);
  await encryptAll(open().trigger);
  await restart();
  expect([runs, told.length]).toEqual([0, 1]);
});

test('released after a crash it runs, once, with all that waited', async () => {
  const { trigger } = open();
  await expect(encryptAll({ judge: trigger.judge, hold: crash })).rejects.toThrow('killed');
  expect(open().trigger.release('mirror', BY)).toBe(true);
  await restart();
  expect(runs).toBe(1);
  expect(ground.store.outbox.backlog()).toEqual([]);
});

test('a trigger that takes over holds the one before it, too, and what is released is released in both', async () => {
  const clock = createManualClock();
  const [former, next] = [open(clock).trigger, open(clock).trigger];
  const work = former.run();
  const takingOver = next.run(former);
  await encryptAll(next);
  next.notify('mirror');
  await clock.advance(60_000);
  expect(runs).toBe(0);
  expect(next.states()).toMatchObject([{ hold: { reason: REASON } }]);
  expect(next.release('mirror', BY)).toBe(true);
  await clock.advance(60_000);
  expect(runs).toBe(1);
  const releases = [...ground.store.journal.read()].filter(({ record }) => record.includes('"release"'));
  expect(releases).toHaveLength(1);
  await next.close();
  await Promise.all([work, takingOver]);
});
