// Who did it: the program, its command line and user, also of processes that were gone before the event was read.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { missingCapability, needCapabilities } from '../kernel/capability.ts';
import type { Daemon, Fields } from './daemon.ts';
import { Site } from './site.ts';

let site: Site;
let daemon: Daemon;

beforeEach(needCapabilities);
beforeAll(async () => {
  if (missingCapability() !== undefined) return;
  site = new Site();
  site.shell('echo 1 >shared');
  daemon = await site.begin();
});
afterAll(async () => await site?.[Symbol.asyncDispose]());

const actorOf = (record: Fields | undefined): Fields => record?.['actor'] as Fields;
const share = (records: readonly Fields[], isRight: (actor: Fields) => boolean): number =>
  records.filter((record) => isRight(actorOf(record))).length / records.length;
const runs = (actor: Fields, program: string): boolean =>
  typeof actor['exe'] === 'string' && actor['exe'].endsWith(`/${program}`);

test('200 runs of sh -c: the program is known, and no command line is a wrong one', async () => {
  site.shell(`for i in {1..200}; do sh -c "echo $i >short-$i"; done`);
  const records = await daemon.settled();
  expect(records).toHaveLength(200);
  expect(share(records, (actor) => runs(actor, 'dash') || runs(actor, 'bash'))).toBeGreaterThanOrEqual(0.95);
  const known = records.filter((record) => actorOf(record)['cmdline'] !== undefined);
  for (const record of known) {
    const name = String(record['path']).split('/').at(-1);
    expect(actorOf(record)).toMatchObject({ cmdline: ['sh', '-c', expect.stringMatching(`>${name}$`)] });
  }
  // A process that lives for half a millisecond may be gone before a busy machine lets anybody look at it.
  process.stdout.write(`command line of sh -c: ${known.length} of 200\n`);
  expect(known.length).toBeGreaterThan(50);
});

test.each([
  ['sed', 'sed -i s/old/new/ old-$i', 'changed', 'old'],
  ['rm', 'rm old-$i', 'removed', 'old'],
  ['mv', 'mv old-$i new-$i', 'moved', 'new'],
  ['cp', 'cp /etc/hostname old-$i', 'changed', 'old'],
  ['touch', 'touch new-$i', 'added', 'new'],
  ['chmod', 'chmod 600 old-$i', 'changed', 'old'],
])('%s', async (program, line, kind, name) => {
  // A directory of its own for each try: none finds what another one left.
  const dir = site.shell('d=$(mktemp -d -p . XXXXXX); for i in {1..40}; do echo old >$d/old-$i; done; echo $d').trim();
  await daemon.settled();
  expect(site.driftline('accept', '--all').status).toBe(0);
  site.shell(`cd ${dir}; for i in {1..40}; do ${line}; done`);
  // On a busy machine a program may be seen half way: a temporary file, or an empty one. The last word counts.
  const last = new Map((await daemon.settled()).map((record) => [record['path'], record]));
  const records = [...last.values()].filter(({ path }) => String(path).includes(`/${name}-`));
  expect(records).toHaveLength(40);
  expect([...new Set(records.map((record) => record['kind']))]).toEqual([kind]);
  expect(share(records, (actor) => runs(actor, program))).toBeGreaterThanOrEqual(0.95);
});

test('another user, and the parents', async () => {
  // The user and the parents are read from /proc: the writer has to live until somebody has looked.
  site.shell("chmod 777 .; setpriv --reuid=65534 --regid=65534 --clear-groups sh -c 'echo 1 >by-nobody; sleep 1'");
  const records = await daemon.settled();
  const actor = actorOf(records.find(({ path }) => path === site.path('by-nobody')));
  expect(actor).toMatchObject({ uid: 65534, pid: expect.any(Number) });
  expect(runs(actor, 'dash') || runs(actor, 'bash')).toBe(true);
  expect(actor['ppids']).toContain(process.pid);
});

test('several writers of one batch: the last is the actor, all are told', async () => {
  site.shell('cp /etc/hostname shared; touch shared; chmod 600 shared');
  const [record, ...rest] = await daemon.settled();
  expect(rest).toEqual([]);
  expect(runs(actorOf(record), 'chmod')).toBe(true);
  const actors = record?.['actors'] as Fields[];
  expect(actors.map(({ exe }) => String(exe).split('/').at(-1))).toEqual(['cp', 'touch', 'chmod']);
});

test('nobody is blamed for what nobody was seen doing', async () => {
  await daemon.stop();
  site.shell('echo 1 >alone');
  daemon = await site.start();
  expect(actorOf(daemon.records().find(({ path }) => path === site.path('alone')))).toEqual({ source: 'unknown' });
});
