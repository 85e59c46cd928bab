// Quick seals: what `check --quick` trusts of a page (domain/page.ts), as one digest, so that who has only asked for the stat
// of each name can tell that nothing changed.
//
// Sealed are the directory, one to eight NULs up to a multiple of 8, and for each record, little endian:
//    0 u32 st_mode, with HAS_DIGEST   12 u32 name length       32 i64 mtime, ns
//    4 u32 uid                        16 u64 inode             40 i64 ctime, ns
//    8 u32 gid                        24 u64 size              48 name, one to eight NULs up to a multiple of 8
import {
  nameOffset,
  recordIncomplete,
  recordIsUnsettled,
  recordLength,
  recordMode,
  recordNameLength,
  S_IFMT,
} from './packed.ts';
import type { BytePath } from './path.ts';
import { createScratch } from './scratch.ts';
import { type Hash, noSeal, SEAL_BYTES } from './seal.ts';

export const QUICK_FIXED_BYTES = 48;
/** Set in the mode of a regular file whose digest is known: without it, its content was never looked at. */
export const HAS_DIGEST = 0x10000;

const S_IFREG = 0o100000;
const HAS_DIGEST_BIT = 1;

/** The length of a name or a directory with the NULs behind it. */
export function paddedLength(length: number): number {
  return (length + 8) & ~7;
}

const scratch = createScratch();

/** The quick seal of a page; of one that holds what could not be read, or had only just changed, there is none, which all zeros stand for. */
export function quickSealOf(hash: Hash, dir: Buffer, entries: Buffer): Uint8Array {
  let length = paddedLength(dir.length);
  for (let at = 0; at < entries.length; at += recordLength(entries, at)) {
    if (recordIncomplete(entries, at) !== 0 || recordIsUnsettled(entries, at)) return noSeal();
    length += QUICK_FIXED_BYTES + paddedLength(recordNameLength(entries, at));
  }
  const bytes = scratch(length);
  let end = writePadded(bytes, 0, dir, 0, dir.length);
  for (let at = 0; at < entries.length; at += entries.readUInt32LE(at)) {
    const nameLength = recordNameLength(entries, at);
    bytes.writeUInt32LE(modeOf(entries, at), end);
    copyBytes(bytes, end + 4, entries, at + 12, 8);
    bytes.writeUInt32LE(nameLength, end + 12);
    copyBytes(bytes, end + 16, entries, at + 24, 32);
    end = writePadded(bytes, end + QUICK_FIXED_BYTES, entries, nameOffset(entries, at), nameLength);
  }
  return hash(bytes);
}

/** Writes a name and the NULs behind it; returns where they end. */
function writePadded(to: Buffer, at: number, from: Buffer, start: number, length: number): number {
  const end = at + paddedLength(length);
  copyBytes(to, at, from, start, length);
  for (let nul = at + length; nul < end; nul += 1) to[nul] = 0;
  return end;
}

/** Few bytes: a call into Node costs more than this loop. */
function copyBytes(to: Buffer, at: number, from: Buffer, start: number, length: number): void {
  for (let index = 0; index < length; index += 1) to[at + index] = from[start + index] ?? 0;
}

function modeOf(entries: Buffer, at: number): number {
  const mode = recordMode(entries, at);
  const hasDigest = (mode & S_IFMT) === S_IFREG && ((entries[at + 10] ?? 0) & HAS_DIGEST_BIT) !== 0;
  return hasDigest ? mode | HAS_DIGEST : mode;
}

/** All zeros: nothing is ever equal to it. */
export function isNoSeal(seal: Uint8Array): boolean {
  for (let at = 0; at < SEAL_BYTES; at += 1) if (seal[at] !== 0) return false;
  return true;
}

/** A hash of a directory's path for finding it in a table (FNV-1a); paths and bytes of paths give the same. */
export function hashOfDirectory(dir: BytePath | Uint8Array): number {
  let hash = 0x811c9dc5;
  if (typeof dir === 'string') {
    for (let at = 0; at < dir.length; at += 1) hash = Math.imul(hash ^ dir.charCodeAt(at), 0x01000193);
  } else {
    for (let at = 0; at < dir.length; at += 1) hash = Math.imul(hash ^ (dir[at] ?? 0), 0x01000193);
  }
  return hash >>> 0;
}
