// The only import of the SQLite package, through the interface of node:sqlite. Statements are prepared once per connection
// and always run to their end: none stays open between calls, so a consumer may pause, commit or close at any time.
import { DatabaseSync, type StatementSyncInstance } from '@photostructure/sqlite';
import { AppError } from '../domain/errors.ts';
import { failure } from './failure.ts';

export type SqlValue = null | number | string | Uint8Array;
/** Column name -> value, to be read with `column.ts`. */
export type Row = Readonly<Record<string, unknown>>;

/** One connection. Every method throws AppError (failure.ts). */
export interface Database {
  /** Statements without parameters and without rows. */
  exec(sql: string): void;
  /** Returns the rowid of the last row that was inserted. */
  run(sql: string, ...values: readonly SqlValue[]): number;
  get(sql: string, ...values: readonly SqlValue[]): Row | undefined;
  all(sql: string, ...values: readonly SqlValue[]): readonly Row[];
  inTransaction(): boolean;
  close(): void;
}

export interface OpenOptions {
  readonly readOnly: boolean;
  /** How long to wait for another process's lock, in milliseconds. */
  readonly busyMs: number;
}

/** Opens the file at `location`: a byte path, or a `file:` URI as text. Nothing is read or written yet. */
export function openDatabase(location: Buffer | string, options: OpenOptions): Database {
  const connection = translated(
    () =>
      new DatabaseSync(location, {
        readOnly: options.readOnly,
        timeout: options.busyMs,
        enableForeignKeyConstraints: true,
        defensive: true,
      }),
  );
  const statements = new Map<string, StatementSyncInstance>();
  const prepared = (sql: string): StatementSyncInstance => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const statement = connection.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  return {
    exec: (sql) => translated(() => connection.exec(sql)),
    run: (sql, ...values) => translated(() => Number(prepared(sql).run(...values).lastInsertRowid)),
    get: (sql, ...values) => translated((): Row | undefined => prepared(sql).get(...values)),
    all: (sql, ...values) => translated((): readonly Row[] => prepared(sql).all(...values)),
    inTransaction: () => connection.isTransaction,
    close: () => {
      statements.clear();
      connection.close();
    },
  };
}

function translated<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw failure(error);
  }
}

/** Applies what must hold on every connection, and reads it back: this package reopens WAL files with synchronous=NORMAL. */
export function assertSettings(database: Database): void {
  database.exec(
    'pragma synchronous = full; pragma foreign_keys = on; pragma trusted_schema = off; pragma cell_size_check = on; pragma temp_store = memory; pragma mmap_size = 0',
  );
  for (const [name, wanted] of SETTINGS) assertSetting(database, name, wanted);
}

/**
 * Turns to a write-ahead log, which readers do not wait for. A file without a generation has a rollback journal: nobody has
 * anything to read in it, and the first generation is written once, not to the log and then again (a third less time).
 */
export function useLog(database: Database): void {
  database.exec('pragma journal_mode = wal');
  assertSetting(database, 'journal_mode', 'wal');
  assertSetting(database, ...SYNCHRONOUS);
}

/** Whether the write-ahead log is in use. */
export function usesLog(database: Database): boolean {
  return settingOf(database, 'journal_mode') === 'wal';
}

function assertSetting(database: Database, name: string, wanted: string | number): void {
  const value = settingOf(database, name);
  if (value !== wanted) {
    throw new AppError('INTERNAL', `internal error: sqlite keeps ${name} at ${String(value)} instead of ${wanted}`);
  }
}

function settingOf(database: Database, name: string): unknown {
  return Object.values(database.get(`pragma ${name}`) ?? {})[0];
}

const SYNCHRONOUS: readonly [string, number] = ['synchronous', 2];
const SETTINGS: readonly (readonly [string, string | number])[] = [
  SYNCHRONOUS,
  ['foreign_keys', 1],
  ['trusted_schema', 0],
  ['cell_size_check', 1],
];

/** Runs `work` in one transaction: committed when it returns, rolled back when it throws. Does not nest. */
export function transact<T>(database: Database, kind: 'read' | 'write', work: () => T): T {
  database.exec(kind === 'write' ? 'begin immediate' : 'begin');
  try {
    const result = work();
    database.exec('commit');
    return result;
  } catch (error) {
    rollback(database);
    throw error;
  }
}

/** SQLite rolls back by itself after some errors (disk full, I/O); then there is nothing left to end. */
export function rollback(database: Database): void {
  if (database.inTransaction()) database.exec('rollback');
}
