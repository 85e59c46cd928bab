// Of very much that waits, a claim reads no more than a batch may hold.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ClaimOptions, WaitingItem } from '../../../src/engine/ports/outbox.ts';
import type { Store } from '../../../src/engine/ports/store.ts';
import { openStore } from '../../../src/sqlite/store.ts';
import { path } from '../../fakes/entry.ts';
import { temporaryDirectory } from './fixture.ts';

const WINDOW = 5_000;
const item = (name: string) => ({ hook: 'a', record: '{}', paths: [path(name)] });

/** A baseline that counts the rows whose seals are verified: those that were read. */
function counting(): { readonly store: Store; readonly reads: (work: () => void) => number } {
  let seals = 0;
  const hash = (bytes: Uint8Array): Uint8Array => {
    seals += 1;
    return createHash('sha256').update(bytes).digest();
  };
  const store = openStore({ path: path(join(temporaryDirectory(), 'b.db')), mode: 'create', hash });
  onTestFinished(() => store.close());
  const reads = (work: () => void): number => {
    const before = seals;
    work();
    return seals - before;
  };
  return { store, reads };
}

/** Items /d/0, /d/1, ... on their way to hook `a`. */
function wait(store: Store, count: number): void {
  store.commit({ outbox: Array.from({ length: count }, (_, n) => item(`/d/${n}`)) });
}

const numbered = (upTo: number): NonNullable<ClaimOptions['drop']> => {
  return (waiting: readonly WaitingItem[]) => new Set(waiting.map(({ number }) => number).filter((n) => n <= upTo));
};

test('a batch of ten out of 100,000 items reads one window, and so does each that follows', {
  timeout: 120_000,
}, () => {
  const { store, reads } = counting();
  for (let n = 0; n < 10; n += 1) wait(store, 10_000);
  const claim = () => {
    const batch = store.outbox.claim('a', { maxPaths: 10 });
    expect(batch?.paths).toHaveLength(10);
    store.outbox.settle(batch?.key ?? '', { kind: 'done' }, []);
  };
  const claims = reads(claim);
  expect(claims).toBeGreaterThanOrEqual(WINDOW);
  expect(claims).toBeLessThan(WINDOW + 100);
  expect(reads(claim)).toBe(claims);
  expect(reads(() => store.outbox.peek('a', { maxPaths: 10 }))).toBe(WINDOW);
  expect(store.outbox.backlog()).toMatchObject([{ waiting: 99_980 }]);
});

test('what came and went fills a window: the batch is of the next one', () => {
  const { store } = counting();
  wait(store, 2 * WINDOW + 20);
  const batch = store.outbox.claim('a', { maxPaths: 10, drop: numbered(2 * WINDOW + 5) });
  expect(batch?.paths).toHaveLength(10);
  expect(batch?.lastNumber).toBe(2 * WINDOW + 15);
  expect(store.outbox.backlog()).toMatchObject([{ pending: 15, waiting: 5 }]);
});

test('all of it came and went: nothing waits any more', () => {
  const { store } = counting();
  wait(store, WINDOW + 1);
  expect(store.outbox.hasWaiting('a')).toBe(true);
  expect(store.outbox.claim('a', { maxPaths: 10, drop: numbered(WINDOW + 1) })).toBeUndefined();
  expect(store.outbox.hasWaiting('a')).toBe(false);
  expect(store.outbox.backlog()).toEqual([]);
});

test('what waits for a run fills a window: the batch is of what does not, and nothing overtakes', () => {
  const { store } = counting();
  store.commit({ outbox: [item('/d/0')] });
  const key = store.outbox.claim('a')?.key ?? '';
  store.commit({ outbox: Array.from({ length: WINDOW }, () => item('/d/0')) });
  store.commit({ outbox: [item('/d/0'), item('/free')] });
  const options = { maxPaths: 10, busy: new Set([key]) };
  expect(store.outbox.claim('a', options)?.paths).toEqual(['/free']);
  expect(store.outbox.backlog()).toMatchObject([{ pending: WINDOW + 3, waiting: WINDOW + 1 }]);
});

test('the last window is taken whole when it fits', () => {
  const { store } = counting();
  wait(store, WINDOW);
  const batch = store.outbox.claim('a', { maxPaths: WINDOW });
  expect(batch?.paths).toHaveLength(WINDOW);
  expect(store.outbox.hasWaiting('a')).toBe(false);
});

test('without a limit everything is one batch', () => {
  const { store } = counting();
  wait(store, 2 * WINDOW);
  expect(store.outbox.claim('a')?.paths).toHaveLength(2 * WINDOW);
});
