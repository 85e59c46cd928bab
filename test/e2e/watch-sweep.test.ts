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

test('content that was written to the raw device is found, though nothing tells of it', async () => {
  site.configure({ watch: { sweep: { critical: 'off', normal: '1s', maxRate: 'off' } } });
  site.shell('head -c 64K /dev/zero | tr "\\0" a >raw; sync -f .');
  const daemon = await site.begin();
  const before = site.shell('stat -c "%s %Y %Z %i" raw');
  site.shell(`
    device=$(findmnt -no SOURCE -T .)
    block=$(debugfs -R 'blocks /root/raw' $device 2>/dev/null | cut -d' ' -f1)
    size=$(stat -fc %S .)
    head -c $size /dev/zero | tr '\\0' b | dd of=$device bs=$size seek=$block oflag=direct conv=notrunc status=none
    # Out of the page cache: what is in memory is not what lies on the disk.
    dd if=raw of=/dev/null iflag=nocache count=0 status=none`);
  expect(site.shell('stat -c "%s %Y %Z %i" raw')).toBe(before);
  const found = await daemon.record(({ kind, path }) => kind === 'changed' && path === site.path('raw'));
  expect(found).toMatchObject({ changed: ['digest'], actor: { source: 'unknown' } });
});
