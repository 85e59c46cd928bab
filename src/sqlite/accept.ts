// The next generation of the baseline from the present one: only the pages that are touched are written again.
import type { Entry } from '../domain/entry.ts';
import { fieldsOfEntry, recordBytes, recordLength, recordName, writeRecord } from '../domain/packed.ts';
import { type BytePath, comparePaths, dirOf, nameOf, pathToBytes } from '../domain/path.ts';
import type { Hash } from '../domain/seal.ts';
import type { Commit } from '../engine/ports/store.ts';
import { below } from './baseline.ts';
import { bytesColumn, pathColumn } from './column.ts';
import type { Database, Row } from './driver.ts';
import { assertCommitted, type Meta } from './meta.ts';
import { deletePages, insertRun, PAGES, recordsOf } from './page.ts';

/** Drops first, so that a path may be dropped with everything below it and set again as something else. */
export function applyAccept(
  database: Database,
  hash: Hash,
  meta: Meta,
  { put, drop }: NonNullable<Commit['accept']>,
): void {
  assertCommitted(meta);
  for (const path of drop) {
    deletePages(database, hash, meta, 'dir = ?1', [pathToBytes(path)]);
    deletePages(database, hash, meta, 'dir >= ?1 and dir < ?2', below(path).map(pathToBytes));
  }
  for (const [dir, changes] of byDirectory(put, drop)) changeDirectory(database, hash, meta, dir, changes);
  meta.generation += 1;
  meta.createdMs = Date.now();
}

/** What becomes of a name: its record, or nothing. */
type Changes = Map<BytePath, Buffer | undefined>;

function byDirectory(put: readonly Entry[], drop: readonly BytePath[]): Map<BytePath, Changes> {
  const directories = new Map<BytePath, Changes>();
  const set = (path: BytePath, record: Buffer | undefined): void => {
    const changes: Changes = directories.get(dirOf(path)) ?? new Map();
    directories.set(dirOf(path), changes.set(nameOf(path), record));
  };
  for (const path of drop) set(path, undefined);
  for (const entry of put) set(entry.path, recordOf(entry));
  return directories;
}

function recordOf(entry: Entry): Buffer {
  const fields = fieldsOfEntry(entry, nameOf(entry.path));
  const record = Buffer.alloc(recordBytes(fields));
  writeRecord(record, 0, fields);
  return record;
}

/** Goes through the directory's pages once, in order, with the sorted changes that fall into each. */
function changeDirectory(database: Database, hash: Hash, meta: Meta, dir: BytePath, changes: Changes): void {
  const sorted = [...changes].sort(([a], [b]) => comparePaths(a, b));
  const dirBytes = pathToBytes(dir);
  for (let at = 0; at < sorted.length; ) {
    const name = pathToBytes(sorted[at]?.[0] ?? dir);
    // The page that holds the name or would hold it; names before the first page go into that one.
    const page = database.get(PAGE_BEFORE, dirBytes, name) ?? database.get(PAGE_AFTER, dirBytes, name);
    const end = page === undefined ? sorted.length : endOfPage(database, dirBytes, page, sorted, at);
    const run = page === undefined ? Buffer.alloc(0) : takePage(database, hash, meta, dir, page);
    insertRun(database, hash, meta, dir, merge(run, sorted.slice(at, end)));
    at = end;
  }
}

const PAGE_BEFORE = `select * from ${PAGES} where dir = ? and first <= ? order by first desc limit 1`;
const PAGE_AFTER = `select * from ${PAGES} where dir = ? and first > ? order by first limit 1`;
const NEXT_FIRST = 'select first from page where dir = ? and first > ? order by first limit 1';

/** The index of the first change that belongs to a later page. */
function endOfPage(
  database: Database,
  dir: Buffer,
  page: Row,
  sorted: readonly (readonly [BytePath, unknown])[],
  from: number,
): number {
  const next = database.get(NEXT_FIRST, dir, bytesColumn(page, 'first'));
  if (next === undefined) return sorted.length;
  const limit = pathColumn(next, 'first');
  let end = from + 1;
  while (end < sorted.length && (sorted[end]?.[0] ?? limit) < limit) end += 1;
  return end;
}

/** Deletes a page and returns its records. */
function takePage(database: Database, hash: Hash, meta: Meta, dir: BytePath, page: Row): Buffer {
  const run = recordsOf(hash, page, dir);
  deletePages(database, hash, meta, 'dir = ?1 and first = ?2', [pathToBytes(dir), bytesColumn(page, 'first')]);
  return run;
}

/** A sorted run with the changes applied. */
function merge(run: Buffer, changes: readonly (readonly [BytePath, Buffer | undefined])[]): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (const [name, record] of changes) {
    const start = at;
    while (at < run.length && recordName(run, at) < name) at += recordLength(run, at);
    parts.push(run.subarray(start, at));
    if (at < run.length && recordName(run, at) === name) at += recordLength(run, at);
    if (record !== undefined) parts.push(record);
  }
  return Buffer.concat([...parts, run.subarray(at)]);
}
