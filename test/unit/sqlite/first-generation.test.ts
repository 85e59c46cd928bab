// The first generation is written with a rollback journal, every later one with the write-ahead log.
import { copyFileSync, existsSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openDatabase } from '../../../src/sqlite/driver.ts';
import { contentOf, packed, rebuildWith } from '../../contract/store.ts';
import { entry, path } from '../../fakes/entry.ts';
import { openAt, temporaryDirectory } from './fixture.ts';

/** More than SQLite's cache of 2 MB: most of it is in the file before it is committed. */
const ENTRIES = 40_000;

function journalMode(file: string): unknown {
  const database = openDatabase(Buffer.from(file), { readOnly: true, busyMs: 50 });
  const mode = database.get('pragma journal_mode')?.['journal_mode'];
  database.close();
  return mode;
}

test('the first generation ends with the write-ahead log, and leaves no journal', () => {
  const file = `${temporaryDirectory()}/b.db`;
  const store = openAt(file, 'create');
  expect(journalMode(file)).toBe('delete');
  rebuildWith(store, [entry('/d/1')]);
  expect(journalMode(file)).toBe('wal');
  store.commit({ journal: ['{}'] });
  expect(contentOf(store).size).toBe(1);
  store.close();
  expect(existsSync(`${file}-journal`)).toBe(false);
  expect(contentOf(openAt(file, 'read')).size).toBe(1);
});

test('a crash before the first generation is committed leaves a baseline that was never finished, and can be', () => {
  const file = `${temporaryDirectory()}/b.db`;
  const crashed = `${temporaryDirectory()}/b.db`;
  const store = openAt(file, 'create');
  const rebuild = store.rebuild();
  for (let n = 0; n < ENTRIES; n += 1) rebuild.add(path(`/d${n}`), packed([entry(`/d${n}/a`)]));
  for (const suffix of ['', '-journal']) copyFileSync(`${file}${suffix}`, `${crashed}${suffix}`);
  rebuild.abandon();
  expect(statSync(crashed).size).toBeGreaterThan(3_000_000);
  for (const mode of ['read', 'write'] as const)
    expect(() => openAt(crashed, mode)).toThrow(expect.objectContaining({ code: 'BASELINE_MISSING' }));
  const again = openAt(crashed, 'create');
  expect(() => again.baseline.info()).toThrow(expect.objectContaining({ code: 'BASELINE_MISSING' }));
  rebuildWith(again, [entry('/d/1')]);
  expect(contentOf(openAt(crashed, 'read')).size).toBe(1);
});

test('a crash while the log is turned to hides the baseline from readers until somebody may write', () => {
  const file = `${temporaryDirectory()}/b.db`;
  rebuildWith(openAt(file, 'create'), [entry('/d/1')]);
  const crashed = `${temporaryDirectory()}/b.db`;
  const database = openDatabase(Buffer.from(file), { readOnly: false, busyMs: 50 });
  // A small cache: the file is written to, and its journal is there for good, before the commit.
  database.exec(
    'pragma wal_checkpoint(truncate); pragma journal_mode = delete; pragma cache_size = 1; begin immediate',
  );
  for (let n = 0; n < 100; n += 1) database.run('insert into content (entries) values (zeroblob(20000))');
  for (const suffix of ['', '-journal']) copyFileSync(`${file}${suffix}`, `${crashed}${suffix}`);
  database.exec('rollback');
  database.close();
  const hint = 'run `driftline init`: it makes the baseline, or says that it is there';
  expect(() => openAt(crashed, 'read')).toThrow(expect.objectContaining({ code: 'BASELINE_MISSING', hint }));
  expect(openAt(crashed, 'create').baseline.info()).toMatchObject({ generation: 1, entries: 1 });
  expect(contentOf(openAt(crashed, 'read')).size).toBe(1);
});
