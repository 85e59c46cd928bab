// Accepting while a watch is running: through it, and only what was reported.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import { briefs } from './brief.ts';
import { Site } from './site.ts';

let site: Site;

beforeEach((context) => {
  needCapabilities(context);
  site = new Site();
  site.shell('for name in one two three; do echo $name >$name; done; mkdir dir; echo 1 >dir/in');
});
afterEach(async () => await site?.[Symbol.asyncDispose]());

const openDrift = (): unknown => {
  const { added, removed, changed, moved } = site.json(['status'])['openDrift'] as Record<string, number>;
  return { added, removed, changed, moved };
};
const NONE = { added: 0, removed: 0, changed: 0, moved: 0 };

test('a path, then all', async () => {
  const daemon = await site.begin();
  site.shell('echo 1 >>one; rm two; mv three four; mv dir tree; echo 1 >tree/new');
  await daemon.settled();
  expect(openDrift()).toEqual({ added: 1, removed: 1, changed: 1, moved: 2 });
  const accepted = site.driftline('accept', site.path('one'));
  expect(accepted).toMatchObject({ status: 0, stderr: expect.stringMatching(/accepted 1 drift: generation \d+/) });
  expect(openDrift()).toEqual({ added: 1, removed: 1, changed: 0, moved: 2 });
  expect(site.driftline('accept', '--all').status).toBe(0);
  expect(openDrift()).toEqual(NONE);
  expect(site.check()).toMatchObject({ exitCode: 0 });
  const accepts = site.journal().filter(({ type }) => type === 'accept');
  expect(accepts).toMatchObject([
    { paths: [{ path: site.path('one') }], drifts: [expect.any(String)] },
    { drifts: { length: 4 } },
  ]);
  expect(accepts[0]).toMatchObject({ by: { uid: 0 } });
  site.shell('echo 2 >>one');
  expect(briefs(await daemon.settled(), site.root)).toEqual(['changed one: size mtime digest']);
});

test('a drift by its id, and a report by its id', async () => {
  const daemon = await site.begin();
  site.shell('echo 1 >>one; echo 1 >>two');
  await daemon.settled();
  const { id } = await daemon.record(({ path }) => path === site.path('one'));
  expect(site.driftline('accept', '--report', String(id)).status).toBe(0);
  expect(openDrift()).toEqual({ ...NONE, changed: 1 });
  const reportId = site.check()['report'];
  expect(site.driftline('accept', '--report', String(reportId)).status).toBe(0);
  expect(openDrift()).toEqual(NONE);
});

test('either name of a move; of a moved directory just what moved, or all in it', async () => {
  const daemon = await site.begin();
  site.shell('mv one uno; mv two duo; mv dir tree; echo 2 >>tree/in; echo 1 >tree/evil');
  const [move] = (await daemon.settled()).filter(({ path }) => path === site.path('tree'));
  for (const name of ['one', 'duo']) expect(site.driftline('accept', site.path(name)).status).toBe(0);
  expect(openDrift()).toEqual({ added: 1, removed: 0, changed: 1, moved: 1 });
  expect(site.driftline('accept', '--report', String(move?.['id'])).status).toBe(0);
  expect(openDrift()).toEqual({ added: 1, removed: 0, changed: 1, moved: 0 });
  expect(site.check()).toMatchObject({ added: 1, changed: 1, removed: 0, moved: 0, exitCode: 5 });
  site.shell('echo 3 >>tree/in');
  expect(briefs(await daemon.settled(), site.root)).toEqual(['changed tree/in: size mtime digest']);
  expect(site.driftline('accept', site.path('dir')).status).toBe(0);
  expect(openDrift()).toEqual({ added: 1, removed: 0, changed: 1, moved: 0 });
  expect(site.driftline('accept', site.path('tree')).status).toBe(0);
  expect(openDrift()).toEqual(NONE);
  expect(site.check()).toMatchObject({ exitCode: 0 });
});

test('what changed after it was reported is refused', async () => {
  // The watch tells what it finds at its start, and then nothing for a long time.
  site.configure({ watch: { quiet: '1h', deadline: '1h' } });
  site.init();
  site.shell('echo 1 >>one; echo 1 >>two');
  const daemon = await site.start();
  const { id } = await daemon.record(({ path }) => path === site.path('one'));
  const reportId = site.check()['report'];
  site.shell('echo 2 >>one');
  for (const args of [[site.path('one')], ['--all'], ['--report', String(id)], ['--report', String(reportId)]]) {
    const refused = site.driftline('accept', ...args);
    expect(refused, args.join(' ')).toMatchObject({ status: 75, stderr: expect.stringContaining('hint: ') });
  }
  expect(site.driftline('accept', site.path('two')).status).toBe(0);
  expect(openDrift()).toEqual({ ...NONE, changed: 1 });
});

test('onDrift accept makes it the baseline, onDrift ignore does nothing', async () => {
  const daemon = await site.begin();
  await daemon.stop();
  site.configure({ rule: { onDrift: 'accept' } });
  const accepting = await site.start();
  site.shell('echo 1 >>one; rm two; mv dir tree; echo 1 >tree/new');
  const records = briefs(await accepting.settled(), site.root);
  expect(records).toEqual([
    'added tree/new',
    'changed one: size mtime digest',
    'moved tree from dir (1)',
    'removed two',
  ]);
  expect(openDrift()).toEqual(NONE);
  expect(site.check()).toMatchObject({ exitCode: 0 });
  site.shell('rm -r tree');
  expect(await accepting.settled()).toHaveLength(3);
  expect(site.check()).toMatchObject({ exitCode: 0 });
  await accepting.stop();

  site.configure({ rule: { onDrift: 'ignore' } });
  const ignoring = await site.start();
  site.shell('echo 2 >>one; echo 1 >new');
  expect(await ignoring.settled()).toEqual([]);
  expect(openDrift()).toEqual(NONE);
  expect(site.check()).toMatchObject({ exitCode: 0 });
});
