import { expect, test } from 'vitest';
import { pathFromLatin1, pathFromText } from '../../../src/domain/path.ts';
import { actorText } from '../../../src/report/actor-text.ts';
import { flagLetters } from '../../../src/report/flag-letters.ts';
import { integerJson, jsonText } from '../../../src/report/json-text.ts';
import { coverageJson, driftJson, incompleteJson } from '../../../src/report/record.ts';
import { recordText } from '../../../src/report/record-text.ts';
import { recordWriter } from '../../../src/report/record-writer.ts';
import { timeText } from '../../../src/report/time-text.ts';
import { ADDED, AFTER, BEFORE, MOVED, RECORD } from './fixture.ts';

const plain = { colour: false };

test('a drift record, every key', () => {
  expect(JSON.parse(recordWriter.drift(RECORD))).toEqual({
    v: 1,
    type: 'drift',
    time: '2025-11-20T23:55:53.123456789Z',
    id: '01JD0000000000000000000000',
    seq: 2,
    kind: 'changed',
    path: '/etc/passwd',
    rule: 'system',
    severity: 'critical',
    changed: ['mode', 'size', 'mtime', 'digest', 'xattrs', 'flags'],
    before: {
      type: 'file',
      mode: '0644',
      uid: 0,
      gid: 0,
      size: 1234,
      mtime: '2025-11-20T23:55:52.000000001Z',
      ctime: '2025-11-20T23:55:52.000000002Z',
      inode: '9007199254740993',
      nlink: 1,
      digest: 'ab'.repeat(32),
      xattrs: { 'user.note': 'b2xk' },
      flags: 'ia',
    },
    after: {
      type: 'file',
      mode: '4600',
      uid: 0,
      gid: 0,
      size: 1235,
      mtime: '1969-12-31T23:59:59.999999999Z',
      ctime: '2025-11-20T23:55:52.000000002Z',
      inode: '9007199254740993',
      nlink: 1,
      digest: `sparse:${'cd'.repeat(32)}`,
      xattrs: { 'security.selinux': 'eAA=' },
      flags: '',
      incomplete: 'EACCES',
    },
    actor: {
      pid: 812,
      exe: '/usr/sbin/useradd',
      cmdline: ['useradd', 'eve'],
      uid: 0,
      loginUid: 1000,
      unit: 'ssh.service',
      ppids: [7, 1],
      source: 'exec',
    },
    generation: 7,
  });
});

test('what only some drift has', () => {
  expect(driftJson(ADDED)).toMatchObject({
    before: undefined,
    changed: [],
    actor: { source: 'unknown' },
    actors: undefined,
  });
  expect(JSON.parse(recordWriter.drift(ADDED))).not.toHaveProperty('before');
  expect(driftJson(MOVED)).toMatchObject({ kind: 'moved', from: '/etc/old', path: '/etc/new', entries: 12 });
  const actors = [{ source: 'proc', pid: 1 } as const, { source: 'exec', pid: 2 } as const];
  expect(driftJson({ ...RECORD, actors })).toMatchObject({ actor: { pid: 2 }, actors: [{ pid: 1 }, { pid: 2 }] });
  const device = { ...BEFORE, type: 'block', rdev: { major: 8, minor: 1 } } as const;
  expect(driftJson({ ...RECORD, before: device })).toMatchObject({ before: { rdev: '8:1' } });
  const link = { ...AFTER, type: 'symlink', target: pathFromLatin1('\xff') } as const;
  expect(driftJson({ ...RECORD, after: link })).toMatchObject({ after: { target: '\ufffd', targetBytes: '/w==' } });
});

