// A sweep that takes its time holds up nothing else.
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import type { Fields } from './daemon.ts';
import { Site } from './site.ts';

let site: Site;

beforeEach((context) => {
  needCapabilities(context);
  site = new Site({ filesystem: 'ext4' });
});
afterEach(async () => await site?.[Symbol.asyncDispose]());

/** The nice values of a process's threads, proc_pid_stat(5). */
function nices(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).map((tid) => {
    const fields = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return Number(fields[16]);
  });
}

test('a slow sweep, in a thread that takes what is left, while changes are told at once', async () => {
  const file = site.path('large');
  writeFileSync(file, Buffer.alloc(8 * 1024 * 1024, 'x'));
  const fd = openSync(file, 'r');
  fsyncSync(fd);
  closeSync(fd);
  // A minute and a half of reading.
  site.configure({ watch: { sweep: { critical: 'off', normal: '1s', maxRate: '100kB/s' } } });
  const daemon = await site.begin();
  const running = (): boolean => (site.json(['status'])['sweep'] as { normal: { running: boolean } }).normal.running;
  await daemon.until('a sweep', running);
  await daemon.until('its thread', () => nices(daemon.pid).filter((nice) => nice === 19).length === 1);
  site.shell('echo y >new; echo z >>large');
  const found: Fields[] = await daemon.settled();
  expect(found.map(({ kind, path }) => `${kind} ${path}`).sort()).toEqual([
    `added ${site.path('new')}`,
    `changed ${file}`,
  ]);
  expect(running()).toBe(true);
  expect(await daemon.stop()).toMatchObject({ code: 0 });
});

/** Behind the back of the filesystem: the size, the times and the inode stay as they are. */
function writeRaw(name: string): void {
  const before = site.shell(`stat -c "%s %Y %Z %i" ${name}`);
  site.shell(`
    device=$(findmnt -no SOURCE -T .)
    block=$(debugfs -R 'blocks /root/${name}' $device 2>/dev/null | cut -d' ' -f1)
    size=$(stat -fc %S .)
    head -c $size /dev/zero | tr '\\0' b | dd of=$device bs=$size seek=$block oflag=direct conv=notrunc status=none
    # Out of the page cache: what is in memory is not what lies on the disk.
    dd if=${name} of=/dev/null iflag=nocache count=0 status=none`);
  expect(site.shell(`stat -c "%s %Y %Z %i" ${name}`)).toBe(before);
}

const seed = (name: string): string => site.shell(`head -c 64K /dev/zero | tr "\\0" a >${name}; sync -f .`);

test('content that was written to the raw device is found, though nothing tells of it', async () => {
  site.configure({ watch: { sweep: { critical: 'off', normal: '1s', maxRate: 'off' } } });
  seed('raw');
  const daemon = await site.begin();
  writeRaw('raw');
  const found = await daemon.record(({ kind, path }) => kind === 'changed' && path === site.path('raw'));
  expect(found).toMatchObject({ changed: ['digest'], actor: { source: 'unknown' } });
});

test('content in parts: what looks different is found by any sweep, the rest within a round, over a restart', async () => {
  site.configure({ watch: { sweep: { critical: 'off', normal: '1s', content: '4s', maxRate: 'off' } } });
  site.shell('mkdir a b c d e f g h');
  for (const dir of 'abcdefgh') seed(`${dir}/raw`);
  const first = await site.begin();
  const normal = (): Fields[] => site.journal().filter(({ type, tier }) => type === 'sweep' && tier === 'normal');
  await first.until('a sweep', () => normal().length > 0);
  await first.stop();
  const before = normal();
  for (const dir of 'abcdefgh') writeRaw(`${dir}/raw`);
  const daemon = await site.start();
  await daemon.until('all of them', () => {
    const drifts = daemon.records().filter(({ type, kind }) => type === 'drift' && kind === 'changed');
    return new Set(drifts.map(({ path }) => path)).size >= 8;
  });
  const after = normal().slice(before.length);
  // The round goes on where it was.
  const parts = [...before, ...after].map(({ part }) => part);
  expect(parts).toEqual(parts.map((_, index) => (index % 4) + 1));
  for (const sweep of after) expect(sweep).toMatchObject({ parts: 4, trusted: expect.any(Number) });
  expect(after.some(({ trusted }) => Number(trusted) > 0)).toBe(true);
  const state = (site.json(['status'])['sweep'] as Record<string, Fields>)['normal'];
  expect(state).toMatchObject({ every: 1000, content: 4000, parts: 4 });
  expect(site.driftline('status').stdout).toMatch(
    /^sweep {5}normal {2}.*all content within 4s, (now|next) part [1-4] of 4$/m,
  );
});

test('what changes times alone is found by the next sweep, though it reads hardly any content', async () => {
  site.configure({ watch: { sweep: { critical: 'off', normal: '1s', content: '366d', maxRate: 'off' } } });
  site.shell('mkdir dir; echo 1 >dir/file');
  const daemon = await site.begin();
  site.shell('chattr +d dir/file');
  const found = await daemon.record(({ kind, path }) => kind === 'changed' && path === site.path('dir/file'));
  expect(found).toMatchObject({ changed: ['flags'], actor: { source: 'unknown' } });
});
