// Dirty paths to drift, over a disk in memory and a real baseline.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openHasher } from '../../../src/disk/digest.ts';
import type { Entry } from '../../../src/domain/entry.ts';
import { pathFromText } from '../../../src/domain/path.ts';
import { compileScope, type Rule } from '../../../src/domain/rule.ts';
import { ulid } from '../../../src/domain/ulid.ts';
import { accept } from '../../../src/engine/accept.ts';
import { init } from '../../../src/engine/init.ts';
import type { Store } from '../../../src/engine/ports/store.ts';
import { reconcile } from '../../../src/engine/reconcile.ts';
import { recordDrift } from '../../../src/engine/recorder.ts';
import { openStore } from '../../../src/sqlite/store.ts';
import { createManualClock } from '../../fakes/clock.ts';
import { createFakeDisk, type FakeDisk } from '../../fakes/disk.ts';
import { digestOf, entry, path } from '../../fakes/entry.ts';
import { silentRecords, silentReporter } from '../../fakes/records.ts';
import { rule } from '../../fakes/rule.ts';

const hash = openHasher();
let directory: string;
let store: Store;
let disk: FakeDisk;
let rules: Rule[];
let said: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'driftline-reconcile-'));
  store = openStore({ path: pathFromText(join(directory, 'b.db')), mode: 'create', hash });
  rules = [rule('all', ['/r'], { hooks: ['mirror'] })];
  said = [];
});
afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true, force: true });
});

const dir = (name: string, inode: bigint): Entry => entry(name, { type: 'directory', inode });

async function start(...entries: Entry[]): Promise<void> {
  disk = createFakeDisk([dir('/r', 1n), ...entries]);
  const nothing = (): void => {};
  await init(disk, store, {
    roots: [path('/r')],
    signal: new AbortController().signal,
    onPage: nothing,
    onIncomplete: nothing,
    record: () => '{}',
  });
}

/** Says that the paths (a trailing slash: whole trees) are dirty; returns what was recorded. */
async function dirty(...names: string[]): Promise<string[]> {
  const parts = { disk, baseline: store.baseline, scope: compileScope({ rules, ignore: [], own: [] }), store };
  const list = names.map((name) => ({
    path: path(name.replace(/(.)\/$/, '$1')),
    subtree: name.endsWith('/'),
    actors: [],
  }));
  said = [];
  const reporter = {
    ...silentReporter,
    drift: ({ kind, path: at, from, seq }: { kind: string; path: string; from: string | undefined; seq: number }) =>
      said.push(`${kind} ${from === undefined ? '' : `${from} -> `}${at} #${seq}`),
    resolved: ({ path: at }: { path: string }) => said.push(`resolved ${at}`),
  };
  const recorder = {
    ...parts,
    records: silentRecords,
    reporter,
    clock: createManualClock(),
    newId: (ms: number) => ulid(ms, new Uint8Array(10)),
  };
  recordDrift(recorder, await reconcile(parts, list));
  return said;
}

function outboxPaths(): string[] {
  const batch = store.outbox.claim('mirror');
  if (batch !== undefined) store.outbox.settle(batch.key, { kind: 'done' }, []);
  return [...(batch?.paths ?? [])];
}

test('one path: changed, changed again, back again', async () => {
  await start(entry('/r/a'));
  expect(await dirty('/r/a')).toEqual([]);
  disk.set(entry('/r/a', { digest: digestOf('2') }));
  expect(await dirty('/r/a')).toEqual(['changed /r/a #1']);
  expect(await dirty('/r/a')).toEqual([]);
  disk.set(entry('/r/a', { digest: digestOf('3') }));
  expect(await dirty('/r/a')).toEqual(['changed /r/a #2']);
  disk.set(entry('/r/a'));
  expect(outboxPaths()).toEqual(['/r/a']);
  expect(await dirty('/r/a')).toEqual(['resolved /r/a']);
  expect(outboxPaths()).toEqual(['/r/a']);
  expect([...store.openDrift()]).toEqual([]);
});

test('what came and went again is not left open', async () => {
  await start();
  disk.set(entry('/r/new'));
  expect(await dirty('/r/new')).toEqual(['added /r/new #1']);
  disk.remove(path('/r/new'));
  expect(await dirty('/r/new')).toEqual(['resolved /r/new']);
});

test('a directory that appears brings its contents, one record each', async () => {
  await start();
  disk.set(dir('/r/d', 5n));
  disk.set(entry('/r/d/x', { inode: 6n }));
  expect(await dirty('/r/d')).toEqual(['added /r/d #1', 'added /r/d/x #1']);
});

test('a directory that goes takes its contents along', async () => {
  await start(dir('/r/d', 5n), entry('/r/d/x', { inode: 6n }));
  disk.remove(path('/r/d'));
  expect(await dirty('/r/d')).toEqual(['removed /r/d #1', 'removed /r/d/x #1']);
  expect(outboxPaths()).toEqual(['/r/d', '/r/d/x']);
});

test('a moved directory is one record; hooks hear both names of everything in it', async () => {
  await start(dir('/r/d', 5n), entry('/r/d/x', { inode: 6n }));
  disk.move(path('/r/d'), path('/r/e'));
  expect(await dirty('/r/d/', '/r/e/')).toEqual(['moved /r/d -> /r/e #1']);
  expect(outboxPaths()).toEqual(['/r/d', '/r/d/x', '/r/e', '/r/e/x']);
});

test('moved, and moved on: the same drift says where it is now', async () => {
  await start(entry('/r/a', { inode: 6n }));
  disk.move(path('/r/a'), path('/r/b'));
  expect(await dirty('/r/a', '/r/b')).toEqual(['moved /r/a -> /r/b #1']);
  disk.move(path('/r/b'), path('/r/c'));
  expect(await dirty('/r/b', '/r/c')).toEqual(['moved /r/a -> /r/c #2']);
  disk.move(path('/r/c'), path('/r/a'));
  expect(await dirty('/r/c', '/r/a')).toEqual(['resolved /r/c']);
});

