// Pages: a directory's packed run cut into pieces small enough to rewrite for one accepted entry, each under a seal of its
// own. Whoever makes the same run makes the same pages, so equal seals say that nothing changed.
import { AppError } from './errors.ts';
import { escapePath } from './escape.ts';
import { recordLength, recordName } from './packed.ts';
import { type BytePath, pathToBytes } from './path.ts';
import type { Hash } from './seal.ts';

/** A page holds at most this many bytes of records, or one record that is longer. */
const PAGE_BYTES = 16 * 1024;

export interface Piece {
  /** Offsets into the run. */
  readonly start: number;
  readonly end: number;
  readonly first: BytePath;
  readonly last: BytePath;
  readonly count: number;
}

/** Cuts a sorted run into pages. Throws INTERNAL when its names do not ascend. */
export function* cutRun(run: Buffer, dir: BytePath): Generator<Piece> {
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

/** The seal of a page: of its directory, its first name and its records. */
export function pageSeal(hash: Hash, dir: Buffer, first: Buffer, entries: Buffer): Buffer {
  // As sealOf would, for the parts of every page, without its lists: each worker does this for each directory.
  const framed = Buffer.allocUnsafe(12 + dir.length + first.length + entries.length);
  let at = framed.writeUInt32LE(dir.length, 0);
  framed.set(dir, at);
  at = framed.writeUInt32LE(first.length, at + dir.length);
  framed.set(first, at);
  at = framed.writeUInt32LE(entries.length, at + first.length);
  framed.set(entries, at);
  const seal = hash(framed);
  return Buffer.from(seal.buffer, seal.byteOffset, seal.byteLength);
}

/** The seals of all pages of a directory's whole run. */
export function sealsOf(hash: Hash, dir: BytePath, run: Buffer): Buffer[] {
  const dirBytes = pathToBytes(dir);
  const seal = (first: BytePath, entries: Buffer): Buffer => pageSeal(hash, dirBytes, pathToBytes(first), entries);
  if (run.length > 0 && run.length <= PAGE_BYTES) return [seal(recordName(run, 0), run)];
  return [...cutRun(run, dir)].map(({ first, start, end }) => seal(first, run.subarray(start, end)));
}
