// Very much changes at once: the watch tells all of it, never has all that is known of it in memory, and gives back what it took.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import { Site } from './site.ts';

const DIRECTORIES = 300;
const FILES = 100;
/** Compared as a whole, this storm took 450 MiB; in slices it takes some 200 MiB, of which 130 MiB are there before. */
const PEAK_MIB = 350;
/** Some 120 MiB; where memory was kept until it was needed for something else, 200 MiB. */
const AFTERWARDS_MIB = 165;

let site: Site;

beforeEach((context) => {
  needCapabilities(context);
  site = new Site();
});
afterEach(async () => await site?.[Symbol.asyncDispose]());

function write(text: string): void {
  for (let dir = 0; dir < DIRECTORIES; dir += 1) {
    for (let file = 0; file < FILES; file += 1) writeFileSync(site.path(`d${dir}/f${file}`), text);
  }
}

function memoryMiB(pid: number, field: 'VmHWM' | 'VmRSS'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024;
}

test(`${DIRECTORIES * FILES} files that are rewritten at once are told, with less than ${PEAK_MIB} MiB`, async () => {
  for (let dir = 0; dir < DIRECTORIES; dir += 1) mkdirSync(site.path(`d${dir}`));
  write('before');
  const daemon = await site.begin({ toFile: true });
  write('afterwards');
  const paths = new Set<unknown>();
  let seen = 0;
  await daemon.until('all files are told', () => {
    for (const { path } of daemon.records().slice(seen)) paths.add(path);
    seen = daemon.records().length;
    return paths.size >= DIRECTORIES * FILES;
  });
  await daemon.until('nothing waits', () => {
    // On a busy machine it may be late with its answer.
    const { healthy, backlog } = site.json(['status'], [0, 8]);
    return healthy === true && backlog === 0;
  });
  expect(memoryMiB(daemon.pid, 'VmHWM')).toBeGreaterThan(50);
  expect(memoryMiB(daemon.pid, 'VmHWM')).toBeLessThan(PEAK_MIB);
  await daemon.until('what the storm took is given back', () => memoryMiB(daemon.pid, 'VmRSS') < AFTERWARDS_MIB);
  expect(site.check()).toMatchObject({ exitCode: 4, changed: DIRECTORIES * FILES, added: 0, removed: 0 });
}, 300_000);