test('the other records', () => {
  const timeNs = RECORD.timeNs;
  const time = '2025-11-20T23:55:53.123456789Z';
  const parse = (line: string): unknown => JSON.parse(line);
  expect(parse(recordWriter.resolved({ id: 'x', path: pathFromLatin1('/\xff'), timeNs }))).toEqual({
    v: 1,
    type: 'resolved',
    time,
    id: 'x',
    path: '/\ufffd',
    pathBytes: 'L/8=',
  });
  expect(
    parse(
      recordWriter.accept({
        timeNs,
        generation: 8,
        paths: [pathFromText('/a')],
        drifts: ['x'],
        by: { source: 'proc', uid: 0 },
      }),
    ),
  ).toEqual({
    v: 1,
    type: 'accept',
    time,
    generation: 8,
    paths: [{ path: '/a' }],
    drifts: ['x'],
    by: { uid: 0, source: 'proc' },
  });
  const outcome = {
    outcome: 'timedOut',
    exitCode: undefined,
    signal: 'SIGTERM',
    output: 'a\u009b\n',
    problem: undefined,
  } as const;
  const run = recordWriter.run({
    hook: 'h',
    runId: 'r',
    key: 'k',
    attempt: 1,
    paths: 3,
    startMs: 0,
    endMs: 1500,
    outcome,
  });
  expect(parse(run)).toEqual({
    v: 1,
    type: 'run',
    time: '1970-01-01T00:00:01.500Z',
    hook: 'h',
    runId: 'r',
    key: 'k',
    attempt: 1,
    paths: 3,
    start: '1970-01-01T00:00:00.000Z',
    end: '1970-01-01T00:00:01.500Z',
    outcome: 'timedOut',
    signal: 'SIGTERM',
    output: 'a\u009b\n',
  });
  expect(run).toContain('a\\u009b\\n');
  expect(parse(recordWriter.overflow({ timeNs, count: 2 }))).toEqual({ v: 1, type: 'overflow', time, count: 2 });
  const coverage = { mount: pathFromText('/srv'), mode: 'sweep', sinceMs: 0, gaps: 3, reason: 'fuse' } as const;
  expect(parse(recordWriter.coverage({ timeNs, coverage, state: 'covered' }))).toEqual({
    v: 1,
    type: 'coverage',
    time,
    path: '/srv',
    state: 'covered',
    mode: 'sweep',
    since: '1970-01-01T00:00:00.000Z',
    gaps: 3,
    reason: 'fuse',
  });
  expect(coverageJson(coverage)).toEqual({
    mount: '/srv',
    mode: 'sweep',
    since: '1970-01-01T00:00:00.000Z',
    gaps: 3,
    reason: 'fuse',
    unseen: 'anything',
  });
  expect(parse(recordWriter.sweep({ timeNs, tier: 'rescan', entries: 5, drifts: 1, durationMs: 20 }))).toEqual({
    v: 1,
    type: 'sweep',
    time,
    tier: 'rescan',
    entries: 5,
    drifts: 1,
    durationMs: 20,
  });
  const sampled = { part: 0, parts: 7, trusted: 4 };
  expect(
    parse(recordWriter.sweep({ timeNs, tier: 'normal', entries: 5, drifts: 1, durationMs: 20, sampled })),
  ).toMatchObject({
    durationMs: 20,
    part: 1,
    parts: 7,
    trusted: 4,
  });
  expect(parse(recordWriter.lifecycle('start', { timeNs, generation: 1, detail: { pid: 9, type: 'x' } }))).toEqual({
    v: 1,
    type: 'start',
    time,
    generation: 1,
    pid: 9,
  });
  expect(incompleteJson({ path: pathFromText('/a'), errno: 255 })).toEqual({ path: '/a', incomplete: 'UNSTABLE' });
});

test('parts of records', () => {
  expect([0n, 999_999_999n, -1n, -1_000_000_000n, 2n ** 63n - 1n, -(2n ** 63n)].map(timeText)).toEqual([
    '1970-01-01T00:00:00.000000000Z',
    '1970-01-01T00:00:00.999999999Z',
    '1969-12-31T23:59:59.999999999Z',
    '1969-12-31T23:59:59.000000000Z',
    '2262-04-11T23:47:16.854775807Z',
    '1677-09-21T00:12:43.145224192Z',
  ]);
  expect([0n, 2n ** 53n - 1n, 2n ** 53n, -(2n ** 53n)].map(integerJson)).toEqual([
    0,
    2 ** 53 - 1,
    '9007199254740992',
    '-9007199254740992',
  ]);
  expect([0, 0x30, 0x8_0000, 0x100, 0x8000_0010].map(flagLetters)).toEqual(['', 'ia', 'e', '+0x100', 'i+0x80000000']);
  expect(jsonText({ a: '\x7f\x9b\u202e\u2028\x1b\n', b: undefined })).toBe(
    '{"a":"\\u007f\\u009b\\u202e\\u2028\\u001b\\n"}',
  );
});

test('actors, as much as is known', () => {
  expect(actorText(RECORD.actors[0]!)).toBe('useradd(812) uid 0 login 1000 in ssh.service');
  expect(actorText({ source: 'unknown' })).toBeUndefined();
  expect(actorText({ source: 'proc', pid: 5 })).toBe('pid 5');
  expect(actorText({ source: 'proc', exe: '/bin/\x1b[2J', uid: 1, loginUid: 1 })).toBe('\\e[2J uid 1');
});

test('records for a person', () => {
  expect(recordText(recordWriter.drift(RECORD), plain)).toBe(
    '2025-11-20T23:55:53Z  CHANGED  critical  /etc/passwd  mode size mtime digest xattrs flags  by useradd(812) uid 0 login 1000 in ssh.service',
  );
  expect(recordText(recordWriter.drift({ ...MOVED, path: pathFromLatin1('/\xff\n') }), plain)).toContain(
    '/etc/old -> /\\xff\\n  with 12 entries',
  );
  expect(recordText(recordWriter.resolved({ id: 'x', path: pathFromLatin1('/\xff'), timeNs: 0n }), plain)).toBe(
    '1970-01-01T00:00:00Z  RESOLVED  /\\xff  id x',
  );
  expect(
    recordText(recordWriter.sweep({ timeNs: 0n, tier: 'rescan', entries: 5, drifts: 1, durationMs: 20 }), plain),
  ).toBe('1970-01-01T00:00:00Z  SWEEP    tier rescan  entries 5  drifts 1  durationMs 20');
  const by = { source: 'proc', uid: 0 } as const;
  expect(
    recordText(
      recordWriter.accept({ timeNs: 0n, generation: 8, paths: [pathFromText('/a')], drifts: ['x', 'y'], by }),
      plain,
    ),
  ).toBe('1970-01-01T00:00:00Z  ACCEPT   generation 8  paths /a  drifts 2  by uid 0');
  for (const damaged of ['{"v":1', '[]', 'null', '{"type":"drift","time":3}', '\x1b[2J']) {
    expect(recordText(damaged, plain)).toMatch(/^\P{Cc}+$/u);
  }
});
