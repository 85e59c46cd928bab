// A whole new generation in one transaction, on a connection of its own: everyone else, this process included, sees the old
// generation until `finish`.
import { AppError } from '../domain/errors.ts';
import { recordName } from '../domain/packed.ts';
import { unsorted } from '../domain/page.ts';
import { type BytePath, pathToBytes } from '../domain/path.ts';
import { type Hash, noSeal } from '../domain/seal.ts';
import type { Rebuild } from '../engine/ports/store.ts';
import { assertSettings, type Database, rollback, useLog, usesLog } from './driver.ts';
import { appendJournal } from './journal.ts';
import { readMeta, writeMeta } from './meta.ts';
import { clearDrift } from './open-drift.ts';
import { clearOutbox } from './outbox.ts';
import { lastName, PAGES, recordsOf, sealRun } from './page.ts';
import { createPageBatch } from './page-batch.ts';

/** Takes the connection over and closes it in the end; `ended` is told when. */
export function startRebuild(database: Database, hash: Hash, ended: () => void): Rebuild {
  const end = (): void => {
    database.close();
    ended();
  };
  try {
    assertSettings(database);
    database.exec('begin immediate');
    database.run('delete from page');
    database.run('delete from content');
  } catch (error) {
    end();
    throw error;
  }
  const meta = { ...readMeta(database, hash), entries: 0, pages: 0, root: noSeal(), hasQuick: true };
  const batch = createPageBatch(database);
  let over = false;
  /** The run that was added last. */
  let current: { readonly dir: BytePath; readonly run: Buffer } | undefined;

  const assertOpen = (): void => {
    if (over) throw new AppError('INTERNAL', 'internal error: the rebuild is over');
  };
  const lastOf = (dir: BytePath): BytePath | undefined => {
    if (current?.dir === dir) return lastName(current.run);
    batch.flush();
    return storedLast(database, hash, dir);
  };

  return {
    add(dir, records) {
      assertOpen();
      if (records.length === 0) return;
      const first = recordName(records, 0);
      const before = batch.begin(pathToBytes(dir)) ? lastOf(dir) : undefined;
      if (before !== undefined && first <= before) throw unsorted(dir, first);
      sealRun(hash, meta, dir, records, batch.add);
      current = { dir, run: records };
    },
    finish(roots, journal) {
      assertOpen();
      batch.flush();
      meta.generation += 1;
      meta.createdMs = Date.now();
      meta.roots = roots;
      clearDrift(database, meta);
      clearOutbox(database);
      appendJournal(database, hash, meta, journal(meta.generation));
      writeMeta(database, hash, meta);
      database.exec('commit');
      over = true;
      settle(database);
      end();
      return meta.generation;
    },
    abandon() {
      if (over) return;
      over = true;
      rollback(database);
      end();
    },
  };
}

/** The last name that a directory has so far. */
function storedLast(database: Database, hash: Hash, dir: BytePath): BytePath | undefined {
  const last = `select first, seal, entries from ${PAGES} where dir = ? order by first desc limit 1`;
  const row = database.get(last, pathToBytes(dir));
  return row === undefined ? undefined : lastName(recordsOf(hash, row, dir));
}

/** Puts a new generation to where it stays, and turns to the log if it is the first one. */
function settle(database: Database): void {
  if (usesLog(database)) checkpoint(database);
  else tolerantly(() => useLog(database));
}

/** Moves the write-ahead log, which holds the whole generation, into the database and empties it. */
export function checkpoint(database: Database): void {
  tolerantly(() => {
    // A connection that has not read since another one turned to the log does not know that there is one.
    database.get('select id from meta');
    database.all('pragma wal_checkpoint(truncate)');
  });
}

function tolerantly(work: () => void): void {
  try {
    work();
  } catch (error) {
    // The generation is committed and durable where it is; the next one who opens the file to write to it has another chance.
    if (error instanceof AppError && (error.code === 'IO' || error.code === 'BUSY')) return;
    throw error;
  }
}