test('a file edited inside a moved directory is told under both names', async () => {
  await start(dir('/r/d', 5n), entry('/r/d/x', { inode: 6n }), entry('/r/d/y', { inode: 7n }));
  disk.move(path('/r/d'), path('/r/e'));
  await dirty('/r/d/', '/r/e/');
  disk.set(entry('/r/e/x', { inode: 6n, digest: digestOf('edited') }));
  expect(await dirty('/r/e/x')).toEqual(['moved /r/d -> /r/e #2', 'changed /r/d/x -> /r/e/x #1']);
});

test('a directory that becomes a file loses what was in it', async () => {
  await start(dir('/r/d', 5n), entry('/r/d/x', { inode: 6n }));
  disk.remove(path('/r/d'));
  disk.set(entry('/r/d', { inode: 9n }));
  expect(await dirty('/r/d')).toEqual(['changed /r/d #1', 'removed /r/d/x #1']);
});

test('a directory above a rule path: renamed away, covered, and renamed back', async () => {
  rules = [rule('www', ['/r/x/www'], { hooks: ['mirror'] })];
  await start(dir('/r/x', 4n), dir('/r/x/www', 5n), entry('/r/x/www/index', { inode: 6n }));
  disk.move(path('/r/x'), path('/r/y'));
  expect(await dirty('/r/x/', '/r/y/')).toEqual(['removed /r/x/www #1', 'removed /r/x/www/index #1']);
  expect(outboxPaths()).toEqual(['/r/x/www', '/r/x/www/index']);
  disk.set(dir('/r/x', 7n));
  disk.set(dir('/r/x/www', 8n));
  expect(await dirty('/r/x/')).toEqual(['resolved /r/x/www']);
  disk.remove(path('/r/x'));
  disk.move(path('/r/y'), path('/r/x'));
  disk.set(entry('/r/x/www/new', { inode: 9n }));
  expect(await dirty('/r/y/', '/r/x/')).toEqual(['added /r/x/www/new #1', 'resolved /r/x/www/index']);
});

test('what cannot be read keeps its drift open and is not taken for gone', async () => {
  await start(dir('/r/d', 5n), entry('/r/d/x', { inode: 6n }));
  disk.set(entry('/r/d/x', { inode: 6n, digest: digestOf('2') }));
  await dirty('/r/d/x');
  disk.fail(path('/r/d'), 5);
  expect(await dirty('/r/d/x', '/r/d/')).toEqual([]);
  expect([...store.openDrift()]).toHaveLength(1);
});

test('onDrift accept makes it the baseline, ignore says nothing', async () => {
  rules = [rule('web', ['/r'], { onDrift: 'accept' }), rule('noise', ['/r/tmp'], { onDrift: 'ignore' })];
  await start(dir('/r/tmp', 5n));
  disk.set(entry('/r/a'));
  disk.set(entry('/r/tmp/x'));
  expect(await dirty('/r/a', '/r/tmp/x')).toEqual(['added /r/a #1']);
  expect([...store.openDrift()]).toEqual([]);
  expect(store.baseline.info().generation).toBe(2);
  expect(store.baseline.find(path('/r/a'))).toBeDefined();
  expect(await dirty('/r/a')).toEqual([]);
});

test('accept takes what was reported and refuses what changed since', async () => {
  await start(entry('/r/a'), entry('/r/b', { inode: 43n }));
  disk.set(entry('/r/a', { digest: digestOf('2') }));
  disk.set(entry('/r/b', { inode: 43n, mode: 0o600 }));
  await dirty('/r/a', '/r/b');
  const scope = compileScope({ rules, ignore: [], own: [] });
  const parts = {
    disk,
    baseline: store.baseline,
    scope,
    store,
    records: silentRecords,
    clock: createManualClock(),
    hash,
  };
  const request = { paths: [path('/r/a')], report: undefined, reviewed: undefined, by: { source: 'unknown' as const } };
  disk.set(entry('/r/a', { digest: digestOf('3') }));
  await expect(accept(parts, request)).rejects.toMatchObject({ code: 'STALE' });
  expect(store.baseline.info().generation).toBe(1);
  await dirty('/r/a');
  expect((await accept(parts, request)).accepted).toHaveLength(1);
  expect([...store.openDrift()].map(({ key }) => key)).toEqual(['/r/b']);
  const [left] = [...store.openDrift()];
  expect((await accept(parts, { ...request, paths: [], report: left?.id })).generation).toBe(3);
  await expect(accept(parts, { ...request, paths: [], report: 'nonsense' })).rejects.toMatchObject({ code: 'STALE' });
});

test('accepting a moved directory moves its entries in the baseline', async () => {
  await start(dir('/r/d', 5n), dir('/r/d/s', 7n), entry('/r/d/s/x', { inode: 6n }));
  disk.move(path('/r/d'), path('/r/e'));
  await dirty('/r/d/', '/r/e/');
  const scope = compileScope({ rules, ignore: [], own: [] });
  const parts = {
    disk,
    baseline: store.baseline,
    scope,
    store,
    records: silentRecords,
    clock: createManualClock(),
    hash,
  };
  await accept(parts, { paths: [], report: undefined, reviewed: undefined, by: { source: 'unknown' } });
  expect(store.baseline.find(path('/r/e/s/x'))?.inode).toBe(6n);
  expect(store.baseline.find(path('/r/d/s/x'))).toBeUndefined();
  expect(store.baseline.info().entries).toBe(4);
  expect(await dirty('/r/')).toEqual([]);
});
