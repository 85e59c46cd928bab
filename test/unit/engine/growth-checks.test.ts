// When the old part of a log that may grow is read again.
import { beforeEach, expect, test } from 'vitest';
import type { Actor } from '../../../src/domain/actor.ts';
import type { Attribute } from '../../../src/domain/attribute.ts';
import type { Dirty } from '../../../src/domain/dirty.ts';
import type { Digest } from '../../../src/domain/entry.ts';
import { openAppended } from '../../../src/engine/appended.ts';
import type { Attributed } from '../../../src/engine/attribution.ts';
import { type Growth, type GrowthChecks, openGrowthChecks } from '../../../src/engine/growth-checks.ts';
import { createManualClock, type ManualClock } from '../../fakes/clock.ts';
import { entry, path } from '../../fakes/entry.ts';
import { rule } from '../../fakes/rule.ts';

const LOG = path('/r/log');
const MEBIBYTE = 1024n * 1024n;
/** Its old part may be read once in so long. */
const OLD_BYTES = 20n * MEBIBYTE;
const OLD_MS = Number(OLD_BYTES) / 10_000;

let clock: ManualClock;
let appended: ReturnType<typeof openAppended>;
let checks: GrowthChecks;
beforeEach(() => {
  clock = createManualClock();
  appended = openAppended();
  checks = openGrowthChecks(clock, appended);
});

const digest = (byte: number): Digest => ({ algorithm: 'blake3', value: new Uint8Array(32).fill(byte) });
const [SAME, OTHER] = [digest(1), digest(9)];
const growth = (
  sizeBytes: bigint,
  { oldBytes = OLD_BYTES, old = 1, inode = 7n, onDrift = 'report' as const } = {},
): Growth => ({
  kind: 'changed',
  rule: rule('logs', ['/r'], { attributes: { names: new Set(['mode']), growing: true }, onDrift }),
  before: entry('/r/log', { type: 'file', sizeBytes: oldBytes, digest: digest(old) }),
  after: entry('/r/log', { type: 'file', sizeBytes, inode, ctimeNs: sizeBytes, digest: digest(2) }),
  changed: [],
  prefixBytes: oldBytes,
});
const dirty = { path: LOG, subtree: false, actors: [], hasOthers: false, sinceMs: 5 };

test('of a log that becomes longer the old part is read once in a while, whether or not anybody writes', async () => {
  expect(checks.lately(growth(OLD_BYTES + 1n))).toBeUndefined();
  checks.verified(growth(OLD_BYTES + 1n), SAME);
  expect(appended.has(LOG)).toBe(true);
  expect([checks.paths(), checks.dueMs()]).toEqual([[], Number.POSITIVE_INFINITY]);

  expect(checks.lately(growth(OLD_BYTES + 2n))).toEqual(SAME);
  checks.keep([dirty]);
  expect(checks.paths()).toEqual([LOG]);
  expect(checks.dueMs() - clock.monotonicMs()).toBe(Math.ceil(OLD_MS));
  expect(checks.takeDue()).toEqual([]);
  await clock.advance(OLD_MS + 1);
  expect(checks.lately(growth(OLD_BYTES + 3n))).toBeUndefined();
  expect(checks.takeDue()).toEqual([{ ...dirty, sinceMs: clock.monotonicMs() }]);
  expect([checks.takeDue(), checks.paths(), checks.dueMs()]).toEqual([[], [], Number.POSITIVE_INFINITY]);
  expect(checks.lately(growth(OLD_BYTES + 3n))).toBeUndefined();
});

test('what is due comes without who wrote when nobody is known, and not when it was read meanwhile', async () => {
  checks.verified(growth(OLD_BYTES + 1n), SAME);
  checks.lately(growth(OLD_BYTES + 2n));
  await clock.advance(OLD_MS + 1);
  expect(checks.takeDue()).toMatchObject([{ path: LOG, subtree: false, actors: [{ source: 'unknown' }] }]);
  checks.verified(growth(OLD_BYTES + 2n), SAME);
  checks.lately(growth(OLD_BYTES + 3n));
  checks.verified(growth(OLD_BYTES + 3n), SAME);
  await clock.advance(OLD_MS + 1);
  expect(checks.takeDue()).toEqual([]);
});

test('an old part that was another stays that until it is read again', () => {
  checks.verified(growth(OLD_BYTES + 1n), OTHER);
  expect(checks.lately(growth(OLD_BYTES + 2n))).toEqual(OTHER);
});

test.each([
  [
    'is not longer than the last time',
    growth(OLD_BYTES + 8n),
    (one: Growth) => ({ ...one, after: { ...one.after, ctimeNs: 1n } }),
  ],
  ['is shorter', growth(OLD_BYTES + 7n), undefined],
  ['is another file', growth(OLD_BYTES + 9n, { inode: 8n }), undefined],
  ['was accepted since', growth(OLD_BYTES + 9n, { old: 3 }), undefined],
] as const)('of a log that %s the old part is read', (_, next, change) => {
  checks.verified(growth(OLD_BYTES + 8n), SAME);
  expect(checks.lately(change?.(next) ?? next)).toBeUndefined();
});

