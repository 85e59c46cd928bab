// A few bytes for what an entry is like: equal prints, equal entries, as far as anybody has to do something about it.
import { nameOffset, recordDigest, recordIncomplete, recordLength, S_IFMT } from './packed.ts';
import type { Hash } from './seal.ts';

/** Of what could not be read: equal to nothing, not even to itself. */
export const NO_PRINT = '';

const PRINT_BYTES = 16;
const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;

/**
 * The print of a packed record, one character per byte: of its type, mode, owner, device, content, target and extended
 * attributes. No times, but of a file whose content was not read: whoever rewrites a file with the same bytes has changed
 * nothing.
 */
export function printOf(hash: Hash, run: Buffer, at: number): string {
  if (recordIncomplete(run, at) !== 0) return NO_PRINT;
  const name = nameOffset(run, at);
  const parts = [
    // Length of the target, mode, bits, owner; rdev and length of the xattrs; digest; target, xattrs.
    run.subarray(at + 6, at + 20),
    run.subarray(at + 68, name),
    run.subarray(name + run.readUInt16LE(at + 4), at + recordLength(run, at)),
    // Size; mtime.
    ...(recordIsDirectory(run, at) ? [] : [run.subarray(at + 32, at + 40)]),
    ...(recordDigest(run, at) === undefined && formatOf(run, at) === S_IFREG ? [run.subarray(at + 40, at + 48)] : []),
  ];
  const seal = hash(Buffer.concat(parts));
  return Buffer.from(seal.buffer, seal.byteOffset, PRINT_BYTES).toString('latin1');
}

/** Of the packed record at `at`. */
export function recordIsDirectory(run: Buffer, at: number): boolean {
  return formatOf(run, at) === S_IFDIR;
}

function formatOf(run: Buffer, at: number): number {
  return run.readUInt16LE(at + 8) & S_IFMT;
}
