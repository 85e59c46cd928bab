import { expect, test } from 'vitest';
import { cameAndWent } from '../../../src/engine/came-and-went.ts';
import type { WaitingItem } from '../../../src/engine/ports/outbox.ts';
import { path } from '../../fakes/entry.ts';

/** `added /x`, `resolved /x`, `moved /a /b`: numbered from 1. */
function items(...lines: string[]): WaitingItem[] {
  return lines.map((line, index) => {
    const [kind = '', ...paths] = line.split(' ');
    const record = kind === 'resolved' ? { type: kind } : { type: 'drift', kind };
    return { number: index + 1, atMs: 5, hook: 'h', record: JSON.stringify(record), paths: paths.map(path) };
  });
}

const MIRROR = { stdin: 'paths0', triedNumber: 0, mayHaveRead: () => false } as const;

test.each([
  ['it came and went', ['added /x', 'changed /x', 'resolved /x', 'added /y'], [1, 2, 3]],
  ['accepted when it came', ['added /x', 'removed /x'], [1, 2]],
  ['it is back', ['added /x', 'resolved /x', 'added /x'], []],
  ['it was there before', ['changed /x', 'removed /x'], []],
  ['a run was told that it came', ['resolved /x'], []],
  ['it moved meanwhile', ['added /x', 'moved /x /y', 'resolved /x'], []],
])('%s', (_, lines, dropped) => {
  expect([...cameAndWent(items(...lines), MIRROR)]).toEqual(dropped);
});

test('a run that did not end well may have seen it', () => {
  const waiting = items('added /x', 'resolved /x');
  expect(cameAndWent(waiting, { ...MIRROR, triedNumber: 1 }).size).toBe(0);
});

test('a run that was given the path for another reason may have seen it', () => {
  const waiting = items('added /x', 'added /y', 'resolved /x', 'resolved /y');
  const mayHaveRead = (one: string, atMs: number): boolean => one === '/x' && atMs === 5;
  expect([...cameAndWent(waiting, { ...MIRROR, mayHaveRead })]).toEqual([2, 4]);
});

test('who is given records is told that a file came and went', () => {
  for (const stdin of ['ndjson', 'text'] as const) {
    expect(cameAndWent(items('added /x', 'resolved /x'), { ...MIRROR, stdin }).size).toBe(0);
  }
  expect(cameAndWent(items('added /x', 'resolved /x'), { ...MIRROR, stdin: 'none' }).size).toBe(2);
});
