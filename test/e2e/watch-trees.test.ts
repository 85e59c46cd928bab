// A directory with very much in it comes, moves and goes: the watch goes through it in slices, with memory for one of them, and
// tells of others meanwhile.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import { Site } from './site.ts';

const DIRECTORIES = 30;
const FILES = 800;
const ENTRIES = DIRECTORIES * (FILES + 1);
/** Compared as a whole it took 330 MiB to tell of as many that came; in slices it takes some 230 MiB, of which 130 MiB are there before. */
const PEAK_MIB = 320;

let site: Site;

beforeEach((context) => {
  needCapabilities(context);
  site = new Site();
});
afterEach(async () => await site?.[Symbol.asyncDispose]());

function fill(top: string): void {
  for (let dir = 0; dir < DIRECTORIES; dir += 1) {
    mkdirSync(join(top, `d${dir}`), { recursive: true });
    for (let file = 0; file < FILES; file += 1) writeFileSync(join(top, `d${dir}/f${file}`), `${dir} ${file}`);
  }
}

function peakMiB(pid: number): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) / 1024;
}

test(`a directory with ${ENTRIES} entries that moved in is told in slices, and others in between`, async () => {
  const outside = join(site.outside, 'big');
  fill(outside);
  const daemon = await site.begin({ toFile: true });
  renameSync(outside, site.path('big'));
  await daemon.until('the first is told', () => daemon.records().length > 0);
  writeFileSync(site.path('other'), 'x');
  const paths = (): string[] => daemon.records().map(({ path }) => String(path));
  await daemon.until('all is told', () => new Set(paths()).size === ENTRIES + 2);
  expect(paths().indexOf(site.path('other'))).toBeLessThan(paths().length - 1);
  expect(peakMiB(daemon.pid)).toBeGreaterThan(50);
  expect(peakMiB(daemon.pid)).toBeLessThan(PEAK_MIB);
  expect(site.check()).toMatchObject({ exitCode: 1, added: ENTRIES + 2, removed: 0, changed: 0, moved: 0 });
  renameSync(site.path('big'), outside);
  await daemon.until(
    'it is over',
    () => (site.json(['status'])['openDrift'] as { readonly added: number }).added === 1,
  );
}, 300_000);

test(`a directory with ${ENTRIES} entries that moved is one drift, and what changed in it one more`, async () => {
  fill(site.path('old'));
  const daemon = await site.begin({ toFile: true });
  renameSync(site.path('old'), site.path('new'));
  writeFileSync(site.path('new/d0/f0'), 'edited');
  await daemon.until('the move is told', () => daemon.records().find(({ kind }) => kind === 'moved'));
  await daemon.until('nothing waits', () => site.json(['status'])['backlog'] === 0);
  const moves = daemon.records().filter(({ kind }) => kind === 'moved');
  expect(moves.at(-1)).toMatchObject({ path: site.path('new'), from: site.path('old'), entries: ENTRIES - 1 });
  expect(daemon.records().filter(({ kind }) => kind === 'removed' || kind === 'added')).toEqual([]);
  expect(site.check()).toMatchObject({ exitCode: 4, moved: 1, changed: 1, added: 0, removed: 0 });
}, 300_000);
