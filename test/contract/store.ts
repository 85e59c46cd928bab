// What every Store has to do (engine/ports/store.ts). `open` gives another view of the same store each time.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Entry } from '../../src/domain/entry.ts';
import {
  countRecords,
  fieldsOfEntry,
  readRecord,
  recordBytes,
  recordOffsets,
  writeRecord,
} from '../../src/domain/packed.ts';
import { type BytePath, comparePaths, dirOf, isWithin, nameOf, ROOT, ROOT_DIR } from '../../src/domain/path.ts';
import { NO_MEMORY } from '../../src/engine/ports/outbox.ts';
import type { OpenDrift, Store } from '../../src/engine/ports/store.ts';
import { entry, path } from '../fakes/entry.ts';

export interface StoreSubject {
  readonly open: (mode: 'read' | 'write' | 'create') => Store;
}

export function packed(entries: readonly Entry[]): Buffer {
  const sorted = [...entries].sort((a, b) => comparePaths(nameOf(a.path), nameOf(b.path)));
  return Buffer.concat(
    sorted.map((each) => {
      const fields = fieldsOfEntry(each, nameOf(each.path));
      const record = Buffer.alloc(recordBytes(fields));
      writeRecord(record, 0, fields);
      return record;
    }),
  );
}

export function rebuildWith(store: Store, entries: readonly Entry[], journal: readonly string[] = []): number {
  const rebuild = store.rebuild();
  for (const dir of new Set(entries.map((each) => dirOf(each.path)))) {
    rebuild.add(dir, packed(entries.filter((each) => dirOf(each.path) === dir)));
  }
  return rebuild.finish([path('/')], () => journal);
}

/** Everything that the baseline holds, through `below`. */
export function contentOf(store: Store): Map<BytePath, Entry> {
  const found: Entry[] = [];
  for (const { dir, run } of store.baseline.below(ROOT_DIR)) {
    for (const at of recordOffsets(run)) found.push(plain(readRecord(run, at, dir)));
  }
  return new Map(found.map((each) => [each.path, each]));
}

/** With plain arrays, as the fixture makes them, where a reader gives Buffers. */
function plain(each: Entry): Entry {
  const digest = each.digest && { ...each.digest, value: new Uint8Array(each.digest.value) };
  const xattrs = each.xattrs.map(({ name: of, value }) => ({ name: of, value: new Uint8Array(value) }));
  return { ...each, digest, xattrs };
}

const byPath = (a: Entry, b: Entry): number => comparePaths(a.path, b.path);

/** Entries at the paths, asked for directory by directory, sorted. */
function byNames({ baseline }: Store, paths: readonly BytePath[]): Entry[] {
  const dirs = [...new Set(paths.map(dirOf))];
  const found = dirs.flatMap((dir) => {
    const names = paths.filter((at) => dirOf(at) === dir).map(nameOf);
    const run = baseline.names(dir, names.sort(comparePaths));
    return [...recordOffsets(run)].map((at) => readRecord(run, at, dir));
  });
  return found.map(plain).sort(byPath);
}

function find(store: Store, at: BytePath): Entry | undefined {
  const found = store.baseline.find(at);
  return found && plain(found);
}

export function drift(key: string, fields: Partial<OpenDrift> = {}): OpenDrift {
  const record = JSON.stringify({ key });
  return { id: `id-${key}`, seq: 1, key: path(key), path: path(key), fingerprint: 'f', record, ...fields };
}

