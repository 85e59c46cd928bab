// Pages in the baseline's file (domain/page.ts): their rows, and their share of the sum that the facts seal.

import { escapePath } from '../domain/escape.ts';
import { recordLength, recordName } from '../domain/packed.ts';
import { cutRun, pageSeal } from '../domain/page.ts';
import { type BytePath, pathToBytes } from '../domain/path.ts';
import { quickSealOf } from '../domain/quick-seal.ts';
import { type Hash, isSameSeal, SEAL_BYTES, toggleSeal } from '../domain/seal.ts';
import { bytesColumn, integerColumn } from './column.ts';
import type { Database, Row } from './driver.ts';
import { untrusted } from './failure.ts';
import type { Meta } from './meta.ts';

/**
 * What identifies a page: its directory, its first name, its seal (followed by its quick seal, where the file has them) and
 * how many records it holds; not the records.
 */
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
  if (!isSameSeal(seal, bytesColumn(row, 'seal').subarray(0, SEAL_BYTES)))
    throw untrusted(`entries of ${escapePath(dir)} do not match their seal`);
  return entries;
}

/** Puts a page into the sum, or takes it out; its key is bound to its seal here, so that a scan need not read the records. */
function togglePage(hash: Hash, sum: Buffer, { dir, first, seal, count }: Omit<PageHead, 'content'>): void {
  const decimal = `${count};`;
  const bytes = Buffer.allocUnsafe(dir.length + first.length + 2 + seal.length + decimal.length);
  bytes.set(dir, 0);
  bytes[dir.length] = 0;
  bytes.set(first, dir.length + 1);
  const end = dir.length + 1 + first.length;
  bytes[end] = 0;
  bytes.set(seal, end + 1);
  bytes.write(decimal, end + 1 + seal.length, 'latin1');
  toggleSeal(sum, hash(bytes));
}

/** The bytes that `togglePage` puts into the sum, as SQLite makes them (verify.ts). */
export const SUMMED = "dir || x'00' || first || x'00' || seal || count || ';'";

/** A page on its way into the file. */
export interface NewPage extends Omit<PageHead, 'content'> {
  readonly entries: Buffer;
}

/** Cuts a sorted run into pages and counts them in. Throws INTERNAL when its names do not ascend. */
export function sealRun(hash: Hash, meta: Meta, dir: BytePath, run: Buffer, take: (page: NewPage) => void): void {
  const dirBytes = pathToBytes(dir);
  for (const piece of cutRun(run, dir)) {
    const entries = run.subarray(piece.start, piece.end);
    const first = pathToBytes(piece.first);
    const seal = sealOfPage(hash, meta, dirBytes, first, entries);
    const page = { dir: dirBytes, first, seal, count: piece.count, entries };
    togglePage(hash, meta.root, page);
    meta.pages += 1;
    meta.entries += page.count;
    take(page);
  }
}

/** The column `seal`. */
function sealOfPage(hash: Hash, { hasQuick }: Meta, dir: Buffer, first: Buffer, entries: Buffer): Buffer {
  const own = pageSeal(hash, dir, first, entries);
  if (!hasQuick) return own;
  const both = Buffer.allocUnsafe(2 * SEAL_BYTES);
  both.set(own, 0);
  both.set(quickSealOf(hash, dir, entries), SEAL_BYTES);
  return both;
}

/** Inserts the pages of a run. */
export function insertRun(database: Database, hash: Hash, meta: Meta, dir: BytePath, run: Buffer): void {
  sealRun(hash, meta, dir, run, (page) => {
    const content = database.run('insert into content (entries) values (?)', page.entries);
    database.run('insert into page values (?, ?, ?, ?, ?)', page.dir, page.first, page.seal, page.count, content);
  });
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

/** The last name of a run that is not empty. */
export function lastName(run: Buffer): BytePath {
  let at = 0;
  for (let next = recordLength(run, 0); next < run.length; next += recordLength(run, next)) at = next;
  return recordName(run, at);
}
