// The tables, and how a file is recognised as ours. Byte strings are BLOBs; records are JSON text.
import { AppError } from '../domain/errors.ts';
import { type Database, transact } from './driver.ts';
import { untrusted } from './failure.ts';

/** 'DRFT' in the header of the file (file(1), PRAGMA application_id). */
const APPLICATION_ID = 0x44524654;
// Spelled exactly as SQLite stores them, because the stored schema is compared with this text. `page` is one b-tree without
// a separate index, so that the scan in key order that verifies it walks the very structure that lookups search. The records
// lie apart in `content`: the scan does not touch them, and SQLite loads a whole row to compare a key that shares it with them.
const FORMAT_1: readonly string[] = [
  'CREATE TABLE meta(id INTEGER PRIMARY KEY CHECK(id = 1), generation INTEGER NOT NULL, entries INTEGER NOT NULL, pages INTEGER NOT NULL, created_ms INTEGER NOT NULL, roots BLOB NOT NULL, root BLOB NOT NULL, journal_number INTEGER NOT NULL, journal_ms INTEGER NOT NULL, journal_chain BLOB NOT NULL, drift_count INTEGER NOT NULL, drift_sum BLOB NOT NULL, seal BLOB NOT NULL) STRICT',
  'CREATE TABLE page(dir BLOB NOT NULL, first BLOB NOT NULL, seal BLOB NOT NULL, count INTEGER NOT NULL, content INTEGER NOT NULL, PRIMARY KEY(dir, first)) STRICT, WITHOUT ROWID',
  'CREATE TABLE content(id INTEGER PRIMARY KEY, entries BLOB NOT NULL) STRICT',
  'CREATE TABLE journal(number INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, chain BLOB NOT NULL, record TEXT NOT NULL) STRICT',
  'CREATE TABLE open_drift(key BLOB PRIMARY KEY NOT NULL, path BLOB NOT NULL, seal BLOB NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, fingerprint TEXT NOT NULL, record TEXT NOT NULL) STRICT, WITHOUT ROWID',
  'CREATE INDEX open_drift_path ON open_drift(path)',
  'CREATE INDEX open_drift_moved ON open_drift(key) WHERE key <> path',
  "CREATE TABLE batch(key TEXT PRIMARY KEY NOT NULL, hook TEXT NOT NULL, attempts INTEGER NOT NULL, not_before_ms INTEGER, state TEXT NOT NULL CHECK(state IN ('open', 'dead'))) STRICT, WITHOUT ROWID",
  'CREATE TABLE outbox(n INTEGER PRIMARY KEY, hook TEXT NOT NULL, batch TEXT REFERENCES batch(key), at_ms INTEGER NOT NULL, seal BLOB NOT NULL, paths BLOB NOT NULL, record TEXT NOT NULL) STRICT',
  'CREATE INDEX outbox_waiting ON outbox(hook, batch, at_ms)',
  'CREATE INDEX outbox_batch ON outbox(batch)',
];

const FORMAT_2: readonly string[] = [
  'CREATE TABLE hook(name TEXT PRIMARY KEY NOT NULL, seal BLOB NOT NULL, memory TEXT NOT NULL) STRICT, WITHOUT ROWID',
];

/** No table: from here on, a generation that is made from nothing has quick seals behind the seals of its pages (page.ts). */
const FORMAT_3: readonly string[] = [];

/**
 * What each format (PRAGMA user_version) added to the one before. Files of an earlier one are read as they are, and get the
 * rest when they are opened to be written to.
 */
const FORMATS: readonly (readonly string[])[] = [FORMAT_1, FORMAT_2, FORMAT_3];
const FORMAT = FORMATS.length;
/** The first format with the table `hook`. */
export const HOOK_MEMORY_FORMAT = 2;

/**
 * Makes the tables in an empty file, in one transaction together with whatever `fill` adds. The rollback journal is still in
 * use here, so that a crash leaves an empty file and never a half-made one that no later open would recognise.
 */
export function createSchema(database: Database, fill: () => void): void {
  // Holds a page of the baseline in fewer overflow pages than the default of 4096 (a quarter less time to insert).
  database.exec('pragma page_size = 8192');
  transact(database, 'write', () => {
    // Another process may have come first while this one waited for the lock.
    if (storedSchema(database).length > 0) return;
    for (const statement of FORMATS.flat()) database.exec(statement);
    database.exec(`pragma application_id = ${APPLICATION_ID}; pragma user_version = ${FORMAT}`);
    fill();
  });
}

/** Nothing is in the file; asked of SQLite, which first undoes what a crash left of the tables. */
export function isBlank(database: Database): boolean {
  return headerNumber(database, 'page_count') === 0;
}

/** Throws BASELINE_UNTRUSTED unless the file is a driftline baseline of a format that we know with exactly its tables. */
export function assertOurs(database: Database): void {
  // In one transaction: somebody else may be bringing the file to a new format.
  const { id, format, stored } = transact(database, 'read', () => ({
    id: headerNumber(database, 'application_id'),
    format: headerNumber(database, 'user_version'),
    stored: storedSchema(database),
  }));
  if (id !== APPLICATION_ID) throw untrusted('the file is not a driftline baseline');
  if (typeof format !== 'number' || format < 1 || format > FORMAT)
    throw untrusted(`its format is ${format}, this driftline knows ${FORMAT}`);
  if (stored.join('\n') !== FORMATS.slice(0, format).flat().sort().join('\n'))
    throw untrusted('its tables are not those of a driftline baseline');
}

/** Brings a file of an earlier format, which `assertOurs` has accepted, to this one. */
export function upgrade(database: Database): void {
  if (formatOf(database) === FORMAT) return;
  transact(database, 'write', () => {
    // Another process may have come first while this one waited for the lock.
    for (const statement of FORMATS.slice(formatOf(database)).flat()) database.exec(statement);
    database.exec(`pragma user_version = ${FORMAT}`);
  });
}

/** Of a file that `assertOurs` has accepted. */
export function formatOf(database: Database): number {
  return Number(headerNumber(database, 'user_version'));
}

function headerNumber(database: Database, name: string): unknown {
  return ours(() => database.get(`pragma ${name}`))?.[name];
}

function storedSchema(database: Database): readonly string[] {
  // Indexes that SQLite makes by itself have no text.
  const rows = ours(() => database.all('select sql from sqlite_schema where sql is not null'));
  return rows.map(({ sql }) => String(sql)).sort();
}

/** Before the schema is verified, SQLite's complaint about a statement of ours is a complaint about the file. */
function ours<T>(query: () => T): T {
  try {
    return query();
  } catch (error) {
    if (error instanceof AppError && error.code === 'INTERNAL') throw untrusted(error.message, error);
    throw error;
  }
}
