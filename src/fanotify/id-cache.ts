// File ids as text. A storm names the same few objects over and over: to compare their bytes with those of the last time is
// cheaper than to make strings of them, and equal ids that are one string are cheap to compare and to look up.
import type { FileId } from './decode.ts';

/** A power of two; more directories than this at a time are named as fast as each were new. */
const SLOTS = 256;
/** fsid, struct file_handle, and its MAX_HANDLE_SZ of linux/exportfs.h. */
const ID_BYTES_MAX = 8 + 8 + 128;
/** Where f_handle starts, whose first bytes differ from object to object: inode number and generation, mostly. */
const F_HANDLE_AT = 16;
const HASHED_BYTES = 8;

const texts: (FileId | undefined)[] = new Array(SLOTS).fill(undefined);
const lengths = new Uint8Array(SLOTS);
const copies = new Uint8Array(SLOTS * ID_BYTES_MAX);

/** The id between `start` (its fsid) and `end` (that of its handle), which are in the buffer. */
export function fileIdAt(buffer: Buffer, start: number, end: number): FileId {
  const length = end - start;
  if (length > ID_BYTES_MAX) return textsAt(buffer, start, end);
  const slot = slotOf(buffer, start + F_HANDLE_AT, Math.min(end, start + F_HANDLE_AT + HASHED_BYTES));
  const known = texts[slot];
  const copy = slot * ID_BYTES_MAX;
  if (known !== undefined && lengths[slot] === length && isSame(buffer, start, copies, copy, length)) return known;
  const id = textsAt(buffer, start, end);
  texts[slot] = id;
  lengths[slot] = length;
  copies.set(buffer.subarray(start, end), copy);
  return id;
}

function slotOf(buffer: Buffer, start: number, end: number): number {
  let hash = 0;
  for (let at = start; at < end; at += 1) hash = (hash * 31 + (buffer[at] ?? 0)) | 0;
  return hash & (SLOTS - 1);
}

/** Whether two ranges of bytes are equal, for ranges too short for memcmp to be worth its call. */
export function isSame(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, length: number): boolean {
  for (let at = 0; at < length; at += 1) if (a[aAt + at] !== b[bAt + at]) return false;
  return true;
}

function textsAt(buffer: Buffer, start: number, end: number): FileId {
  return { fsid: buffer.toString('hex', start, start + 8), handle: buffer.toString('latin1', start + 8, end) };
}
