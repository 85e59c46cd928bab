// Large files in a watch: everything else goes on while they are read.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import { briefs } from './brief.ts';
import type { Daemon, Fields } from './daemon.ts';
import { Site } from './site.ts';

let site: Site;

beforeEach((context) => {
  needCapabilities(context);
  site = new Site();
  // A hole of 2 GiB is read like anything else: the watch sees every byte of it.
  site.shell('truncate -s 2G large; echo 1 >small');
});
afterEach(async () => await site?.[Symbol.asyncDispose]());

const about = (name: string) => (record: Fields) => record['path'] === site.path(name);

/** Both are written within one batch, the large one first. */
async function writeBoth(daemon: Daemon): Promise<void> {
  site.shell('printf x | dd of=large bs=1 seek=2147483647 conv=notrunc status=none; echo 2 >>small');
  await daemon.record(about('small'));
}

test('the drift of a small file comes before that of a large one', async () => {
  const daemon = await site.begin();
  await writeBoth(daemon);
  await daemon.record(about('large'));
  // The records of one batch come in the order of their paths: these are of two.
  expect(daemon.records().map(({ path }) => path)).toEqual([site.path('small'), site.path('large')]);
  await daemon.until('nothing waits', () => site.json(['status'])['backlog'] === 0);
  expect(site.check()).toMatchObject({ exitCode: 4, changed: 2, moved: 0 });
});

test('a large file that is moved away while it is read is one move, and nothing is told twice', async () => {
  const daemon = await site.begin();
  site.shell('touch -d @1000000000 large; echo 2 >>small');
  await daemon.record(about('small'));
  site.shell('mv large moved');
  await daemon.record(about('moved'));
  await daemon.until('nothing waits', () => site.json(['status'])['backlog'] === 0);
  const told = briefs(daemon.records(), site.root);
  expect(told.at(-1)).toBe('moved moved from large: mtime');
  expect(told).not.toContain('removed large');
  expect(told).not.toContain('added moved');
  expect(site.check()).toMatchObject({ changed: 1, moved: 1, added: 0, removed: 0 });
});

test('a quick check beside it finds both, read or not', async () => {
  const daemon = await site.begin();
  await writeBoth(daemon);
  const { stdout, stderr } = site.driftline('check', '--quick', '--format', 'json');
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toMatchObject({ exitCode: 4, changed: 2, quick: { by: 'watch' } });
});

test('a stop does not wait for it, and the next start finds what was not read', async () => {
  const daemon = await site.begin();
  await writeBoth(daemon);
  expect(await daemon.stop()).toMatchObject({ code: 0, signal: null });
  await site.start();
  expect(site.json(['status'])).toMatchObject({ openDrift: { changed: 2 }, backlog: 0 });
});

test('what is accepted while it is read is accepted as a whole', async () => {
  const daemon = await site.begin();
  await writeBoth(daemon);
  expect(site.driftline('accept', '--all').status).toBe(0);
  expect(site.check()).toMatchObject({ exitCode: 0 });
  await daemon.until('nothing waits', () => site.json(['status'])['backlog'] === 0);
  expect(site.json(['status'])).toMatchObject({ openDrift: { changed: 0 } });
});
