// A large file that a move concerns is never judged alone: what was found of it goes back to where both names are compared.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { compileScope } from '../../../src/domain/rule.ts';
import { openCounterparts } from '../../../src/engine/counterparts.ts';
import { openInodeNames } from '../../../src/engine/inode-names.ts';
import { type LargeFiles, type LargeRead, openLargeFiles } from '../../../src/engine/large-files.ts';
import type { Disk } from '../../../src/engine/ports/disk.ts';
import { reconcile } from '../../../src/engine/reconcile.ts';
import { createManualClock } from '../../fakes/clock.ts';
import { digestOf, entry, path } from '../../fakes/entry.ts';
import { Ground } from './ground.ts';

const dirty = (name: string) => ({ path: path(name), subtree: false, actors: [], hasOthers: false, sinceMs: 0 });

let ground: Ground;
let files: LargeFiles;
let beforeRead: () => Promise<unknown>;
let readings: number;

beforeEach(async () => {
  ground = new Ground();
  await ground.start(entry('/r/large', { inode: 50n, sizeBytes: 100n * 1024n * 1024n }));
  beforeRead = () => Promise.resolve();
  readings = 0;
});
afterEach(() => ground.close());

/** Reads one file in the lane, and returns what is handed over. */
async function readOne(name: string): Promise<LargeRead | undefined> {
  const { disk, store, rules } = ground;
  const read: Disk['read'] = async (dir, names) => {
    readings += 1;
    const page = await disk.read(dir, names);
    await beforeRead();
    return page;
  };
  const scope = compileScope({ rules, ignore: [], own: [] });
  const names = openInodeNames({ store, clock: createManualClock(), onFull: () => {} });
  const parts = { disk, store, baseline: store.baseline, names, scope, openLargeDisk: () => ({ ...disk, read }) };
  await new Promise<void>((onDone, survive) => {
    files = openLargeFiles(parts, { onDone, again: () => {}, survive: (work) => work.catch(survive) });
    files.add([dirty(name)]);
    files.begin(new AbortController().signal);
  });
  let handed: LargeRead | undefined;
  await files.settle((one) => {
    handed = one;
    return Promise.resolve();
  });
  return handed;
}

async function move(): Promise<void> {
  ground.disk.move(path('/r/large'), path('/r/new'));
  expect(await ground.dirty('/r/large', '/r/new')).toEqual(['moved /r/large -> /r/new #1']);
}

test('a file that no move concerns is handed over with what it is like', async () => {
  ground.disk.set(entry('/r/large', { inode: 50n, sizeBytes: 100n * 1024n * 1024n, digest: digestOf('2') }));
  const handed = await readOne('/r/large');
  expect(handed?.found?.drifts.map(({ drift }) => drift.kind)).toEqual(['changed']);
  expect(files.isBusy).toBe(false);
});

test.each(['/r/large', '/r/new'])('a name of an open move is not read: %s', async (name) => {
  await move();
  expect(await readOne(name)).toMatchObject({ dirty: { path: name }, found: undefined });
  expect(readings).toBe(0);
});

test('what was read of a file is nothing when a move of it has been recorded meanwhile', async () => {
  beforeRead = move;
  expect(await readOne('/r/large')).toMatchObject({ dirty: { path: '/r/large' }, found: undefined });
  expect(readings).toBe(1);
});

test.each([false, true])('who went where a file came from is known only if that was told (%s)', async (isTold) => {
  const { disk, store, rules } = ground;
  const names = openInodeNames({ store, clock: createManualClock(), onFull: () => {} });
  await names.fill(new AbortController().signal);
  const parts = { disk, store, baseline: store.baseline, names, scope: compileScope({ rules, ignore: [], own: [] }) };
  disk.move(path('/r/large'), path('/r/new'));
  if (isTold) await ground.dirty('/r/large');
  const actors = [{ source: 'exec', pid: 7, exe: '/bin/mv' } as const];
  const found = await reconcile(parts, [{ ...dirty('/r/new'), actors }]);
  const { drifts } = await openCounterparts().complete(parts, found);
  expect(drifts).toMatchObject([{ drift: { kind: 'moved', from: '/r/large' }, actors, hasOthers: !isTold }]);
});
