// The accepted state, read. Each answer comes from one statement, so from one generation, even beside a writer.
import type { Entry } from '../domain/entry.ts';
import { readRecord, recordLength, recordName, recordOffsets } from '../domain/packed.ts';
import { type BytePath, dirOf, nameOf, pathToBytes, ROOT, ROOT_DIR } from '../domain/path.ts';
import { type Hash, isSameSeal } from '../domain/seal.ts';
import type { Baseline } from '../engine/ports/store.ts';
import { bytesColumn, pathColumn } from './column.ts';
import type { Database, Row, SqlValue } from './driver.ts';
import { assertCommitted, readMeta } from './meta.ts';
import { PAGES, recordsOf } from './page.ts';
import { type Verified, verifyPages } from './verify.ts';

interface Parts {
  readonly database: Database;
  readonly hash: Hash;
  /** Another number after everything of this store that may have changed the baseline. */
  readonly version: () => number;
  /** What was found when it was opened. */
  readonly verified?: Verified | undefined;
}

export function baselineOf(parts: Parts): Baseline {
  const { database, hash, verified } = parts;
  return {
    info() {
      const meta = readMeta(database, hash);
      assertCommitted(meta);
      const { generation, entries, createdMs, roots } = meta;
      return { generation, entries, createdMs, roots };
    },
    run(dir, after, upTo) {
      const run = joined(hash, pagesOf(database, dir, after, upTo), dir);
      return after === undefined && upTo === undefined ? run : within(run, after, upTo);
    },
    find(path) {
      const dir = dirOf(path);
      const row = database.get(PAGE_OF, ...key(path));
      return row === undefined ? undefined : findIn(recordsOf(hash, row, dir), dir, nameOf(path));
    },
    names(dir, names) {
      const found: Buffer[] = [];
      const dirBytes = pathToBytes(dir);
      let page: { readonly run: Buffer; readonly next: BytePath | undefined } | undefined;
      let at = 0;
      for (const name of names) {
        if (page === undefined || (page.next !== undefined && name >= page.next)) {
          const row = database.get(PAGE_AND_NEXT, dirBytes, pathToBytes(name));
          page = row && {
            run: recordsOf(hash, row, dir),
            next: row['next'] === null ? undefined : pathColumn(row, 'next'),
          };
          at = 0;
        }
        if (page === undefined) continue;
        const { run } = page;
        at = offsetOf(run, at, name);
        if (at < run.length && recordName(run, at) === name) found.push(run.subarray(at, at + recordLength(run, at)));
      }
      return Buffer.concat(found);
    },
    seals() {
      const isAsOpened = verified !== undefined && isSameSeal(readMeta(database, hash).root, verified.meta.root);
      return (isAsOpened ? verified : verifyPages(database, hash)).seals;
    },
    *verify() {
      for (let rows = database.all(FIRST_PAGES); rows.length > 0; ) {
        for (const row of rows) recordsOf(hash, row, pathColumn(row, 'dir'));
        yield;
        const last = rows[rows.length - 1] ?? {};
        rows = database.all(NEXT_PAGES, bytesColumn(last, 'dir'), bytesColumn(last, 'first'));
      }
    },
    *below(path) {
      yield* runs(parts, [path, `${path}\0` as BytePath]);
      yield* runs(parts, below(path));
    },
  };
}

const SELECT = `select dir, first, seal, entries from ${PAGES}`;
const PAGE_OF = `${SELECT} where dir = ? and first <= ? order by first desc limit 1`;
/** The page that may hold a name, and where the one behind it begins: in one statement, as they are at one time. */
const PAGE_AND_NEXT = `
  select dir, first, seal, entries,
    (select min(other.first) from page as other where other.dir = ?1 and other.first > ?2) as next
  from ${PAGES} where dir = ?1 and first <= ?2 order by first desc limit 1`;
const FIRST_PAGES = `${SELECT} order by dir, first limit 64`;
const NEXT_PAGES = `${SELECT} where (dir, first) > (?, ?) order by dir, first limit 64`;
const NOTHING = Buffer.alloc(0);

/** The columns `dir` and `first` of a path's own record. */
function key(path: BytePath): [Buffer, Buffer] {
  return [pathToBytes(dirOf(path)), pathToBytes(nameOf(path))];
}

/** From the page that may hold the name behind `after` to the last one that may hold `upTo`. */
function pagesOf(database: Database, dir: BytePath, after?: BytePath, upTo?: BytePath): readonly Row[] {
  const from = "first >= coalesce((select max(first) from page where dir = ?1 and first <= ?2), x'')";
  const lower = after === undefined ? NOTHING : pathToBytes(after);
  const values: SqlValue[] = [pathToBytes(dir), lower];
  if (upTo === undefined) return database.all(`${SELECT} where dir = ?1 and ${from} order by first`, ...values);
  const bounded = `${SELECT} where dir = ?1 and ${from} and first <= ?3 order by first`;
  return database.all(bounded, ...values, pathToBytes(upTo));
}

