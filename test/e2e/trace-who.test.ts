// Whom a trace names: processes that live for a millisecond, programs that follow one another in one process.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import type { Fields } from './daemon.ts';
import { Lab } from './lab.ts';

let lab: Lab;
beforeEach((context) => {
  needCapabilities(context);
  lab = new Lab();
});
afterEach(async () => await lab?.[Symbol.asyncDispose]());

const programOf = ({ comm }: Fields): unknown => comm;
const pathOf = ({ path }: Fields): string => String(path).split('/').at(-1) ?? '';
const share = (records: readonly Fields[], comms: readonly string[]): number =>
  records.filter((record) => comms.includes(String(programOf(record)))).length / records.length;

test.each([
  [['touch'], 'touch f-$i'],
  [['cp'], 'cp /bin/true f-$i'],
  [['dd'], 'dd if=/dev/zero of=f-$i bs=1 count=1 status=none'],
  // Of a process that is gone the program is known, not the link by which it was started.
  [['sh', 'dash', 'bash'], "sh -c ': >f-'$i"],
])('200 short-lived writers: %s', async (comms, line) => {
  const trace = await lab.start('--json', '-e', 'create', lab.at);
  lab.shell(`for i in {1..200}; do ${line}; done; : >end`);
  const records = (await lab.records(trace, '/end')).slice(0, -1);
  expect(records).toHaveLength(200);
  const known = share(records, comms);
  process.stdout.write(`${comms[0]}: ${Math.round(known * 200)} of 200 writers named\n`);
  expect(known).toBeGreaterThanOrEqual(0.99);
});

test('one process, several programs: each is named for what it did, and none for what another did', async () => {
  const trace = await lab.start('--json', '-e', 'create', lab.at);
  const chain = 'bash -c \': >bash-%d; exec dash -c "mkdir mkdir-%d; : >dash-%d; exec touch touch-%d"\'';
  lab.shell(`for i in {1..50}; do eval "$(printf ${JSON.stringify(chain)} $i $i $i $i)"; done; : >end`);
  const records = (await lab.records(trace, '/end')).slice(0, -1);
  expect(records).toHaveLength(200);
  const wrong = records.filter((record) => !pathOf(record).startsWith(`${programOf(record)}-`));
  process.stdout.write(`one pid, several programs: ${200 - wrong.length} of 200 right\n`);
  expect(wrong.length).toBeLessThanOrEqual(2);
});

test('whoever is not known is not guessed: a process that never executed anything', async () => {
  const trace = await lab.start('--json', '-e', 'create', lab.at);
  lab.shell('for i in {1..20}; do ( : >f-$i ); done; : >end');
  const records = (await lab.records(trace, '/end')).slice(0, -1);
  expect(records).toHaveLength(20);
  for (const record of records) expect([undefined, 'bash']).toContain(programOf(record));
  const unknown = records.filter((record) => programOf(record) === undefined);
  for (const record of unknown) expect(record).toMatchObject({ pid: expect.any(Number), actor: { source: 'unknown' } });
});

test('events of processes that were gone too soon to be compared are counted', async () => {
  const trace = await lab.start('-e', 'create', '--comm', 'no-such-name', lab.at);
  lab.shell('for i in {1..50}; do ( : >f-$i ); done');
  await trace.stop('SIGINT');
  expect(trace.stdout()).toBe('');
  const counted = Number(/(\d+) events of processes that were gone/.exec(trace.stderr())?.[1] ?? 0);
  expect(counted).toBeLessThanOrEqual(50);
});
