// Pages: a directory's packed run cut into pieces small enough to rewrite for one accepted entry, each under a seal of its
// own. Whoever makes the same run makes the same pages, so equal seals say that nothing changed.
import { AppError } from './errors.ts';
import { escapePath } from './escape.ts';
import { nameOffset, recordLength, recordName, recordNameLength } from './packed.ts';
import { type BytePath, pathToBytes } from './path.ts';
import { createScratch } from './scratch.ts';
import type { Hash } from './seal.ts';

/** A page holds at most this many bytes of records, or one record that is longer. */
const PAGE_BYTES = 16 * 1024;

export interface Piece {
  /** Offsets into the run. */
  readonly start: number;
  readonly end: number;
  readonly first: BytePath;
  readonly count: number;
}

/** Cuts a sorted run into pages. Throws INTERNAL when its names do not ascend. */
export function cutRun(run: Buffer, dir: BytePath): Piece[] {
  const pieces: Piece[] = [];
  let start = 0;
  let count = 0;
  const cut = (end: number): void => {
    pieces.push({ start, end, first: recordName(run, start), count });
    start = end;
    count = 0;
  };
  for (let at = 0, before = -1; at < run.length; ) {
    const end = at + recordLength(run, at);
    const isBehind = before < 0 ? recordNameLength(run, at) > 0 : isNameBefore(run, before, at);
    if (!isBehind) throw unsorted(dir, recordName(run, at));
    if (count > 0 && end - start > PAGE_BYTES) cut(at);
    count += 1;
    before = at;
    at = end;
  }
  if (count > 0) cut(run.length);
  return pieces;
}

/** Whether the name of the record at `a` comes before that of the record at `b`. */
function isNameBefore(run: Buffer, a: number, b: number): boolean {
  const [lengthA, lengthB] = [recordNameLength(run, a), recordNameLength(run, b)];
  const [startA, startB] = [nameOffset(run, a), nameOffset(run, b)];
  for (let index = 0; index < lengthA && index < lengthB; index += 1) {
    const difference = (run[startA + index] ?? 0) - (run[startB + index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return lengthA < lengthB;
}

export function unsorted(dir: BytePath, name: BytePath): AppError {
  return new AppError('INTERNAL', `internal error: ${escapePath(name)} of ${escapePath(dir)} comes out of order`);
}

const scratch = createScratch();

/** The seal of a page: of its directory, its first name and its records. */
export function pageSeal(hash: Hash, dir: Buffer, first: Buffer, entries: Buffer): Buffer {
  // As sealOf would, for the parts of every page, without its lists: each worker does this for each directory.
  const framed = scratch(12 + dir.length + first.length + entries.length);
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
  return cutRun(run, dir).map(({ first, start, end }) => seal(first, run.subarray(start, end)));
}
