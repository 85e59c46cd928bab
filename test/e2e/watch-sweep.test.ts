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
