// Pages of the baseline: a directory's packed run cut into pieces small enough to rewrite for one accepted entry.

import { AppError } from '../domain/errors.ts';
import { escapePath } from '../domain/escape.ts';
import { recordLength, recordName } from '../domain/packed.ts';
import { type BytePath, pathToBytes } from '../domain/path.ts';
import { bytesColumn, integerColumn } from './column.ts';
import type { Database, Row } from './driver.ts';
import { untrusted } from './failure.ts';
import type { Meta } from './meta.ts';
import { type Hash, isSameSeal, sealOf, toggleSeal } from './seal.ts';

/** A page holds at most this many bytes of records, or one record that is longer. */
const PAGE_BYTES = 16 * 1024;

/** What identifies a page: its directory, its first name, its seal and how many records it holds; not the records. */
export interface PageHead {
  readonly dir: Buffer;
  readonly first: Buffer;
  readonly seal: Buffer;
  readonly count: number;
  /** The row of `content`. */
  readonly content: number;
}

/** The columns that `headOf` reads. */
const HEAD = 'dir, first, seal, count, content';

function headOf(row: Row): PageHead {
  return {
    dir: bytesColumn(row, 'dir'),
    first: bytesColumn(row, 'first'),
    seal: bytesColumn(row, 'seal'),
    count: integerColumn(row, 'count'),
    content: integerColumn(row, 'content'),
  };
}

/** Pages with their records; a page whose content is missing has NULL there, which `recordsOf` refuses. */
export const PAGES = 'page left join content on content.id = page.content';

/** The records of a page that was read, verified against its seal. */
export function recordsOf(hash: Hash, row: Row, dir: BytePath): Buffer {
  const entries = bytesColumn(row, 'entries');
  const seal = pageSeal(hash, pathToBytes(dir), bytesColumn(row, 'first'), entries);
  if (!isSameSeal(seal, bytesColumn(row, 'seal')))
    throw untrusted(`entries of ${escapePath(dir)} do not match their seal`);
  return entries;
}

function pageSeal(hash: Hash, dir: Buffer, first: Buffer, entries: Buffer): Buffer {
  return sealOf(hash, [dir, first, entries]);
}

/** Puts a page into the sum, or takes it out; its key is bound to its seal here, so that a scan need not read the records. */
function togglePage(hash: Hash, sum: Buffer, { dir, first, seal, count }: Omit<PageHead, 'content'>): void {
  const parts = [dir, NUL, first, NUL, seal, Buffer.from(`${count};`, 'latin1')];
  toggleSeal(sum, hash(Buffer.concat(parts)));
}

const NUL = Buffer.alloc(1);

/** The bytes that `togglePage` puts into the sum, as SQLite makes them (verify.ts). */
export const SUMMED = "dir || x'00' || first || x'00' || seal || count || ';'";

/** Cuts a sorted run into pages and inserts them; returns its last name. Throws INTERNAL when its names do not ascend. */
export function insertRun(
  database: Database,
  hash: Hash,
  meta: Meta,
  dir: BytePath,
  run: Buffer,
): BytePath | undefined {
  const dirBytes = pathToBytes(dir);
  let last: BytePath | undefined;
  for (const piece of cut(run, dir)) {
    const entries = run.subarray(piece.start, piece.end);
    const first = pathToBytes(piece.first);
    const head = { dir: dirBytes, first, seal: pageSeal(hash, dirBytes, first, entries), count: piece.count };
    const content = database.run('insert into content (entries) values (?)', entries);
    database.run('insert into page values (?, ?, ?, ?, ?)', head.dir, head.first, head.seal, head.count, content);
    togglePage(hash, meta.root, head);
    meta.pages += 1;
    meta.entries += head.count;
    last = piece.last;
  }
  return last;
}

/** Deletes the pages of a range of keys, e.g. `dir = ?`. */
export function deletePages(
  database: Database,
  hash: Hash,
  meta: Meta,
  range: string,
  values: readonly Buffer[],
): void {
  for (const row of database.all(`delete from page where ${range} returning ${HEAD}`, ...values)) {
    const head = headOf(row);
    database.run('delete from content where id = ?', head.content);
    forgetPage(hash, meta, head);
  }
}

function forgetPage(hash: Hash, meta: Meta, head: PageHead): void {
  togglePage(hash, meta.root, head);
  meta.pages -= 1;
  meta.entries -= head.count;
}

interface Piece {
  readonly start: number;
  readonly end: number;
  readonly first: BytePath;
  readonly last: BytePath;
  readonly count: number;
}

function* cut(run: Buffer, dir: BytePath): Generator<Piece> {
  let start = 0;
  let count = 0;
  let [first, last] = ['' as BytePath, '' as BytePath];
  for (let at = 0; at < run.length; ) {
    const end = at + recordLength(run, at);
    const name = recordName(run, at);
    if (name <= last) throw unsorted(dir, name);
    if (count > 0 && end - start > PAGE_BYTES) {
      yield { start, end: at, first, last, count };
      start = at;
      count = 0;
    }
    if (count === 0) first = name;
    count += 1;
    last = name;
    at = end;
  }
  if (count > 0) yield { start, end: run.length, first, last, count };
}

export function unsorted(dir: BytePath, name: BytePath): AppError {
  return new AppError('INTERNAL', `internal error: ${escapePath(name)} of ${escapePath(dir)} comes out of order`);
}

/** The last name of a run that is not empty. */
export function lastName(run: Buffer): BytePath {
  let at = 0;
  for (let next = recordLength(run, 0); next < run.length; next += recordLength(run, next)) at = next;
  return recordName(run, at);
}