export function storeContract(subject: () => StoreSubject): void {
  const fresh = (entries: readonly Entry[] = []): Store => {
    const store = subject().open('create');
    rebuildWith(store, entries);
    return store;
  };

  describe('baseline', () => {
    test('is missing until the first generation is finished', () => {
      const store = subject().open('create');
      expect(() => store.baseline.info()).toThrow(expect.objectContaining({ code: 'BASELINE_MISSING' }));
      expect(rebuildWith(store, [entry('/a')])).toBe(1);
      expect(store.baseline.info()).toMatchObject({ generation: 1, entries: 1, roots: ['/'] });
    });

    test('gives runs by range of names, across pages', () => {
      const names = Array.from({ length: 500 }, (_, n) => `f${String(n).padStart(4, '0')}`);
      const store = fresh(names.map((name) => entry(`/d/${name}`)));
      const namesOf = (run: Buffer): string[] =>
        [...recordOffsets(run)].map((at) => nameOf(readRecord(run, at, path('/d')).path));
      expect(namesOf(store.baseline.run(path('/d')))).toEqual(names);
      for (const [after, upTo] of [
        [undefined, 'f0123'],
        ['f0123', 'f0124'],
        ['f0100', 'f0400'],
        ['f04', undefined],
        ['f0499', undefined],
        [undefined, 'a'],
        ['f0200', 'f0200'],
      ] as const) {
        const wanted = names.filter(
          (name) => (after === undefined || name > after) && (upTo === undefined || name <= upTo),
        );
        const run = store.baseline.run(path('/d'), after && path(after), upTo && path(upTo));
        expect(namesOf(run)).toEqual(wanted);
      }
      expect(store.baseline.run(path('/none'))).toHaveLength(0);
    });

    test('gives the records of some names, across pages, whatever lies before, between and behind them', () => {
      const all = Array.from({ length: 500 }, (_, n) => `f${String(2 * n).padStart(4, '0')}`);
      const store = fresh(all.map((name) => entry(`/d/${name}`)));
      const numbers = Array.from({ length: 1000 }, (_, n) => `f${String(n).padStart(4, '0')}`);
      const asked = ['a', ...numbers.filter((_, n) => n % 3 === 0 || n === 998), 'x', 'y'];
      const run = store.baseline.names(path('/d'), asked.map(path));
      const found = [...recordOffsets(run)].map((at) => plain(readRecord(run, at, path('/d'))));
      expect(found).toEqual(asked.filter((name) => all.includes(name)).map((name) => entry(`/d/${name}`)));
      expect(store.baseline.names(path('/none'), asked.map(path))).toHaveLength(0);
      expect(store.baseline.names(path('/d'), [])).toHaveLength(0);
    });

    test('knows a directory and what is below it from its siblings', () => {
      const all = ['/', '/#x/1', '/a', '/a-b/2', '/a/3', '/a/b/4', '/a0/5', '/a/b/c/6'].map((at) => entry(at));
      const store = fresh(all);
      const dirs = (of: BytePath): BytePath[] => [...store.baseline.below(of)].map(({ dir }) => dir);
      expect(dirs(path('/a'))).toEqual(['/a', '/a/b', '/a/b/c']);
      expect(dirs(ROOT)).toEqual(['/', '/#x', '/a', '/a/b', '/a/b/c', '/a-b', '/a0'].sort());
      expect(dirs(ROOT_DIR)).toEqual(['', ...dirs(ROOT)]);
      store.commit({ accept: { put: [], drop: [path('/a')] } });
      expect([...contentOf(store).keys()].sort()).toEqual(['/', '/#x/1', '/a-b/2', '/a0/5']);
      expect(store.baseline.info()).toMatchObject({ generation: 2, entries: 4 });
    });

    test('goes through small and very large directories in their order', () => {
      const value = new Uint8Array(10_000).fill(7);
      const big = ['/b', '/b/1', '/c', '/z'].flatMap((dir) =>
        Array.from({ length: dir === '/c' ? 200 : 90 }, (_, n) =>
          entry(`${dir}/${String(n).padStart(3, '0')}`, { xattrs: [{ name: 'user.x', value }] }),
        ),
      );
      const small = Array.from({ length: 300 }, (_, n) => entry(`/b/s${n}/f`));
      const store = fresh([...big, ...small]);
      const seen = [...store.baseline.below(ROOT_DIR)].map(({ dir, run }) => `${dir} ${countRecords(run)}`);
      const dirs = [...new Set([...big, ...small].map(({ path: at }) => dirOf(at)))].sort();
      const counts: Record<string, number> = { '/b': 90, '/b/1': 90, '/c': 200, '/z': 90 };
      expect(seen).toEqual(dirs.map((dir) => `${dir} ${counts[dir] ?? 1}`));
    });

    test.each([3, 4, 5, 19, 20, 21, 83, 84, 85, 148])('goes through %i directories, each once', (count) => {
      const dirs = Array.from({ length: count }, (_, n) => `/${String(n).padStart(3, '0')}`);
      const store = fresh(dirs.map((dir) => entry(`${dir}/f`)));
      expect([...store.baseline.below(ROOT)].map(({ dir }) => dir)).toEqual(dirs);
    });

    test('a directory that is added behind the last one is gone to', () => {
      const store = fresh([entry('/a/f'), entry('/b/f')]);
      const seen: BytePath[] = [];
      for (const { dir } of store.baseline.below(ROOT)) {
        seen.push(dir);
        if (dir === '/b') store.commit({ accept: { put: [entry('/c/f')], drop: [] } });
      }
      expect(seen).toEqual(['/a', '/b', '/c']);
    });

    test('each directory is as it is when its turn comes', () => {
      const store = fresh(Array.from({ length: 30 }, (_, n) => entry(`/d${n + 10}/f`)));
      const seen: string[] = [];
      for (const { dir, run } of store.baseline.below(ROOT)) {
        seen.push(`${dir} ${countRecords(run)}`);
        const next = `/d${Number(dir.slice(2)) + 1}`;
        if (dir < '/d30') store.commit({ accept: { put: [entry(`${next}/g`)], drop: [] } });
        if (dir === '/d32') store.commit({ accept: { put: [], drop: [path('/d34/f')] } });
      }
      const dirs = Array.from({ length: 30 }, (_, n) => n + 10).filter((n) => n !== 34);
      expect(seen).toEqual(dirs.map((n) => `/d${n} ${n > 10 && n <= 30 ? 2 : 1}`));
    });

    test('drops before it puts: a directory becomes a file', () => {
      const store = fresh([entry('/d', { type: 'directory' }), entry('/d/x')]);
      store.commit({ accept: { put: [entry('/d')], drop: [path('/d')] } });
      expect([...contentOf(store).values()]).toEqual([entry('/d')]);
    });

    test('keeps bytes that are not text, and records longer than a page', () => {
      const value = new Uint8Array(60_000).fill(7);
      const odd = { ...entry('/x', { xattrs: [{ name: 'user.big', value }] }), path: '/\xff\n\x01' as BytePath };
      const store = fresh([odd, entry('/y')]);
      expect(store.baseline.find(odd.path)?.xattrs[0]?.value).toHaveLength(60_000);
      expect(find(store, path('/y'))).toEqual(entry('/y'));
      expect(store.baseline.find(path('/z'))).toBeUndefined();
    });

    test('equals a map after any sequence of put, drop and rebuild', { timeout: 60_000 }, () => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
          const store = fresh();
          let model = new Map<BytePath, Entry>();
          let generation = 1;
          for (const { kind, put, drop } of steps) {
            if (kind === 'rebuild') model = new Map();
            else for (const at of drop) for (const key of [...model.keys()]) if (isWithin(key, at)) model.delete(key);
            for (const each of put) model.set(each.path, each);
            if (kind === 'rebuild') rebuildWith(store, [...model.values()]);
            else store.commit({ accept: { put, drop } });
            generation += 1;
          }
          expect(contentOf(store)).toEqual(model);
          expect(store.baseline.info()).toMatchObject({ generation, entries: model.size });
          for (const [at, each] of model) expect(find(store, at)).toEqual(each);
          expect(byNames(store, [...model.keys()])).toEqual([...model.values()].sort(byPath));
          store.close();
        }),
        { numRuns: 40 },
      );
    });
  });

  describe('rebuild', () => {
    test('shows nothing before it is finished', () => {
      const store = fresh([entry('/old')]);
      const rebuild = store.rebuild();
      rebuild.add(ROOT, packed([entry('/new')]));
      expect([...contentOf(store).keys()]).toEqual(['/old']);
      expect(() => store.commit({})).toThrow(/commit during a rebuild/);
      expect(() => store.rebuild()).toThrow(/rebuild is going on/);
      rebuild.abandon();
      rebuild.abandon();
      expect([...contentOf(store).keys()]).toEqual(['/old']);
      expect(() => rebuild.add(ROOT, packed([entry('/new')]))).toThrow(/rebuild is over/);
      rebuildWith(store, [entry('/new')]);
      expect([...contentOf(store).keys()]).toEqual(['/new']);
    });

    test('refuses names out of order and twice, also when a directory comes back', () => {
      const store = fresh();
      const rebuild = store.rebuild();
      const add = (...names: string[]) =>
        rebuild.add(path('/d'), Buffer.concat(names.map((name) => packed([entry(`/d/${name}`)]))));
      add('a', 'c');
      rebuild.add(path('/e'), packed([entry('/e/a')]));
      for (const names of [['b'], ['c'], ['e', 'd'], ['e', 'e']]) {
        expect(() => add(...names)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
      }
      rebuild.abandon();
    });

    test('closes open drift and the outbox of the old generation, and goes on with the journal', () => {
      const store = fresh();
      store.commit({
        openDrift: [drift('/a')],
        outbox: [{ hook: 'h', record: '{}', paths: [path('/a')] }],
        journal: ['{"n":1}'],
      });
      rebuildWith(store, [], ['{"n":2}']);
      expect([...store.openDrift()]).toEqual([]);
      expect(store.outbox.backlog()).toEqual([]);
      expect([...store.journal.read()].map(({ record }) => record)).toEqual(['{"n":1}', '{"n":2}']);
    });
  });

  describe('reader beside a writer', () => {
    test('sees each generation when it is committed, never before', () => {
      const store = fresh([entry('/a')]);
      const reader = subject().open('read');
      expect([...contentOf(reader).keys()]).toEqual(['/a']);
      store.commit({ accept: { put: [entry('/b')], drop: [] }, journal: ['{}'] });
      expect([...contentOf(reader).keys()]).toEqual(['/a', '/b']);
      const rebuild = store.rebuild();
      rebuild.add(ROOT, packed([entry('/c')]));
      expect([...contentOf(reader).keys()]).toEqual(['/a', '/b']);
      rebuild.finish([], () => []);
      expect([...contentOf(reader).keys()]).toEqual(['/c']);
      expect(reader.baseline.info().generation).toBe(3);
      expect([...reader.journal.read()]).toHaveLength(1);
    });

    test('cannot write', () => {
      fresh();
      const reader = subject().open('read');
      expect(() => reader.commit({ journal: ['{}'] })).toThrow(expect.objectContaining({ code: 'IO' }));
    });

    test('goes on with its iteration while the store changes', () => {
      const store = fresh(Array.from({ length: 50 }, (_, n) => entry(`/d${n}/f`)));
      const seen: BytePath[] = [];
      for (const { dir } of store.baseline.below(ROOT)) {
        seen.push(dir);
        store.commit({ accept: { put: [entry(`${dir}/g`)], drop: [] } });
      }
      expect(seen).toHaveLength(50);
    });
  });

  describe('journal', () => {
    test('numbers its lines, reads from a time on and fits', () => {
      const store = fresh();
      const lines = Array.from({ length: 600 }, (_, n) => JSON.stringify({ n, text: 'ü\u0000' }));
      store.commit({ journal: lines });
      expect([...store.journal.read()]).toEqual(lines.map((record, n) => ({ number: n + 1, record })));
      expect([...store.journal.read(Date.now() + 60_000)]).toEqual([]);
      expect([...store.journal.read(Date.now() - 3_600_000)]).toHaveLength(600);
      expect(store.journal.firstBroken()).toBeUndefined();
    });
  });

  describe('open drift', () => {
    test('is replaced by key, found by key and path, closed by key', () => {
      const store = fresh();
      store.commit({ openDrift: [drift('/a'), drift('/m', { path: path('/n') })] });
      store.commit({ openDrift: [drift('/a', { seq: 2 })] });
      expect([...store.openDrift()].map(({ key, seq }) => [key, seq])).toEqual([
        ['/a', 2],
        ['/m', 1],
      ]);
      expect(store.openDriftAt(path('/n'))).toEqual([drift('/m', { path: path('/n') })]);
      expect(store.openDriftAt(path('/m'))).toHaveLength(1);
      expect(store.openDriftAt(path('/x'))).toEqual([]);
      const among = [...Array.from({ length: 200 }, (_, n) => path(`/no/${n}`)), path('/n'), path('/m')];
      expect(store.openDriftAmong(among)).toEqual([drift('/m', { path: path('/n') })]);
      expect(store.openDriftAmong(among.slice(0, 200))).toEqual([]);
      store.commit({ closedDrift: [path('/a'), path('/unknown')] });
      expect([...store.openDrift()].map(({ key }) => key)).toEqual(['/m']);
    });

    test('is found below a tree by either name, and by having two', () => {
      const store = fresh();
      const moved = [drift('/b/m', { path: path('/a/n') }), drift('/a/x', { path: path('/a/y') })];
      const plain = ['/a', '/a/b/c', '/a0', '/a!', '/ab/c', '/z'].map((key) => drift(key));
      store.commit({ openDrift: [...moved, ...plain] });
      const below = (tree: string) =>
        store
          .openDriftBelow(path(tree))
          .map(({ key }) => key)
          .sort();
      expect(below('/a')).toEqual(['/a', '/a/b/c', '/a/x', '/b/m']);
      expect(below('/b')).toEqual(['/b/m']);
      expect(below('/a/b/c')).toEqual(['/a/b/c']);
      expect(below('/')).toHaveLength(8);
      expect(below('/nothing')).toEqual([]);
      const keysBelow = (tree: string) => [...new Set(store.openKeysBelow(path(tree)))].sort();
      for (const tree of ['/a', '/b', '/a/b/c', '/', '/nothing']) expect(keysBelow(tree)).toEqual(below(tree));
      const pathsIn = (dir: string) => [...store.openPathsIn(path(dir))].sort();
      expect(pathsIn('/a')).toEqual(['/a/n', '/a/y']);
      expect(pathsIn('/a/b')).toEqual(['/a/b/c']);
      expect(pathsIn('/')).toEqual(['/a', '/a!', '/a0', '/z']);
      expect(pathsIn('/b')).toEqual([]);
      expect(pathsIn('')).toEqual([]);
      store.commit({ openDrift: [drift('/')] });
      expect(pathsIn('')).toEqual(['/']);
      expect(store.openMoves()).toEqual([moved[1], moved[0]]);
    });

    test('iterates over many', () => {
      const store = fresh();
      const many = Array.from({ length: 2_500 }, (_, n) => drift(`/${String(n).padStart(4, '0')}`));
      const moved = many.map((one) => ({ ...one, path: path(`/to${one.path}`) }));
      store.commit({ openDrift: many });
      expect([...store.openDrift()]).toEqual(many);
      expect([...store.openKeysBelow(path('/'))]).toEqual(many.map(({ key }) => key));
      store.commit({ openDrift: moved });
      expect([...store.openKeysBelow(path('/to'))]).toEqual(many.map(({ key }) => key));
    });
  });

  describe('outbox', () => {
    const item = (hook: string, ...paths: string[]) => ({
      hook,
      record: JSON.stringify(paths),
      paths: paths.map(path),
    });

    test('gives a hook everything that waits, once, until it is settled', () => {
      const store = fresh();
      store.commit({ outbox: [item('a', '/z', '/b'), item('b', '/x'), item('a', '/b', '/a')] });
      const batch = store.outbox.claim('a');
      expect(batch).toMatchObject({
        hook: 'a',
        attempts: 0,
        records: ['["/z","/b"]', '["/b","/a"]'],
        paths: ['/a', '/b', '/z'],
      });
      store.commit({ outbox: [item('a', '/later')] });
      expect(store.outbox.claim('a')).toEqual(batch);
      expect(store.outbox.backlog()).toMatchObject([
        { hook: 'a', pending: 3, dead: 0 },
        { hook: 'b', pending: 1, dead: 0 },
      ]);
      store.outbox.settle(batch!.key, { kind: 'done' }, ['{"type":"run"}']);
      expect([...store.journal.read()]).toEqual([{ number: 1, record: '{"type":"run"}' }]);
      const next = store.outbox.claim('a');
      expect(next).toMatchObject({ attempts: 0, paths: ['/later'] });
      expect(next?.key).not.toBe(batch?.key);
    });

    test('keeps the key over attempts, and what is given up', () => {
      const store = fresh();
      store.commit({ outbox: [item('a', '/1')] });
      const { key } = store.outbox.claim('a')!;
      store.outbox.settle(key, { kind: 'again', notBeforeMs: 12_345, counts: true }, []);
      expect(store.outbox.backlog()).toMatchObject([{ pending: 1, dead: 0, notBeforeMs: 12_345 }]);
      expect(store.outbox.claim('a')).toMatchObject({ key, attempts: 1 });
      store.outbox.settle(key, { kind: 'dead' }, []);
      expect(store.outbox.backlog()).toMatchObject([
        { pending: 0, dead: 1, oldestMs: undefined, notBeforeMs: undefined },
      ]);
      expect(store.outbox.claim('a')).toBeUndefined();
      expect(() => store.outbox.settle(key, { kind: 'done' }, ['{}'])).toThrow(/no open batch/);
      expect([...store.journal.read()]).toEqual([]);
    });

    test('gives what was released again, together with what came meanwhile', () => {
      const store = fresh();
      store.commit({ outbox: [item('a', '/1')] });
      const { key } = store.outbox.claim('a')!;
      store.outbox.settle(key, { kind: 'again', notBeforeMs: 12_345, counts: true }, []);
      store.commit({ outbox: [item('a', '/2')] });
      store.outbox.settle(key, { kind: 'released' }, ['{}']);
      expect(store.outbox.backlog()).toMatchObject([{ pending: 2, dead: 0, notBeforeMs: undefined }]);
      expect([...store.journal.read()]).toHaveLength(1);
      const next = store.outbox.claim('a');
      expect(next).toMatchObject({ attempts: 0, paths: ['/1', '/2'] });
      expect(next?.key).not.toBe(key);
    });

    test('cuts a batch before the item that would make it too large, and never within one', () => {
      const store = fresh();
      store.commit({ outbox: [item('a', '/1', '/2'), item('a', '/2', '/3'), item('a', '/4', '/5', '/6', '/7')] });
      const claim = () => {
        const batch = store.outbox.claim('a', { maxPaths: 3 });
        store.outbox.settle(batch!.key, { kind: 'done' }, []);
        return batch?.paths;
      };
      expect(claim()).toEqual(['/1', '/2', '/3']);
      expect(claim()).toEqual(['/4', '/5', '/6', '/7']);
      expect(store.outbox.claim('a')).toBeUndefined();
    });

    test('gives no batch that touches one that is being delivered, and lets nothing overtake', () => {
      const store = fresh();
      store.commit({ outbox: [item('a', '/d/x')] });
      const first = store.outbox.claim('a')!;
      store.commit({ outbox: [item('a', '/d', '/e'), item('a', '/e'), item('a', '/d/x/y'), item('a', '/free')] });
      const busy = new Set([first.key]);
      const second = store.outbox.claim('a', { busy });
      expect(second?.paths).toEqual(['/free']);
      expect(store.outbox.claim('a', { busy: new Set([...busy, second!.key]) })).toBeUndefined();
      expect(store.outbox.backlog()).toMatchObject([{ pending: 5, waiting: 3 }]);
      expect(store.outbox.claim('a', { busy: new Set([second!.key]) })).toEqual(first);
      store.outbox.settle(first.key, { kind: 'done' }, []);
      expect(store.outbox.claim('a', { busy: new Set([second!.key]) })?.paths).toEqual(['/d', '/d/x/y', '/e']);
    });

    test('drops what nobody has to be told of', () => {
      const store = fresh();
      store.commit({ outbox: [item('a', '/1'), item('a', '/2'), item('a', '/3')] });
      const drop = (waiting: readonly { readonly number: number; readonly paths: readonly BytePath[] }[]) =>
        new Set(waiting.filter(({ paths }) => paths[0] === '/2').map(({ number }) => number));
      expect(store.outbox.claim('a', { drop })?.paths).toEqual(['/1', '/3']);
      expect(store.outbox.backlog()).toMatchObject([{ pending: 2, waiting: 0 }]);
    });

    test('an attempt that does not count keeps its number; what was given up can be opened again, with its key', () => {
      const store = fresh();
      store.commit({ outbox: [item('a', '/1')] });
      const { key } = store.outbox.claim('a')!;
      store.outbox.settle(key, { kind: 'again', notBeforeMs: undefined, counts: false }, []);
      expect(store.outbox.claim('a')).toMatchObject({ key, attempts: 0 });
      store.outbox.settle(key, { kind: 'dead' }, []);
      expect(store.outbox.batches('a')).toMatchObject([{ key, isDead: true, attempts: 1, items: 1 }]);
      expect(store.outbox.revive('a')).toBe(1);
      expect(store.outbox.revive('a')).toBe(0);
      expect(store.outbox.claim('a')).toMatchObject({ key, attempts: 0 });
    });

    test('remembers a hook, with a run or without one', () => {
      const store = fresh();
      expect(store.outbox.memory('a')).toEqual(NO_MEMORY);
      store.commit({ outbox: [item('a', '/1')] });
      const { key } = store.outbox.claim('a')!;
      store.outbox.settle(key, { kind: 'done' }, ['{"n":1}'], { ...NO_MEMORY, failures: 2 });
      expect(store.outbox.memory('a')).toEqual({ failures: 2, triedNumber: 0 });
      const hold = { reason: 'much', sinceMs: 5 };
      store.outbox.remember('a', { ...NO_MEMORY, hold }, ['{"n":2}']);
      const reader = subject().open('read');
      expect(reader.outbox.memory('a')).toEqual({ ...NO_MEMORY, hold });
      expect(reader.outbox.memory('b')).toEqual(NO_MEMORY);
      expect([...store.journal.read()]).toHaveLength(2);
    });

    test('a hold that is committed leaves the rest of what is remembered', () => {
      const store = fresh();
      store.outbox.remember('a', { failures: 2, triedNumber: 3 }, []);
      const hold = { reason: 'much', sinceMs: 5 };
      store.commit({
        holds: [
          { hook: 'a', ...hold },
          { hook: 'b', ...hold },
        ],
      });
      expect(store.outbox.memory('a')).toEqual({ failures: 2, triedNumber: 3, hold });
      expect(store.outbox.memory('b')).toEqual({ ...NO_MEMORY, hold });
    });

    test('is empty for a hook that never had anything', () => {
      expect(fresh().outbox.claim('nobody')).toBeUndefined();
    });
  });
}

// Few names, so that steps meet each other; enough of them in one directory to fill several pages.
const name = fc.oneof(
  fc.constantFrom('a', 'a-', 'a0', 'b', '\xff'),
  fc.nat(300).map((n) => `n${n}`),
);
const anyPath = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `/${names.join('/')}` as BytePath);
const anyEntry = fc
  .record({ path: anyPath, sizeBytes: fc.bigInt(0n, 2n ** 63n), mode: fc.nat(0o7777) })
  .map((fields): Entry => ({ ...entry('/x'), ...fields }));
const wide = fc.nat(400).map((n): Entry[] => Array.from({ length: n }, (_, at) => entry(`/b/w${at}`)));
const step = fc.record({
  kind: fc.constantFrom('accept', 'accept', 'accept', 'rebuild'),
  put: fc
    .tuple(fc.uniqueArray(anyEntry, { selector: (each) => each.path, maxLength: 40 }), fc.oneof(fc.constant([]), wide))
    .map(([some, many]) => [...some, ...many]),
  drop: fc.array(anyPath, { maxLength: 5 }),
});
