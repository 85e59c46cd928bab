// The append-only record. Each line's chain covers its number, its time, its text and the chain before it; the facts (meta.ts)
// hold the last one, so that a missing end is noticed too.

import { type Hash, isSameSeal, noSeal, sealOf } from '../domain/seal.ts';
import type { Journal, JournalLine } from '../engine/ports/store.ts';
import { bytesColumn, integerColumn, textColumn } from './column.ts';
import { type Database, transact } from './driver.ts';
import { untrusted } from './failure.ts';
import { type Meta, readMeta } from './meta.ts';

export function appendJournal(database: Database, hash: Hash, meta: Meta, records: readonly string[]): void {
  for (const record of records) {
    const { journal } = meta;
    journal.number += 1;
    // A clock that is set back does not reorder the journal: the search by time relies on it.
    journal.timeMs = Math.max(journal.timeMs, Date.now());
    journal.chain = sealOf(hash, [journal.chain, journal.number, journal.timeMs, record]);
    database.run('insert into journal values (?, ?, ?, ?)', journal.number, journal.timeMs, journal.chain, record);
  }
}

/**
 * Reading verifies what it reads: at a line that does not fit BASELINE_UNTRUSTED is thrown. To see what follows such a line
 * start behind it, with `sinceMs`.
 */
export function journalOf(database: Database, hash: Hash): Journal {
  return {
    *read(sinceMs = 0) {
      const end = readMeta(database, hash).journal;
      for (const { line, fits } of links(database, hash, firstSince(database, end.number, sinceMs), end)) {
        if (!fits) throw untrusted(`line ${line.number} of its journal does not fit the chain`);
        yield line;
      }
    },
    firstBroken() {
      const end = transact(database, 'read', () => ({
        ...readMeta(database, hash).journal,
        last: lastNumber(database),
      }));
      for (const { line, fits } of links(database, hash, 1, end)) if (!fits) return line.number;
      return end.last > end.number ? end.number + 1 : undefined;
    },
  };
}

function lastNumber(database: Database): number {
  const row = database.get('select coalesce(max(number), 0) as number from journal');
  return row === undefined ? 0 : integerColumn(row, 'number');
}

/** The first line at or after a time, by bisection; one past the end when there is none. */
function firstSince(database: Database, last: number, sinceMs: number): number {
  let low = 1;
  let high = last + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const row = database.get('select time_ms from journal where number = ?', middle);
    if (row !== undefined && integerColumn(row, 'time_ms') < sinceMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface Link {
  readonly line: JournalLine;
  readonly fits: boolean;
}

const BATCH = 256;

/** The lines from number `from` to the end, each with whether it fits; nothing follows a line that is missing. */
function* links(database: Database, hash: Hash, from: number, end: Meta['journal']): Generator<Link> {
  let chain = chainBefore(database, from);
  for (let number = from; number <= end.number; ) {
    const rows = database.all(`select * from journal where number >= ? order by number limit ${BATCH}`, number);
    if (rows.length === 0) yield { line: { number, record: '' }, fits: false };
    if (rows.length === 0) return;
    for (const row of rows) {
      if (number > end.number) return;
      const record = textColumn(row, 'record');
      const stored = bytesColumn(row, 'chain');
      const wanted = sealOf(hash, [chain, number, integerColumn(row, 'time_ms'), record]);
      const isEnd = number === end.number;
      const present = integerColumn(row, 'number') === number;
      yield {
        line: { number, record },
        fits: present && isSameSeal(stored, wanted) && (!isEnd || isSameSeal(stored, end.chain)),
      };
      if (!present) return;
      chain = stored;
      number += 1;
    }
  }
}

function chainBefore(database: Database, number: number): Buffer {
  if (number <= 1) return noSeal();
  const row = database.get('select chain from journal where number = ?', number - 1);
  if (row === undefined) throw untrusted(`line ${number - 1} of its journal is missing`);
  return bytesColumn(row, 'chain');
}
