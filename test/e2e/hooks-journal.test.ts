// alert-journal with the real journald, in a mount namespace with a /run of its own.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { driftRecord, hostileRecords, ndjson } from './drift-records.ts';
import { HOOKS, HOSTILE, Place, runHook } from './shipped.ts';

const JOURNALD = '/lib/systemd/systemd-journald';
const canRun = existsSync(JOURNALD) && existsSync('/etc/machine-id') && process.getuid?.() === 0;

/** journald makes its sockets, then reads the kernel's log for a while; --sync waits until it has written everything. */
const SCRIPT = `
  mount -t tmpfs none /run && mkdir -p /run/systemd/journal /run/log/journal
  ${JOURNALD} 2>/dev/null & daemon=$!
  i=0; until [ -S /run/systemd/journal/socket ]; do i=$((i + 1)); [ $i -lt 600 ] || exit 99; sleep 0.1; done
  "$1" <"$2/input" 2>"$2/stderr"; echo $? >"$2/status"
  journalctl --sync 2>/dev/null
  journalctl -D /run/log/journal -o json --no-pager SYSLOG_IDENTIFIER=driftline >"$2/entries"
  kill $daemon; wait $daemon
`;

let place: Place;

beforeEach(() => {
  place = new Place();
});
afterEach(() => place[Symbol.dispose]());

function write(input: string, settings: NodeJS.ProcessEnv = {}): Record<string, unknown>[] {
  writeFileSync(place.aside('input'), Buffer.from(input, 'latin1'));
  const args = ['-m', '--propagation', 'private', 'sh', '-c', SCRIPT, 'sh', join(HOOKS, 'alert-journal'), place.dir];
  const env = { ...process.env, DRIFTLINE_NODE: process.execPath, DRIFTLINE_KEY: 'k1', ...settings };
  const ran = spawnSync('unshare', args, { env, encoding: 'utf8' });
  expect(ran.status, ran.stderr).not.toBe(99);
  const lines = readFileSync(place.aside('entries'), 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** journalctl prints bytes that are no clean text as a list of numbers. */
function latin1(value: unknown): string {
  return Array.isArray(value) ? Buffer.from(value).toString('latin1') : Buffer.from(String(value)).toString('latin1');
}

describe.skipIf(!canRun)('alert-journal (needs root and systemd-journald)', () => {
  test('an entry for each record, paths as bytes', () => {
    const records = [
      ...hostileRecords('/srv'),
      driftRecord('/srv/to', { kind: 'moved', from: '/srv/from', severity: 'info', actor: { source: 'unknown' } }),
      { v: 1, type: 'resolved', time: '2026-11-21T08:00:00Z', id: 'x', path: '/srv/back' },
    ];
    const entries = write(ndjson(records));
    expect(readFileSync(place.aside('stderr'), 'utf8')).toBe('');
    expect(readFileSync(place.aside('status'), 'utf8')).toBe('0\n');
    const expected = [...HOSTILE.map((name) => `/srv/${name}`), '/srv/to', '/srv/back'];
    expect(entries.map((entry) => latin1(entry['DRIFTLINE_PATH']))).toEqual(expected);
    expect(entries[0]).toMatchObject({
      MESSAGE: 'critical changed /srv/-rf (digest size) by /usr/bin/vi (pid 812, uid 0, login 1000)',
      PRIORITY: '2',
      DRIFTLINE_KIND: 'changed',
      DRIFTLINE_CHANGED: 'digest size',
      DRIFTLINE_RULE: 'system',
      DRIFTLINE_EXE: '/usr/bin/vi',
      DRIFTLINE_LOGIN_UID: '1000',
      DRIFTLINE_KEY: 'k1',
    });
    expect(entries.at(-2)).toMatchObject({ PRIORITY: '6', DRIFTLINE_FROM: '/srv/from' });
    expect(entries.at(-1)).toMatchObject({ DRIFTLINE_KIND: 'resolved', MESSAGE: expect.stringMatching(/^resolved/) });
    expect(new Set(entries.map((entry) => entry['MESSAGE_ID'])).size).toBe(3);
    expect(JSON.parse(String(entries[0]?.['DRIFTLINE_RECORD']))).toEqual(records[0]);
  });

  test('a record longer than a datagram goes without itself; a limit is told', () => {
    const huge = driftRecord('/huge', { before: { xattrs: { a: 'x'.repeat(4_000_000) } } });
    const entries = write(ndjson([huge, driftRecord('/b'), driftRecord('/c')]), { DRIFTLINE_LIMIT: '2' });
    expect(entries.map((entry) => entry['DRIFTLINE_PATH'])).toEqual(['/huge', '/b', undefined]);
    expect(entries[0]).not.toHaveProperty('DRIFTLINE_RECORD');
    expect(entries[2]).toMatchObject({ MESSAGE: 'and 1 more drifts' });
  });
});

test('without a journal it is not now', () => {
  mkdirSync(place.aside('empty'));
  const ran = runHook('alert-journal', ndjson([driftRecord('/a')]), { SOCKET: place.aside('empty/socket') });
  expect(ran).toMatchObject({ status: 75, stderr: `alert-journal: ${place.aside('empty/socket')}: ENOENT\n` });
});