function joined(hash: Hash, rows: readonly Row[], dir: BytePath): Buffer {
  const pages = rows.map((row) => recordsOf(hash, row, dir));
  return pages.length === 1 ? (pages[0] ?? NOTHING) : Buffer.concat(pages);
}

/** The part of a sorted run with `after` < name <= `upTo`. */
function within(run: Buffer, after?: BytePath, upTo?: BytePath): Buffer {
  let start = 0;
  while (after !== undefined && start < run.length && recordName(run, start) <= after)
    start += recordLength(run, start);
  let end = start;
  while (end < run.length && (upTo === undefined || recordName(run, end) <= upTo)) end += recordLength(run, end);
  return run.subarray(start, end);
}

/** Of the first record from `at` on that is the name or behind it; the run's length when there is none. */
function offsetOf(run: Buffer, at: number, name: BytePath): number {
  let offset = at;
  while (offset < run.length && recordName(run, offset) < name) offset += recordLength(run, offset);
  return offset;
}

function findIn(run: Buffer, dir: BytePath, name: BytePath): Entry | undefined {
  for (const at of recordOffsets(run)) if (recordName(run, at) === name) return readRecord(run, at, dir);
  return undefined;
}

/**
 * The directories below `path` as a half-open range of bytes; `path` itself is not in it, because siblings such as `path-x`
 * sort between the two. '0' is the byte behind '/'; no name holds NUL.
 */
export function below(path: BytePath): readonly [from: BytePath, to: BytePath] {
  if (path === ROOT_DIR) return [ROOT, '0' as BytePath];
  return path === ROOT ? ['/\0' as BytePath, '0' as BytePath] : [`${path}/` as BytePath, `${path}0` as BytePath];
}

interface Run {
  readonly dir: BytePath;
  readonly run: Buffer;
}

/** Pages in one statement: few at first, as whoever asks may want the first directory alone. */
const AT_FIRST = 4;
const AT_MOST = 64;

/**
 * Every directory with entries from `from` on, before `to`; each as it is when it is asked for, but for what another process
 * accepts meanwhile.
 */
function* runs({ database, hash, version }: Parts, [from, to]: readonly [BytePath, BytePath]): Generator<Run> {
  const upper = pathToBytes(to);
  for (let lower = pathToBytes(from), limit = AT_FIRST; ; limit = Math.min(limit * 4, AT_MOST)) {
    const before = version();
    const rows = database.all(PAGES_BETWEEN, lower, upper, limit);
    const isWhole = rows.length < limit;
    for (const pages of isWhole ? byDirectory(rows) : wholeDirectories(database, rows, upper)) {
      lower = Buffer.concat([dirColumn(pages, 0), NUL]);
      yield runOf(hash, pages);
      if (version() !== before) break;
    }
    if (version() !== before) limit = AT_FIRST;
    else if (isWhole) return;
  }
}

/** Without the last one, of which there may be more pages; that of which there are more pages than were asked for, as a whole. */
function wholeDirectories(database: Database, rows: readonly Row[], upper: Buffer): (readonly Row[])[] {
  const groups = byDirectory(rows);
  return groups.length > 1 ? groups.slice(0, -1) : byDirectory(database.all(PAGES_FROM, dirColumn(rows, 0), upper));
}

function byDirectory(rows: readonly Row[]): (readonly Row[])[] {
  const groups: (readonly Row[])[] = [];
  for (let start = 0, end = 1; start < rows.length; start = end, end += 1) {
    const dir = dirColumn(rows, start);
    while (end < rows.length && dir.equals(dirColumn(rows, end))) end += 1;
    groups.push(rows.slice(start, end));
  }
  return groups;
}

function dirColumn(rows: readonly Row[], at: number): Buffer {
  return bytesColumn(rows[at] ?? {}, 'dir');
}

function runOf(hash: Hash, pages: readonly Row[]): Run {
  const dir = pathColumn(pages[0] ?? {}, 'dir');
  return { dir, run: joined(hash, pages, dir) };
}

const PAGES_BETWEEN = `${SELECT} where dir >= ? and dir < ? order by dir, first limit ?`;
/** Of the first directory from there on: another process may have dropped that one in between. */
const PAGES_FROM = `
  ${SELECT} where dir = (select dir from page where dir >= ? and dir < ? order by dir limit 1) order by first`;
const NUL = Buffer.alloc(1);
