import { expect, test } from 'vitest';
import type { ProgressState } from '../../../src/cli/progress.ts';
import { progressLines } from '../../../src/cli/progress-bar.ts';
import { progressRecord } from '../../../src/cli/progress-json.ts';
import { leftMs, shareOf } from '../../../src/cli/progress-share.ts';
import { pathFromLatin1 } from '../../../src/domain/path.ts';

const MiB = 1024 * 1024;
const STATE: ProgressState = {
  command: 'check',
  elapsedMs: 1000,
  entries: 5000,
  bytes: 10 * MiB,
  expected: { entries: 20_000, bytes: undefined },
  reading: [],
};

test('share, rate and time left are shown when the number of entries is known', () => {
  expect(progressLines(STATE, 200)).toEqual([
    'check [######..................]  25 %  5,000 entries  10.0 MiB  5,000/s  10.0 MiB/s  3.0 s left',
  ]);
});

test('what is there is counted when nobody knows how much there is', () => {
  const state = { ...STATE, command: 'init', elapsedMs: 0, entries: 1, bytes: 0, expected: undefined };
  expect(progressLines(state, 200)).toEqual(['init  1 entry  0 B  1,000/s  0 B/s']);
});

test('bytes count more than names, and there is never more than all', () => {
  const expected = { entries: 100, bytes: 100 * MiB };
  const early = { ...STATE, entries: 99, bytes: MiB, expected };
  expect(shareOf(early)).toBeLessThan(0.02);
  expect(leftMs(early)).toBeGreaterThan(50_000);
  expect(shareOf({ ...STATE, entries: 200, bytes: 200 * MiB, expected })).toBe(1);
  expect(shareOf({ ...STATE, expected: { entries: 0, bytes: 0 } })).toBeUndefined();
});

test('a file that takes a while has a line of its own, with nothing in it that could move the cursor', () => {
  const file = {
    kind: 'file' as const,
    path: pathFromLatin1('/srv/\x1b[2Jbackup\n.tar'),
    bytesRead: 3 * MiB,
    sizeBytes: 4 * MiB,
  };
  const lines = progressLines({ ...STATE, reading: [file] }, 100);
  expect(lines[1]).toBe('   75 % of 4.0 MiB  /srv/\\e[2Jbackup\\n.tar');
});

test('where nothing takes a while, each worker shows its directory', () => {
  const reading = ['/srv/a', '/srv/b\n'].map((path) => ({ kind: 'directory' as const, path: pathFromLatin1(path) }));
  expect(progressLines({ ...STATE, reading }, 100).slice(1)).toEqual(['  /srv/a', '  /srv/b\\n']);
});

test('no line is as long as the terminal is wide', () => {
  const path = pathFromLatin1(`/${'long/'.repeat(100)}name`);
  const state = {
    ...STATE,
    reading: Array.from({ length: 20 }, (_, index) =>
      index % 2 === 0
        ? { kind: 'file' as const, path, bytesRead: 1, sizeBytes: 2 }
        : { kind: 'directory' as const, path },
    ),
  };
  for (const width of [20, 80, 132]) {
    const lines = progressLines(state, width);
    expect(lines).toHaveLength(9);
    for (const line of lines) expect(line.length).toBeLessThan(width);
  }
});

test('a line of JSON has every count, and names that are not UTF-8 a second time', () => {
  const path = pathFromLatin1('/srv/\xff');
  const reading = [
    { kind: 'file' as const, path, bytesRead: 1, sizeBytes: 2 },
    { kind: 'directory' as const, path },
  ];
  expect(
    JSON.parse(
      progressRecord({ ...STATE, elapsedMs: 2000, reading, expected: { entries: 10_000, bytes: undefined } }, false),
    ),
  ).toEqual({
    v: 1,
    type: 'progress',
    command: 'check',
    done: false,
    elapsedMs: 2000,
    entries: 5000,
    bytes: 10 * MiB,
    rate: 5 * MiB,
    expectedEntries: 10_000,
    leftMs: 2000,
    reading: [
      { path: '/srv/�', pathBytes: 'L3Nydi//', bytes: 1, size: 2 },
      { path: '/srv/�', pathBytes: 'L3Nydi//' },
    ],
  });
});
