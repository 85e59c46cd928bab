import { expect, test } from 'vitest';
import type { DriftRecord } from '../../../src/domain/drift.ts';
import type { HoldOn } from '../../../src/domain/settings.ts';
import { openHolds } from '../../../src/engine/hold.ts';
import { newLane } from '../../../src/engine/lane-state.ts';
import { NO_MEMORY } from '../../../src/engine/ports/outbox.ts';
import { createManualClock } from '../../fakes/clock.ts';
import { entry, path } from '../../fakes/entry.ts';
import { hook } from '../../fakes/hook.ts';

const NEVER: HoldOn = { severity: undefined, filesPerMinute: undefined, share: undefined, entropy: undefined };

function setUp(on: Partial<HoldOn>) {
  const clock = createManualClock();
  const lane = newLane(hook({ name: 'mirror', holdOn: { ...NEVER, ...on } }), NO_MEMORY);
  let looks = 0;
  const looksEncrypted = (name: string): boolean => {
    looks += 1;
    return name.endsWith('.enc');
  };
  const lanes = new Map([['mirror', lane]]);
  const holds = openHolds(lanes, { clock, entriesOf: () => 100, looksEncrypted });
  const drift = (name: string, fields: Partial<DriftRecord> = {}, told = ['mirror']): void => {
    const [before, after] = [entry(name), entry(name)];
    const common = { seq: 1, timeNs: 0n, actors: [], generation: 1, changed: [], from: undefined, entries: undefined };
    const record = {
      ...common,
      id: name,
      kind: 'changed',
      path: path(name),
      rule: 'r',
      severity: 'normal',
      before,
      after,
    };
    holds.hold(holds.judge([{ record: { ...record, ...fields } as DriftRecord, told }]));
  };
  return { clock, lane, drift, held: () => lane.memory.hold?.reason, looked: () => looks };
}

const many = (count: number, each: (n: number) => void): void =>
  Array.from({ length: count }, (_, n) => n).forEach(each);

test('grave drift of any rule holds at once', () => {
  const { drift, held, lane } = setUp({ severity: 'critical' });
  drift('/a', {}, []);
  expect(held()).toBeUndefined();
  drift('/etc/passwd', { severity: 'critical', rule: 'system' }, []);
  expect(held()).toBe('critical drift (rule system)');
  drift('/etc/shadow', { severity: 'critical' }, []);
  expect(lane.news).toEqual([{ kind: 'hold', message: 'held, until it is released: critical drift (rule system)' }]);
});

test('many within a minute hold, as many over a longer time do not', async () => {
  const { drift, held, clock } = setUp({ filesPerMinute: 10 });
  for (let n = 0; n < 30; n += 1) {
    drift(`/${n}`);
    await clock.advance(7_000);
  }
  many(30, (n) => drift(`/not-told-${n}`, {}, ['other']));
  expect(held()).toBeUndefined();
  await clock.advance(60_000);
  many(10, (n) => drift(`/${n}`));
  expect(held()).toBe('10 drifts within a minute');
});

test('a share counts what was there before, and not before it is twenty', () => {
  const { drift, held } = setUp({ share: 0.1 });
  many(50, (n) => drift(`/new-${n}`, { kind: 'added', before: undefined }));
  many(19, (n) => drift(`/${n}`));
  expect(held()).toBeUndefined();
  drift('/20');
  expect(held()).toBe('20 of 100 entries changed within a minute');
});

test('files that look encrypted hold, the others do not', () => {
  const { drift, held } = setUp({ entropy: 3 });
  many(100, (n) => drift(`/${n}.txt`));
  many(2, (n) => drift(`/${n}.enc`, { kind: 'added', before: undefined }));
  drift('/gone.enc', { kind: 'removed', after: undefined });
  expect(held()).toBeUndefined();
  drift('/3.enc');
  expect(held()).toBe('3 files that look encrypted within a minute');
});

test('a drift of a storm takes no longer than one of a calm day, and files are sampled up to a limit', () => {
  const { drift, held, looked } = setUp({ share: 1, entropy: 10_000, filesPerMinute: 300_000 });
  // With a list of what came, and a look at all of it for each, this was ten billion steps.
  many(99, (n) => drift(`/${n}`));
  many(100_000, (n) => drift(`/new-${n}`, { kind: 'added', before: undefined }));
  expect(held()).toBeUndefined();
  expect(looked()).toBe(2_000);
  drift('/100');
  expect(held()).toBe('100 of 100 entries changed within a minute');
}, 20_000);

test('what came while it was held does not hold it again when it is released', () => {
  const { drift, held, lane } = setUp({ filesPerMinute: 10 });
  many(30, (n) => drift(`/${n}`));
  expect(held()).toBe('10 drifts within a minute');
  lane.memory = { ...lane.memory, hold: undefined };
  many(9, (n) => drift(`/${n}`));
  expect(held()).toBeUndefined();
  drift('/10');
  expect(held()).toBe('10 drifts within a minute');
});