test('looked at twice as it is, it is the same', () => {
  checks.verified(growth(OLD_BYTES + 8n), SAME);
  expect(checks.lately(growth(OLD_BYTES + 8n))).toEqual(SAME);
});

test.each([
  ['a small old part', growth(OLD_BYTES, { oldBytes: MEBIBYTE - 1n })],
  ['what may become the baseline', { ...growth(OLD_BYTES + 1n), rule: rule('logs', ['/r'], { onDrift: 'accept' }) }],
] as const)('%s is read each time', (_, one) => {
  checks.verified(one, SAME);
  expect(checks.lately({ ...one, after: { ...one.after, sizeBytes: one.after.sizeBytes + 1n } })).toBeUndefined();
});

test('who wrote is named with the reading that finds it, whatever that comes of, and with nothing else', () => {
  const A: Actor = { source: 'proc', pid: 1, exe: '/bin/a' };
  const B: Actor = { source: 'proc', pid: 2, exe: '/bin/b' };
  const by = (actor: Actor, fields: Partial<Dirty> = {}): Dirty => ({ ...dirty, actors: [actor], ...fields });
  const found = (changed: readonly Attribute[]): Attributed => ({
    drift: {
      ...growth(OLD_BYTES + 2n),
      kind: 'changed',
      rule: 'logs',
      severity: 'normal',
      path: LOG,
      from: undefined,
      entries: undefined,
      changed,
    },
    actors: [B],
    hasOthers: false,
  });
  checks.verified(growth(OLD_BYTES + 1n), SAME);
  checks.lately(growth(OLD_BYTES + 2n));
  checks.keep([by(A, { path: path('/r'), subtree: true })]);
  checks.verified(growth(OLD_BYTES + 2n), OTHER);
  expect(checks.named(found(['digest']))).toMatchObject({ actors: [A, B], hasOthers: false });
  expect(checks.named(found(['mode']))).toMatchObject({ actors: [B] });
  // As long as it is another.
  checks.lately(growth(OLD_BYTES + 3n));
  checks.keep([by(B)]);
  checks.verified(growth(OLD_BYTES + 3n), OTHER);
  expect(checks.named(found(['digest', 'mode']))).toMatchObject({ actors: [A, B] });
  checks.verified(growth(OLD_BYTES + 4n), SAME);
  expect(checks.named(found(['digest']))).toMatchObject({ actors: [B] });
  // Rotated meanwhile.
  checks.lately(growth(OLD_BYTES + 5n));
  checks.keep([by(A)]);
  checks.verified(growth(OLD_BYTES + 6n), OTHER);
  appended.doubt(LOG);
  expect(checks.named(found(['size', 'digest']))).toMatchObject({ actors: [B] });
});

test('what turns out to be another is read anew from then on, once', async () => {
  const token = (): number | undefined => appended.tokenOf(LOG, growth(0n).before);
  checks.verified(growth(OLD_BYTES + 1n), SAME);
  const first = token();
  checks.verified(growth(OLD_BYTES + 2n), SAME);
  expect(token()).toBe(first);
  checks.lately(growth(OLD_BYTES + 3n));
  await clock.advance(OLD_MS + 1);
  expect(checks.takeDue()).toHaveLength(1);
  checks.verified(growth(OLD_BYTES + 3n), OTHER);
  const second = token();
  expect(second).not.toBe(first);
  checks.verified(growth(OLD_BYTES + 4n), OTHER);
  expect(token()).toBe(second);
});

test('what was read as something else meanwhile is read', () => {
  checks.verified(growth(OLD_BYTES + 1n), SAME);
  appended.note({ ...growth(OLD_BYTES - 1n), changed: ['size', 'digest'], prefixBytes: undefined });
  expect(checks.lately(growth(OLD_BYTES + 2n))).toBeUndefined();
});

test('other rules: all is read anew', () => {
  checks.verified(growth(OLD_BYTES + 1n), SAME);
  checks.doubtAll();
  expect(checks.lately(growth(OLD_BYTES + 2n))).toBeUndefined();
  expect(appended.paths()).toEqual([]);
});

test('what a comparison of everything found is read, and of many logs those that are not waited for', () => {
  checks.verified(growth(OLD_BYTES + 1n), SAME);
  checks.doubt(LOG);
  expect(checks.lately(growth(OLD_BYTES + 2n))).toBeUndefined();
  checks.verified(growth(OLD_BYTES + 2n), SAME);
  checks.lately(growth(OLD_BYTES + 3n));
  const logOf = (index: number): Growth => {
    const one = growth(OLD_BYTES + 1n);
    return { ...one, after: { ...one.after, path: path(`/r/log${index}`) } };
  };
  for (let index = 0; index < 256; index += 1) checks.verified(logOf(index), SAME);
  expect([logOf(0), logOf(255)].map((one) => checks.lately(one))).toEqual([undefined, SAME]);
  expect(checks.paths()).toContain(LOG);
  // All are waited for.
  for (let index = 1; index < 255; index += 1) checks.lately(logOf(index));
  checks.verified(logOf(300), SAME);
  expect(checks.lately(logOf(300))).toBeUndefined();
});
