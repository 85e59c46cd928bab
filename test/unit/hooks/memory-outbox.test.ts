// What the port of the outbox promises, of the one that is kept in memory.
import { expect, test } from 'vitest';
import { openMemoryOutbox } from '../../../src/hooks/memory-outbox.ts';
import { path } from '../../fakes/entry.ts';

const item = (...paths: string[]) => ({ hook: 'a', record: JSON.stringify(paths), paths: paths.map(path) });

function subject() {
  let nowMs = 1_000;
  const outbox = openMemoryOutbox(() => nowMs);
  return {
    outbox,
    at: (ms: number) => {
      nowMs = ms;
    },
  };
}

test('gives everything that waits, once, until it is settled', () => {
  const { outbox } = subject();
  outbox.add(item('/z', '/b'));
  outbox.add(item('/b', '/a'));
  outbox.add({ ...item('/x'), hook: 'b' });
  const batch = outbox.claim('a');
  expect(batch).toMatchObject({ attempts: 0, records: ['["/z","/b"]', '["/b","/a"]'], paths: ['/a', '/b', '/z'] });
  outbox.add(item('/later'));
  expect(outbox.claim('a')).toEqual(batch);
  expect(outbox.backlog()).toMatchObject([
    { hook: 'a', pending: 3 },
    { hook: 'b', pending: 1 },
  ]);
  outbox.settle(batch?.key ?? '', { kind: 'done' }, []);
  const next = outbox.claim('a');
  expect(next).toMatchObject({ attempts: 0, paths: ['/later'] });
  expect(next?.key).not.toBe(batch?.key);
});

test('keeps the key over attempts; what is given up is gone', () => {
  const { outbox } = subject();
  outbox.add(item('/1'));
  const key = outbox.claim('a')?.key ?? '';
  outbox.settle(key, { kind: 'again', notBeforeMs: 12_345, counts: true }, []);
  expect(outbox.backlog()).toMatchObject([{ pending: 1, notBeforeMs: 12_345 }]);
  expect(outbox.claim('a')).toMatchObject({ key, attempts: 1 });
  outbox.settle(key, { kind: 'dead' }, []);
  expect(outbox.backlog()).toEqual([]);
  expect(outbox.claim('a')).toBeUndefined();
  expect(() => outbox.settle(key, { kind: 'done' }, [])).toThrow(/no open batch/);
});

test('gives what was released again, together with what came meanwhile', () => {
  const { outbox, at } = subject();
  outbox.add(item('/2'));
  const { key } = outbox.claim('a') ?? { key: '' };
  at(2_000);
  outbox.add(item('/1'));
  outbox.settle(key, { kind: 'released' }, []);
  expect(outbox.backlog()).toMatchObject([{ pending: 2, oldestMs: 1_000, notBeforeMs: undefined }]);
  const next = outbox.claim('a');
  expect(next).toMatchObject({ attempts: 0, paths: ['/1', '/2'] });
  expect(next?.key).not.toBe(key);
});

test('a run without a path is a run', () => {
  const { outbox } = subject();
  outbox.add(item());
  expect(outbox.claim('a')).toMatchObject({ paths: [] });
});
