// A file that is appended to without end, and files that come and go, by the bytes that the watch reads (proc_pid_io(5)).
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import type { Daemon, Fields } from './daemon.ts';
import { Site } from './site.ts';

const MEBIBYTE = 1024 * 1024;

let site: Site;

beforeEach((context) => {
  needCapabilities(context);
  site = new Site();
});
afterEach(async () => await site?.[Symbol.asyncDispose]());

function bytesRead({ pid }: Daemon): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'latin1'))?.[1]);
}

const digestOf = (record: Fields | undefined): unknown => (record?.['after'] as Fields | undefined)?.['digest'];

test('of a file that grows and grows only what is new is read, until everything is compared', async () => {
  site.configure({ watch: { sweep: { critical: 'off', normal: '5s', maxRate: 'off' } } });
  site.shell('head -c 32M /dev/zero | tr "\\0" a >log');
  const daemon = await site.begin();
  // Before the first sweep, by the way: the first reading of each thread is one of the whole file.
  const before = bytesRead(daemon);
  const looks = 20;
  for (let look = 0; look < looks; look += 1) {
    site.shell('echo more >>log');
    await daemon.settled();
  }
  const read = (bytesRead(daemon) - before) / MEBIBYTE;
  const sweeps = site.journal().filter(({ type, tier }) => type === 'sweep' && tier === 'normal').length;
  process.stdout.write(`${looks} appends to 32 MiB: ${read.toFixed(0)} MiB read, ${sweeps} sweeps\n`);
  // Each sweep reads it, and then the watch once more with each of its threads.
  expect(read).toBeLessThan(32 * (4 + 4 * (sweeps + 1)));
  // What was there before is changed, too: the sweep finds it.
  site.shell('printf X | dd of=log conv=notrunc status=none; echo more >>log');
  const wanted = digestOf((site.check()['drift'] as Fields[])[0]);
  expect(wanted).toMatch(/^[0-9a-f]{64}$/);
  await daemon.until('the digest', () => daemon.records().some((record) => digestOf(record) === wanted));
  expect(site.driftline('accept', '--all').status).toBe(0);
  expect(site.check()).toMatchObject({ exitCode: 0 });
});

test.each([
  ['by the threads that read everything', 32],
  ['in the lane of large files', 96],
])('of a log that may grow only what is new is read, and its old part once in a while: %s', async (_, mebibytes) => {
  site.configure({ rule: { attributes: ['mode', 'growing'] }, watch: { sweep: { critical: 'off', normal: 'off' } } });
  site.shell(`head -c ${mebibytes}M /dev/zero | tr "\\0" a >log`);
  const daemon = await site.begin();
  const [before, startMs] = [bytesRead(daemon), performance.now()];
  const looks = 30;
  for (let look = 0; look < looks; look += 1) {
    site.shell('echo more >>log');
    await daemon.settled();
  }
  const read = (bytesRead(daemon) - before) / MEBIBYTE;
  const seconds = (performance.now() - startMs) / 1000;
  process.stdout.write(
    `${looks} appends to ${mebibytes} MiB in ${seconds.toFixed(1)} s: ${read.toFixed(0)} MiB read\n`,
  );
  // Twice at the beginning and once more by each thread, again when it grows meanwhile; and the old part at 10 MB/s.
  expect(read).toBeLessThan(mebibytes * 8 + 10 * seconds);
  expect(site.check()).toMatchObject({ exitCode: 0 });
  // What was there before is changed and something is appended, twice; nobody writes after that.
  site.shell("python3 -c \"f = open('log', 'r+b'); f.write(b'X'); f.seek(0, 2); f.write(b'more')\"");
  await daemon.settled();
  site.shell('echo more >>log');
  const isTampering = ({ type, changed }: Fields): boolean => type === 'drift' && String(changed) === 'digest';
  await daemon.until('the tampering', () => daemon.records().some(isTampering));
  const told = daemon.records().filter(isTampering);
  expect(told.map((record) => JSON.stringify(record['actors'] ?? record['actor']))).toContainEqual(
    expect.stringContaining('python3'),
  );
  // Whatever is appended meanwhile is no other drift.
  site.shell('echo more >>log');
  await daemon.settled();
  expect(site.driftline('accept', site.path('log')).status).toBe(0);
  expect(site.check()).toMatchObject({ exitCode: 0 });
});

test('a storm of files that come and go costs no hashing', async () => {
  const daemon = await site.begin();
  await daemon.settled();
  const before = bytesRead(daemon);
  // 200 MiB of content.
  const storm = `import os
for i in range(2000):
    with open(f't-{i % 50}', 'wb') as file: file.write(bytes(100 * 1024))
    os.unlink(f't-{i % 50}')`;
  site.shell(`python3 -c "${storm}"`);
  await daemon.settled();
  const read = (bytesRead(daemon) - before) / MEBIBYTE;
  process.stdout.write(`2,000 files of 100 KiB that come and go: ${read.toFixed(1)} MiB read\n`);
  expect(read).toBeLessThan(20);
  expect(site.check()).toMatchObject({ exitCode: 0 });
});
