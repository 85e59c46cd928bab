// driftline journal: text, records, since when, and that nobody changed it.
import { expect } from 'vitest';
import { type Scratch, system, test } from './program.ts';

function acceptTwice(scratch: Scratch): void {
  scratch.init(scratch.tree);
  for (const name of ['one', 'two\u001b[31m']) {
    scratch.write(name);
    if (scratch.drive('accept', '--all').status !== 0) throw new Error('accept failed');
  }
}

test('text is for a person, --json is the records; --since starts later', ({ scratch }) => {
  acceptTwice(scratch);
  const text = scratch.drive('journal');
  expect([text.status, text.stderr]).toEqual([0, '']);
  const lines = text.stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(5);
  for (const line of lines.slice(3)) expect(line).toMatch(/two\\e\[31m/);
  const records = scratch
    .drive('journal', '--json')
    .stdout.trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(records.map(({ v, type, generation }) => [v, type, generation])).toEqual([
    [1, 'init', 1],
    [1, 'drift', 1],
    [1, 'accept', 2],
    [1, 'drift', 2],
    [1, 'accept', 3],
  ]);
  for (const { time } of records) expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
  expect(scratch.drive('journal', '--since', '1h', '--json').stdout).toBe(scratch.drive('journal', '--json').stdout);
  expect(scratch.drive('journal', '--since', '2100-01-01')).toMatchObject({ status: 0, stdout: '' });
});

test('--verify: 0 and a word; 65 and the record when one was changed, removed or added', ({ scratch }) => {
  acceptTwice(scratch);
  expect(scratch.drive('journal', '--verify')).toMatchObject({ status: 0, stdout: '' });
  expect(JSON.parse(scratch.drive('journal', '--verify', '--json').stdout)).toMatchObject({ ok: true });
  const copy = `${scratch.baseline}.copy`;
  system('cp', scratch.baseline, copy);
  for (const [statement, record] of [
    ["update journal set record = replace(record, 'one', 'six') where number = 2", 2],
    ['update journal set time_ms = time_ms - 1 where number = 1', 1],
    ['delete from journal where number = 2', 2],
    ['delete from journal where number = 3', 3],
    ['insert into journal select 6, time_ms, chain, record from journal where number = 5', 6],
  ] as const) {
    system('cp', copy, scratch.baseline);
    system('sqlite3', scratch.baseline, statement);
    const { status, stderr } = scratch.drive('journal', '--verify');
    expect([statement, status]).toEqual([statement, 65]);
    expect(stderr).toContain(`record ${record} does not fit the chain`);
  }
  // Reading stops at what does not fit, and says so; the check does not need the journal.
  system('cp', copy, scratch.baseline);
  system('sqlite3', scratch.baseline, "update journal set record = '{}' where number = 2");
  const read = scratch.drive('journal', '--json');
  expect(read.status).toBe(65);
  expect(read.stdout.trimEnd().split('\n')).toHaveLength(1);
  expect(scratch.check().status).toBe(0);
});
