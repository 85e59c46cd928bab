// Random changes by several processes. At the end the watch must know what a check finds, and of a mirror that it fed rsync
// must find nothing to do. DRIFTLINE_CHURN_MS=600000 and DRIFTLINE_CHURN_SEED=7 make it longer, and the same again.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import { brief } from './brief.ts';
import type { Fields } from './daemon.ts';
import { Site } from './site.ts';

const CHURN_MS = Number(process.env['DRIFTLINE_CHURN_MS'] ?? 30_000);
const WORKER = join(import.meta.dirname, 'churn-worker.mjs');
const SEED = Number(process.env['DRIFTLINE_CHURN_SEED'] ?? Date.now() % 1_000_000);

let site: Site;

beforeEach(needCapabilities);
afterEach(async () => await site?.[Symbol.asyncDispose]());

test(`seed ${SEED}`, { timeout: CHURN_MS + 120_000 }, async () => {
  site = new Site();
  const mirrored = join(site.mount, 'mirrored');
  const target = join(site.scratch.dir, 'target');
  // Where rsync writes before it renames: what it leaves there when it gives up is not of the mirror.
  const unfinished = join(site.scratch.dir, 'unfinished');
  for (const dir of [mirrored, target, unfinished]) mkdirSync(dir);
  // What changes under rsync's hands makes it fail, again and again: that must neither end in a pause nor in giving up.
  const retry = { attempts: 100, backoff: '100ms..1s' };
  const options = ['--checksum', `--temp-dir=${unfinished}`];
  const mirror = { use: 'rsync-mirror', with: { source: mirrored, target, options }, quiet: '100ms', retry };
  site.configure({ hooks: { mirror }, watch: { quiet: '50ms', deadline: '500ms' } }, [
    { name: 'mirrored', paths: [mirrored], onDrift: 'accept', hooks: ['mirror'] },
  ]);
  site.shell(`for root in . ${mirrored}; do for d in d{0..5} d{0..5}/d{0..5}; do mkdir $root/$d
    for f in f{0..23}; do echo $d $f >$root/$d/$f; done; done; done; rsync -a ${mirrored}/ ${target}/`);
  const daemon = await site.begin({ toFile: true });

  const workers = [site.root, site.root, mirrored, mirrored].map((root, index) => churn(SEED + index, root));
  const counts = await Promise.all(workers);
  expect(Math.min(...counts)).toBeGreaterThan(CHURN_MS / 120);
  await daemon.settled();
  await daemon.settled();

  const check = site.check();
  const found = (check['drift'] as Fields[]).map(withoutRecord).sort();
  const open = openDrift(site.journal()).map(withoutRecord).sort();
  expect(open).toEqual(found);
  expect(found.length).toBeGreaterThan(100);
  await daemon.until('the mirror to be fed', () => idle());
  expect(differences(mirrored, target)).toEqual([]);
  expect(site.driftline('journal', '--verify').status).toBe(0);
  process.stdout.write(`${counts.reduce((a, b) => a + b)} changes, ${daemon.records().length} records\n`);
});

function churn(seed: number, root: string): Promise<number> {
  const worker = spawn(process.execPath, [WORKER, String(seed), root, String(CHURN_MS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  worker.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    worker.once('close', (code) =>
      code === 0 ? resolve(Number(text)) : reject(new Error(`seed ${seed}: exit ${code}`)),
    );
  });
}

/** What a drift says, without when and under which id. */
const withoutRecord = (record: Fields): string => brief(record, site.mount);

function idle(): boolean {
  const [mirror] = site.json(['status'])['hooks'] as Fields[];
  return mirror?.['pending'] === 0 && mirror['running'] === false;
}

/** The last word on each drift. */
function openDrift(journal: readonly Fields[]): Fields[] {
  const open = new Map<unknown, Fields>();
  for (const record of journal) {
    if (record['type'] === 'drift' && record['rule'] === 'site') open.set(record['id'], record);
    if (record['type'] === 'resolved') open.delete(record['id']);
  }
  return [...open.values()];
}

/** What rsync would still do, down to the bytes. Times of directories are no drift, so the mirror does not hear of them. */
function differences(source: string, target: string): string[] {
  const args = ['-rlptgoD', '--omit-dir-times', '--checksum', '--delete', '-n', '-i', `${source}/`, `${target}/`];
  const { status, stdout } = spawnSync('rsync', args, { encoding: 'utf8' });
  expect(status).toBe(0);
  return stdout.split('\n').filter((line) => line !== '');
}
