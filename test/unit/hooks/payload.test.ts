import { describe, expect, test } from 'vitest';
import { type BytePath, pathFromLatin1 } from '../../../src/domain/path.ts';
import type { HookInput } from '../../../src/domain/settings.ts';
import type { HookBatch } from '../../../src/engine/ports/outbox.ts';
import { hookPayload } from '../../../src/hooks/payload.ts';
import { request } from './run-script.ts';

const HOSTILE = ['/srv/\n', '/srv/-rf', '/srv/$(touch pwn)', '/srv/\xff\xfe', `/srv/${'n'.repeat(255)}`, '/srv/ a  b '];

function batch(records: readonly object[], paths: readonly string[] = []): HookBatch {
  const lines = records.map((record) => JSON.stringify(record));
  const names = paths.map(pathFromLatin1) as BytePath[];
  return { key: 'K1', hook: 'mirror', attempts: 2, records: lines, paths: names, lastNumber: 1 };
}

function hookInput(given: HookBatch, stdin: HookInput): Uint8Array {
  return hookPayload(request([], {}, { stdin }).hook, given, 'R').input;
}

function hookEnvironment(given: HookBatch, runId: string): Readonly<Record<string, string>> {
  return hookPayload(request([]).hook, given, runId).environment;
}

function text(record: object): string {
  return Buffer.from(hookInput(batch([record]), 'text')).toString('utf8');
}

describe('paths0', () => {
  test('gives every path once, sorted by bytes, each ended by NUL', () => {
    const input = hookInput(batch([], [...HOSTILE, '/srv', ...HOSTILE]), 'paths0');
    const names = Buffer.from(input).toString('latin1').split('\0');
    expect(names.pop()).toBe('');
    expect(names).toEqual([...HOSTILE, '/srv'].sort());
  });

  test('keeps bytes that are not UTF-8', () => {
    expect(Buffer.from(hookInput(batch([], ['/\xff']), 'paths0'))).toEqual(Buffer.from([0x2f, 0xff, 0]));
  });

  test('of nothing is nothing', () => {
    for (const kind of ['paths0', 'moves0', 'ndjson', 'text', 'none'] as const) {
      expect(hookInput(batch([]), kind)).toHaveLength(0);
    }
  });
});

test('moves0 tells the names of moves in their order, then the paths', () => {
  const move = (from: string, path: string): object => ({ kind: 'moved', from, path });
  const records = [move('/z', '/b'), { kind: 'changed', path: '/c' }, { ...move('/x', '/?'), pathBytes: 'L/8=' }];
  const input = hookInput(batch(records, ['/z', '/b', '/c', '/x', '/\xff', '/b']), 'moves0');
  expect(Buffer.from(input).toString('latin1')).toBe('/z\0/b\0/x\0/\xff\0\0/b\0/c\0/x\0/z\0/\xff\0');
});

test('ndjson is the records, one to a line', () => {
  const records = [
    { v: 1, path: '/ä' },
    { v: 1, path: '/b' },
  ];
  const lines = Buffer.from(hookInput(batch(records), 'ndjson'))
    .toString('utf8')
    .split('\n');
  expect(lines.pop()).toBe('');
  expect(lines.map((line) => JSON.parse(line))).toEqual(records);
});

describe('text', () => {
  test('names severity, kind, path, attributes and actor', () => {
    const actor = { source: 'exec', pid: 812, exe: '/usr/sbin/useradd', uid: 0, loginUid: 1000 };
    const record = { kind: 'changed', severity: 'critical', path: '/etc/passwd', changed: ['digest', 'size'], actor };
    expect(text(record)).toBe(
      'critical changed /etc/passwd (digest size) by /usr/sbin/useradd (pid 812, uid 0, login 1000)\n',
    );
  });

  test('shows both names of a move and how much moved along', () => {
    const record = {
      kind: 'moved',
      severity: 'normal',
      from: '/a',
      path: '/b',
      entries: 3,
      actor: { source: 'unknown' },
    };
    expect(text(record)).toBe('normal moved /a -> /b (3 entries)\n');
  });

  test('is one line whatever the name', () => {
    const pathBytes = Buffer.from('/x\n\x1b[31m\xff', 'latin1').toString('base64');
    expect(text({ kind: 'added', severity: 'info', path: '/x?', pathBytes })).toBe('info added /x\\n\\e[31m\\xff\n');
    expect(text({ kind: 'added', severity: 'info', path: '/\u202egpj' })).toBe('info added /\\u202egpj\n');
  });

  test.each([
    [{ kind: 7, path: [], actor: null, changed: 'x' }],
    [{ actor: { pid: 'x', exe: 4 }, changed: [1, null] }],
    [[]],
  ])('survives a record with wrong types: %j', (record) => {
    expect(text(record)).toMatch(/^unknown unknown \?.*\n$/);
  });

  test('tells of drift that is gone', () => {
    expect(text({ type: 'resolved', id: '1', path: '/a\nb' })).toBe('resolved /a\\nb, as in the baseline again\n');
  });

  test('counts a line that is no JSON', () => {
    const broken = { ...batch([]), records: ['{"kind"'] };
    expect(Buffer.from(hookInput(broken, 'text')).toString()).toBe('unknown unknown ?\n');
    expect(hookEnvironment(broken, 'R')).toMatchObject({ DRIFTLINE_DRIFTS: '1', DRIFTLINE_SEVERITY: 'normal' });
  });
});

test('the environment counts, and is ASCII', () => {
  const records = [
    { kind: 'added', severity: 'info', rule: 'web site' },
    { kind: 'added', severity: 'critical', rule: 'système' },
    { kind: 'removed', severity: 'normal', rule: 'web site' },
    { kind: 'moved', severity: 'normal', rule: '100%' },
    { type: 'resolved' },
  ];
  const environment = hookEnvironment(batch(records, HOSTILE), 'R9');
  expect(environment).toEqual({
    DRIFTLINE_HOOK: 'mirror',
    DRIFTLINE_RUN_ID: 'R9',
    DRIFTLINE_KEY: 'K1',
    DRIFTLINE_ATTEMPT: '3',
    DRIFTLINE_PATHS: '6',
    DRIFTLINE_DRIFTS: '4',
    DRIFTLINE_ADDED: '2',
    DRIFTLINE_REMOVED: '1',
    DRIFTLINE_CHANGED: '0',
    DRIFTLINE_MOVED: '1',
    DRIFTLINE_RESOLVED: '1',
    DRIFTLINE_SEVERITY: 'critical',
    DRIFTLINE_RULES: '100%25 syst%C3%A8me web%20site',
  });
});
