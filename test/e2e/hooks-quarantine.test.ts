// quarantine: what is copied, and what must not be touched.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type DriftRecord, driftRecord, ndjson } from './drift-records.ts';
import { filesBelow, HOSTILE, Place, type Ran, runHook, system } from './shipped.ts';

let place: Place;
let target: string;

beforeEach(() => {
  place = new Place();
  target = place.aside('quarantine');
});
afterEach(() => place[Symbol.dispose]());

const run = (records: readonly DriftRecord[], settings: Record<string, string> = {}): Ran =>
  runHook('quarantine', ndjson(records), { TARGET: target, ...settings });
const at = (record: DriftRecord): string => `${target}/2026-11-21/${record['id']}-1`;
const details = (record: DriftRecord) => JSON.parse(readFileSync(`${at(record)}/details.json`, 'utf8'));
const content = (record: DriftRecord): string => readFileSync(`${at(record)}/content`, 'utf8');

test('hostile names: content, record and digest, readable by the owner alone', () => {
  const records = HOSTILE.map((name) => {
    place.write(name, `of ${name}`);
    return driftRecord(`${place.tree}/${name}`);
  });
  expect(run(records)).toMatchObject({ status: 0, stderr: '' });
  for (const [index, record] of records.entries()) {
    const text = `of ${HOSTILE[index]}`;
    expect(content(record)).toBe(text);
    expect(JSON.parse(readFileSync(`${at(record)}/record.json`, 'utf8'))).toEqual(record);
    expect(details(record)).toMatchObject({ mode: '100644', sha256: createHash('sha256').update(text).digest('hex') });
  }
  expect(system('find', [target, '-type', 'f', '!', '-perm', '0400'])).toBe('');
  expect(system('find', [target, '-type', 'd', '-perm', '/077'])).toBe('');
  expect(readdirSync(`${target}/2026-11-21`)).toHaveLength(records.length);
});

test('a second attempt makes nothing again', () => {
  place.write('file', 'one');
  const record = driftRecord(`${place.tree}/file`);
  expect(run([record]).status).toBe(0);
  place.write('file', 'two');
  const next = { ...record, seq: 2 };
  expect(run([record, next]).status).toBe(0);
  expect(content(record)).toBe('one');
  expect(readFileSync(at(record).replace(/1$/, '2/content'), 'utf8')).toBe('two');
});

test('no link is followed, in no part of the path', () => {
  writeFileSync(place.aside('secret'), 'secret');
  mkdirSync(place.aside('secrets'));
  writeFileSync(place.aside('secrets/key'), 'secret');
  symlinkSync('../secret', `${place.tree}/link`);
  symlinkSync('../secrets', `${place.tree}/dir`);
  const [link, behind] = [driftRecord(`${place.tree}/link`), driftRecord(`${place.tree}/dir/key`)];
  expect(run([link, behind]).status).toBe(0);
  expect(details(link)).toMatchObject({ target: '../secret' });
  expect(details(behind)).toMatchObject({ problem: 'ENOTDIR' });
  expect(filesBelow(target).filter((name) => name.endsWith('content'))).toEqual([]);
});

test('pipes and sockets are not opened, what is gone or removed is no failure', () => {
  system('mkfifo', [`${place.tree}/pipe`]);
  const records = ['pipe', '', 'gone', 'gone/deep'].map((name) => driftRecord(`${place.tree}/${name}`));
  const removed = driftRecord(`${place.tree}/removed`, { kind: 'removed' });
  const resolved = { type: 'resolved', id: 'r', path: `${place.tree}/pipe` };
  expect(run([...records, removed, resolved])).toMatchObject({ status: 0, stderr: '' });
  expect(records.map((record) => details(record).problem)).toEqual([undefined, undefined, 'ENOENT', 'ENOENT']);
  expect(readdirSync(`${target}/2026-11-21`)).toHaveLength(records.length);
  expect(filesBelow(target).filter((name) => name.endsWith('content'))).toEqual([]);
});

test('long files are cut, many are counted', () => {
  place.write('long', 'x'.repeat(3_000_000));
  const records = [
    driftRecord(`${place.tree}/long`),
    driftRecord(`${place.tree}/long`),
    driftRecord(`${place.tree}/long`),
  ];
  const ran = run(records, { MAX_BYTES: '1500000', LIMIT: '2' });
  expect(ran).toMatchObject({ status: 0, stderr: 'quarantine: 1 more were not copied: DRIFTLINE_LIMIT is 2\n' });
  expect(statSync(`${at(records[0] ?? {})}/content`).size).toBe(1_500_000);
  expect(details(records[0] ?? {})).toMatchObject({ size: '3000000', bytes: 1_500_000 });
});

test('of the process, while it lives and is the one', () => {
  place.write('file');
  const child = spawn('sleep', ['1000'], { cwd: place.tree });
  try {
    const actor = { pid: child.pid, exe: process.execPath, source: 'exec' };
    const other = driftRecord(`${place.tree}/file`, { actor });
    const own = driftRecord(`${place.tree}/file`, { actor: { ...actor, pid: process.pid } });
    expect(run([other, own]).status).toBe(0);
    expect(details(other).process).toBeUndefined();
    expect(details(own).process).toMatchObject({ cwd: process.cwd(), cmdline: expect.any(Array) });
  } finally {
    child.kill('SIGKILL');
  }
});

test('an id that leads elsewhere does not', () => {
  place.write('file');
  expect(run([driftRecord(`${place.tree}/file`, { id: '../../pwn', time: '../..' })]).status).toBe(0);
  expect(readdirSync(`${target}/undated`)).toEqual(['______pwn-1']);
});

test.each([
  ['no target', { TARGET: '' }, 64],
  ['a relative one', { TARGET: 'x' }, 64],
  ['one that cannot be made', { TARGET: '/proc/x' }, 74],
])('%s', (_case, settings, status) => {
  place.write('file');
  expect(run([driftRecord(`${place.tree}/file`)], settings).status).toBe(status);
  expect(existsSync('/x')).toBe(false);
});
