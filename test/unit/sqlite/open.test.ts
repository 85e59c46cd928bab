// Which files open, and what is said of those that do not.

import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from '@photostructure/sqlite';
import { describe, expect, test } from 'vitest';
import type { BytePath } from '../../../src/domain/path.ts';
import { NO_MEMORY } from '../../../src/engine/ports/outbox.ts';
import { assertSettings, openDatabase } from '../../../src/sqlite/driver.ts';
import { openStore } from '../../../src/sqlite/store.ts';
import { contentOf, rebuildWith } from '../../contract/store.ts';
import { entry, path } from '../../fakes/entry.ts';
import { hash, openAt, temporaryDirectory } from './fixture.ts';

const MODES = ['read', 'write', 'create'] as const;
const refused = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

function committed(): string {
  const file = `${temporaryDirectory()}/b.db`;
  const store = openAt(file, 'create');
  rebuildWith(
    store,
    Array.from({ length: 400 }, (_, n) => entry(`/d/${n}`)),
  );
  store.close();
  return file;
}

describe('a file that is not there', () => {
  test('is missing, and reading does not make it', () => {
    const dir = temporaryDirectory();
    for (const mode of ['read', 'write'] as const) {
      expect(() => openAt(`${dir}/b.db`, mode)).toThrow(refused('BASELINE_MISSING', /there is no baseline/));
      expect(() => openAt(`${dir}/b.db/c`, mode)).toThrow(refused('BASELINE_MISSING', /there is no baseline/));
    }
    expect(readdirSync(dir)).toEqual([]);
    expect(() => openAt(`${dir}/none/b.db`, 'create')).toThrow(refused('CANNOT_CREATE', /cannot be created/));
  });

  test('is made for its owner alone', () => {
    const file = `${temporaryDirectory()}/b.db`;
    openAt(file, 'create');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('may have a name that is not UTF-8', () => {
    const dir = temporaryDirectory();
    const file = `${dir}/\xff\xfe?%41#.db` as BytePath;
    const store = openStore({ path: file, mode: 'create', hash });
    rebuildWith(store, [entry('/a')]);
    store.close();
    const reader = openStore({ path: file, mode: 'read', hash });
    expect(reader.baseline.info().entries).toBe(1);
    reader.close();
    expect(readdirSync(Buffer.from(dir), 'buffer').map((each) => each.toString('latin1'))).toContain(
      '\xff\xfe?%41#.db',
    );
  });

  test('cannot be made where SQLite cannot follow', () => {
    expect(() => openAt(`/tmp/${'d'.repeat(600)}`, 'create')).toThrow(refused('CANNOT_CREATE', /cannot be at/));
    expect(() => openAt('relative.db', 'create')).toThrow(refused('CANNOT_CREATE', /cannot be at relative/));
  });
});

test('an init that was killed leaves nothing that counts as a baseline, and can be repeated', () => {
  const file = `${temporaryDirectory()}/b.db`;
  const store = openAt(file, 'create');
  store.rebuild().add(path('/'), Buffer.alloc(0));
  store.close();
  for (const mode of ['read', 'write'] as const) {
    expect(() => openAt(file, mode)).toThrow(refused('BASELINE_MISSING', /never finished/));
  }
});

test('an empty file is no baseline, but may become one', () => {
  const file = `${temporaryDirectory()}/b.db`;
  writeFileSync(file, '');
  for (const mode of ['read', 'write'] as const) {
    expect(() => openAt(file, mode)).toThrow(refused('BASELINE_UNTRUSTED', /is empty/));
  }
  expect(rebuildWith(openAt(file, 'create'), [])).toBe(1);
});

describe('what is not ours', () => {
  const unchanged = (file: string, message: RegExp) => {
    const before = readFileSync(file);
    for (const mode of MODES) expect(() => openAt(file, mode)).toThrow(refused('BASELINE_UNTRUSTED', message));
    expect(readFileSync(file).equals(before)).toBe(true);
  };

  test('text', () => {
    const file = `${temporaryDirectory()}/b.db`;
    writeFileSync(file, 'root:x:0:0:root:/root:/bin/bash\n'.repeat(200));
    unchanged(file, /file is not a database/);
  });

  test('a database of another program', () => {
    const file = `${temporaryDirectory()}/b.db`;
    const other = new DatabaseSync(file);
    other.exec('create table page(dir, first); insert into page values (1, 2)');
    other.close();
    unchanged(file, /not a driftline baseline/);
  });

  test('a baseline with a trigger, and one of another format', () => {
    for (const [sql, message] of [
      ['create trigger t after insert on journal begin delete from page; end', /tables are not those/],
      ['pragma user_version = 99', /format is 99/],
    ] as const) {
      const file = committed();
      const other = new DatabaseSync(file);
      other.exec(`${sql}; pragma wal_checkpoint(truncate)`);
      other.close();
      unchanged(file, message);
    }
  });

  test('a directory, and a link to a baseline', () => {
    const dir = temporaryDirectory();
    mkdirSync(`${dir}/b.db`);
    symlinkSync(committed(), `${dir}/link.db`);
    for (const mode of MODES) {
      expect(() => openAt(`${dir}/b.db`, mode)).toThrow(refused('BASELINE_UNTRUSTED', /not a regular file/));
      expect(() => openAt(`${dir}/link.db`, mode)).toThrow(refused('BASELINE_UNTRUSTED', /not a regular file/));
    }
  });

  test('a baseline cut short anywhere', () => {
    const size = statSync(committed()).size;
    for (const bytes of [1, 99, 4096, 8192, Math.floor(size / 2), size - 1]) {
      const file = committed();
      truncateSync(file, bytes);
      // A last page that is nearly whole is noticed when it is read.
      for (const mode of MODES) expect(() => contentOf(openAt(file, mode))).toThrow(refused('BASELINE_UNTRUSTED', /./));
    }
  });

  test('a baseline whose pages or facts were edited', () => {
    for (const sql of [
      'delete from page where first = (select max(first) from page)',
      'update page set count = count + 1 where first = (select max(first) from page)',
      "update page set dir = x'2f65' where first = (select max(first) from page)",
      'update meta set generation = 7',
      'delete from meta',
    ]) {
      const file = committed();
      const other = new DatabaseSync(file);
      other.exec(sql);
      other.close();
      for (const mode of MODES) expect(() => openAt(file, mode)).toThrow(refused('BASELINE_UNTRUSTED', /./));
    }
  });

  test('a page whose records were edited, when it is read', () => {
    for (const sql of ['update content set entries = zeroblob(length(entries))', 'delete from content']) {
      const file = committed();
      const other = new DatabaseSync(file);
      other.exec(sql);
      other.close();
      const store = openAt(file, 'read');
      expect(() => contentOf(store)).toThrow(expect.objectContaining({ code: 'BASELINE_UNTRUSTED' }));
      expect(() => store.baseline.find(path('/d/1'))).toThrow(expect.objectContaining({ code: 'BASELINE_UNTRUSTED' }));
    }
  });
});

test('a journal that was edited is noticed at the line', () => {
  for (const [sql, broken] of [
    ["update journal set record = '{}' where number = 3", 3],
    ['update journal set time_ms = 0 where number = 2', 2],
    ['delete from journal where number = 4', 4],
    ['delete from journal where number > 4', 5],
    ["insert into journal values (6, 0, x'', '{}')", 6],
  ] as const) {
    const file = committed();
    const store = openAt(file, 'write');
    store.commit({ journal: ['1', '2', '3', '4', '5'] });
    expect(store.journal.firstBroken()).toBeUndefined();
    const other = new DatabaseSync(file);
    other.exec(sql);
    other.close();
    expect(store.journal.firstBroken()).toBe(broken);
    if (broken < 6) expect(() => [...store.journal.read()]).toThrow(`line ${broken} of its journal`);
  }
});

test('a writer elsewhere makes it busy, for a writer only', () => {
  const file = committed();
  const other = new DatabaseSync(file);
  other.exec('begin immediate');
  const store = openAt(file, 'write');
  expect(() => store.commit({ journal: ['{}'] })).toThrow(expect.objectContaining({ code: 'BUSY' }));
  expect(() => store.rebuild()).toThrow(expect.objectContaining({ code: 'BUSY' }));
  expect(contentOf(openAt(file, 'read')).size).toBe(400);
  other.exec('rollback');
  other.close();
  store.commit({ journal: ['{}'] });
  expect([...store.journal.read()]).toHaveLength(1);
});

test('every connection is durable: synchronous stays FULL when a file is opened again', () => {
  const file = committed();
  const database = openDatabase(Buffer.from(file), { readOnly: false, busyMs: 50 });
  expect(database.get('pragma synchronous')).toEqual({ synchronous: 1 });
  assertSettings(database);
  expect(database.get('pragma synchronous')).toEqual({ synchronous: 2 });
  expect(database.get('pragma journal_mode')).toEqual({ journal_mode: 'wal' });
  database.close();
});

test('a file of the format before is read as it is, and gets the rest when it is written to', () => {
  const file = committed();
  const old = new DatabaseSync(file);
  old.exec('drop table hook; pragma user_version = 1; pragma wal_checkpoint(truncate)');
  old.close();
  const bytes = readFileSync(file);
  const reader = openAt(file, 'read');
  expect(reader.baseline.info().entries).toBe(400);
  expect(reader.outbox.memory('mirror')).toEqual(NO_MEMORY);
  expect(readFileSync(file)).toEqual(bytes);
  const writer = openAt(file, 'write');
  writer.outbox.remember('mirror', { ...NO_MEMORY, failures: 3 }, []);
  for (const store of [writer, reader, openAt(file, 'read')]) expect(store.outbox.memory('mirror').failures).toBe(3);
});
