// A baseline without quick seals, as format 1 and 2 made it, is read, changed and made anew.
import { expect, test } from 'vitest';
import { ROOT_DIR } from '../../../src/domain/path.ts';
import { noSeal } from '../../../src/domain/seal.ts';
import { openDatabase, transact } from '../../../src/sqlite/driver.ts';
import { readMeta, writeMeta } from '../../../src/sqlite/meta.ts';
import { insertRun } from '../../../src/sqlite/page.ts';
import { contentOf, rebuildWith } from '../../contract/store.ts';
import { entry, path } from '../../fakes/entry.ts';
import { hash, openAt, temporaryDirectory } from './fixture.ts';

const ENTRIES = Array.from({ length: 300 }, (_, index) =>
  entry(`/d${index % 3}/file-${String(index).padStart(3, '0')}`),
);

/** The pages of a baseline, written as earlier formats did. */
function age(file: string): void {
  const store = openAt(file, 'write');
  const runs = [...store.baseline.below(ROOT_DIR)];
  store.close();
  const database = openDatabase(file, { readOnly: false, busyMs: 1000 });
  transact(database, 'write', () => {
    database.exec('delete from page; delete from content; pragma user_version = 2');
    const meta = { ...readMeta(database, hash), root: noSeal(), pages: 0, entries: 0, hasQuick: false };
    for (const { dir, run } of runs) insertRun(database, hash, meta, dir, run);
    writeMeta(database, hash, meta);
  });
  expect(database.get('select max(length(seal)) as longest from page')).toEqual({ longest: 32 });
  database.close();
}

test('a baseline without quick seals is read, accepted into, and replaced by the present format', () => {
  const file = `${temporaryDirectory()}/b.db`;
  const made = openAt(file, 'create');
  rebuildWith(made, ENTRIES);
  expect(made.baseline.seals().hasQuick).toBe(true);
  const content = contentOf(made);
  made.close();
  age(file);

  const store = openAt(file, 'write');
  expect(store.baseline.seals().hasQuick).toBe(false);
  expect(contentOf(store)).toEqual(content);
  const [changed, added] = [entry('/d1/file-001', { sizeBytes: 77n }), entry('/new/file')];
  store.commit({ accept: { put: [changed, added], drop: [path('/d0/file-000')] } });
  store.close();

  const again = openAt(file, 'write');
  expect(again.baseline.seals().hasQuick).toBe(false);
  expect(again.baseline.info().entries).toBe(ENTRIES.length);
  expect(again.baseline.find(changed.path)?.sizeBytes).toBe(77n);
  rebuildWith(again, ENTRIES);
  again.close();

  const renewed = openAt(file, 'read');
  expect(renewed.baseline.seals().hasQuick).toBe(true);
  expect(contentOf(renewed)).toEqual(content);
});

test('a quick seal that was changed is damage', () => {
  const file = `${temporaryDirectory()}/b.db`;
  const store = openAt(file, 'create');
  rebuildWith(store, ENTRIES);
  store.close();
  const database = openDatabase(file, { readOnly: false, busyMs: 1000 });
  database.exec(
    "update page set seal = cast(substr(seal, 1, 32) || zeroblob(32) as blob) where dir = cast('/d1' as blob)",
  );
  database.close();
  expect(() => openAt(file, 'read')).toThrow(/do not match their sum/);
});
