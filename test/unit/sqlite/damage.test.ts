// Bit rot: whatever bit of the file flips, the baseline is what it was or it is refused.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { errorCode } from '../../../src/domain/errors.ts';
import type { BytePath } from '../../../src/domain/path.ts';
import type { Store } from '../../../src/engine/ports/store.ts';
import { openStore } from '../../../src/sqlite/store.ts';
import { contentOf, drift, rebuildWith } from '../../contract/store.ts';
import { entry, path } from '../../fakes/entry.ts';
import { hash, openAt, temporaryDirectory } from './fixture.ts';

const FLIPS = 300;
const ENTRIES = Array.from({ length: 300 }, (_, n) => entry(`/d${n % 40}/file-${n}`));

/** All that a reader can ask, by scan and by look-up. */
function everything(store: Store): string {
  const { generation, entries, roots } = store.baseline.info();
  const content = [...contentOf(store)];
  const found = ENTRIES.map((each) => store.baseline.find(each.path)?.sizeBytes);
  const runs = Array.from({ length: 40 }, (_, n) => store.baseline.run(path(`/d${n}`)).toString('latin1'));
  const journal = [store.journal.firstBroken(), ...store.journal.read()];
  const all = { generation, entries, roots, content, found, runs, journal, drift: [...store.openDrift()] };
  return JSON.stringify(all, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

test(`${FLIPS} flipped bits never give other data`, { timeout: 60_000 }, () => {
  const dir = temporaryDirectory();
  const store = openAt(`${dir}/good.db`, 'create');
  rebuildWith(store, ENTRIES, ['{"a":1}', '{"b":2}']);
  store.commit({ openDrift: Array.from({ length: 20 }, (_, n) => drift(`/d${n}/x`)), journal: ['{"c":3}'] });
  const good = everything(store);
  store.close();
  const bytes = readFileSync(`${dir}/good.db`);
  const outcomes = { same: 0, refused: 0 };
  const random = generator(20_260_101);
  for (let flip = 0; flip < FLIPS; flip += 1) {
    const bit = random() % (bytes.length * 8);
    const damaged = Buffer.from(bytes);
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    const file = `${dir}/${flip}.db`;
    writeFileSync(file, damaged);
    const result = outcome(file);
    if (result === 'refused') outcomes.refused += 1;
    else {
      expect(firstDifference(result, good), `bit ${bit}`).toBeUndefined();
      outcomes.same += 1;
    }
  }
  // Both kinds have to occur, or nothing was tried: bits in free space and bits that matter.
  expect(outcomes.refused).toBeGreaterThan(FLIPS / 4);
  expect(outcomes.same).toBeGreaterThan(0);
});

/** Where two long texts part, with some of what follows. */
function firstDifference(a: string, b: string): unknown {
  if (a === b) return undefined;
  let at = 0;
  while (a[at] === b[at]) at += 1;
  return { at, is: a.slice(at - 60, at + 60), was: b.slice(at - 60, at + 60) };
}

function outcome(file: string): string {
  let store: Store | undefined;
  try {
    store = openStore({ path: file as BytePath, mode: 'read', hash });
    return everything(store);
  } catch (error) {
    expect(errorCode(error), String(error)).toBe('BASELINE_UNTRUSTED');
    return 'refused';
  } finally {
    store?.close();
  }
}

/** xorshift32: the same bits in every run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

test('an old log beside a newer file is refused, or has no effect', () => {
  const dir = temporaryDirectory();
  const store = openAt(`${dir}/a.db`, 'create');
  rebuildWith(store, ENTRIES);
  store.commit({ accept: { put: [entry('/d1/file-1', { sizeBytes: 99n })], drop: [] } });
  copyFileSync(`${dir}/a.db-wal`, `${dir}/b.db-wal`);
  for (let n = 0; n < 20; n += 1) store.commit({ accept: { put: [entry(`/d${n}/more`)], drop: [] } });
  const newest = everything(store);
  store.close();
  copyFileSync(`${dir}/a.db`, `${dir}/b.db`);
  expect(['refused', newest]).toContain(outcome(`${dir}/b.db`));
});
