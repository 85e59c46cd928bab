// Of which files only what was appended may be read: those that differ from the baseline whatever is appended.
import { expect, test } from 'vitest';
import { openAppended } from '../../../src/engine/appended.ts';
import type { Difference } from '../../../src/engine/findings.ts';
import { entry, path } from '../../fakes/entry.ts';
import { rule } from '../../fakes/rule.ts';

const LOG = path('/r/log');
const MEBIBYTE = 1024n * 1024n;
const file = (sizeBytes: bigint) => entry('/r/log', { type: 'file', sizeBytes });
const changed = (before: bigint, after: bigint, fields: Parameters<typeof rule>[2] = {}): Difference => ({
  kind: 'changed',
  rule: rule('all', ['/r'], fields),
  before: file(before),
  after: file(after),
  changed: ['size', 'digest'],
  prefixBytes: undefined,
});

test('a file that became longer has one token, for as long as the baseline has the same size', () => {
  const appended = openAppended();
  appended.note(changed(MEBIBYTE, 2n * MEBIBYTE));
  const token = appended.tokenOf(LOG, file(MEBIBYTE));
  expect(token).toBeTypeOf('number');
  appended.note(changed(MEBIBYTE, 3n * MEBIBYTE));
  expect(appended.tokenOf(LOG, file(MEBIBYTE))).toBe(token);
  // Accepted meanwhile.
  expect(appended.tokenOf(LOG, file(3n * MEBIBYTE))).toBeUndefined();
  expect(appended.has(LOG)).toBe(false);
});

test('doubt without an event takes another token', () => {
  const appended = openAppended();
  const added: Difference = { kind: 'added', rule: rule('all', ['/r']), after: file(MEBIBYTE) };
  appended.note(added);
  const token = appended.tokenOf(LOG, undefined);
  appended.doubt(LOG);
  expect(appended.tokenOf(LOG, undefined)).toBeUndefined();
  appended.note(added);
  expect(appended.tokenOf(LOG, undefined)).not.toBe(token);
});

test.each([
  ['is as long as before', changed(2n * MEBIBYTE, 2n * MEBIBYTE)],
  ['is shorter', changed(3n * MEBIBYTE, 2n * MEBIBYTE)],
  ['is small', changed(1n, MEBIBYTE - 1n)],
  ['is accepted as it is found', changed(1n, MEBIBYTE, { onDrift: 'accept' })],
  ['may be accepted by who did it', changed(1n, MEBIBYTE, { by: [] })],
  ['is gone', { kind: 'removed', rule: rule('all', ['/r']), before: file(MEBIBYTE) } satisfies Difference],
] as const)('a file that %s is read from its beginning', (_, difference) => {
  const appended = openAppended();
  appended.note(changed(MEBIBYTE, 2n * MEBIBYTE));
  appended.note(difference);
  expect(appended.has(LOG)).toBe(false);
});
