// The one row that says what the tables hold, sealed: every transaction that changes a table changes it too.
import { type BytePath, pathFromBytes, pathToBytes } from '../domain/path.ts';
import { type Hash, isSameSeal, noSeal, SEAL_BYTES, type SealPart, sealOf } from '../domain/seal.ts';
import { bytesColumn, integerColumn } from './column.ts';
import type { Database } from './driver.ts';
import { neverFinished, untrusted } from './failure.ts';

/** Read at the start of a transaction, changed by its steps, written at its end. */
export interface Meta {
  /** 0: no `init` has finished yet. */
  generation: number;
  entries: number;
  pages: number;
  createdMs: number;
  roots: readonly BytePath[];
  /** Sum (seal.ts) over all pages. */
  root: Buffer;
  /** The last line of the journal: its number, time and chain. */
  journal: { number: number; timeMs: number; chain: Buffer };
  /** How many rows of open drift there are, and their sum. */
  drift: { count: number; sum: Buffer };
  /** Whether its pages have quick seals. */
  hasQuick: boolean;
}

export function emptyMeta(): Meta {
  return {
    generation: 0,
    entries: 0,
    pages: 0,
    createdMs: 0,
    roots: [],
    root: noSeal(),
    journal: { number: 0, timeMs: 0, chain: noSeal() },
    drift: { count: 0, sum: noSeal() },
    hasQuick: true,
  };
}

export function readMeta(database: Database, hash: Hash): Meta {
  const row = database.get('select * from meta');
  if (row === undefined) throw untrusted('its facts are missing');
  const meta: Meta = {
    generation: integerColumn(row, 'generation'),
    entries: integerColumn(row, 'entries'),
    pages: integerColumn(row, 'pages'),
    createdMs: integerColumn(row, 'created_ms'),
    roots: unpackPaths(bytesColumn(row, 'roots')),
    root: bytesColumn(row, 'root'),
    journal: {
      number: integerColumn(row, 'journal_number'),
      timeMs: integerColumn(row, 'journal_ms'),
      chain: bytesColumn(row, 'journal_chain'),
    },
    drift: { count: integerColumn(row, 'drift_count'), sum: bytesColumn(row, 'drift_sum') },
    hasQuick: hasQuickSeals(database),
  };
  if (!isSameSeal(bytesColumn(row, 'seal'), sealOf(hash, values(meta))))
    throw untrusted('its facts do not match their seal');
  return meta;
}

/** All pages have them or none has: an upgraded file gets them with its next generation that is made from nothing. */
function hasQuickSeals(database: Database): boolean {
  const page = database.get('select length(seal) as length from page limit 1');
  return page === undefined || integerColumn(page, 'length') > SEAL_BYTES;
}

export function writeMeta(database: Database, hash: Hash, meta: Meta): void {
  const stored = values(meta);
  database.run(
    'insert or replace into meta values (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    ...stored,
    sealOf(hash, stored),
  );
}

/** In the order of the table's columns. */
function values(meta: Meta): SealPart[] {
  const { journal, drift } = meta;
  return [
    ...[meta.generation, meta.entries, meta.pages, meta.createdMs, packPaths(meta.roots), meta.root],
    ...[journal.number, journal.timeMs, journal.chain, drift.count, drift.sum],
  ];
}

/** Throws BASELINE_MISSING when no generation has been committed: `init` was never run to its end. */
export function assertCommitted(meta: Meta): void {
  if (meta.generation > 0) return;
  throw neverFinished();
}

/** Each path followed by NUL, the one byte that no path holds. */
export function packPaths(paths: readonly BytePath[]): Buffer {
  return pathToBytes(paths.map((path) => `${path}\0`).join('') as BytePath);
}

export function unpackPaths(packed: Buffer): BytePath[] {
  return pathFromBytes(packed).split('\0').slice(0, -1) as BytePath[];
}
