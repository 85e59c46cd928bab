// The packed form of entries: one run of records per directory, sorted by name. Workers make it, the baseline stores it,
// and check compares it with memcmp, so that an unchanged entry never becomes an object.
//
// A record, little endian, padded to 8 bytes:
//    0 u32 record length        24 u64 inode             72 u32 rdev minor
//    4 u16 name length          32 u64 size              76 u32 length of the xattrs
//    6 u16 target length        40 i64 mtime, ns         80 digest, 32 bytes, when DIGEST is set
//    8 u16 st_mode              48 i64 ctime, ns            name, target, xattrs
//   10 u8  bits: DIGEST, SPARSE 56 u32 nlink
//   11 u8  incomplete           60 u32 inode flags
//   12 u32 uid                  64 u32 reserved, 0
//   16 u32 gid                  68 u32 rdev major
//   20 u32 bits: UNSETTLED
import type { Digest, Entry, FileType } from './entry.ts';
import { AppError } from './errors.ts';
import { packXattrs, unpackXattrs } from './packed-xattrs.ts';
import { type BytePath, joinPath, nameOf } from './path.ts';

const FIXED_BYTES = 80;
const DIGEST_BYTES = 32;
const HAS_DIGEST = 1;
const IS_SPARSE = 2;
const IS_UNSETTLED = 1;

/** S_IFMT of inode(7). */
export const S_IFMT = 0o170000;
const TYPES: ReadonlyMap<number, FileType> = new Map([
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'symlink'],
  [0o010000, 'fifo'],
  [0o140000, 'socket'],
  [0o020000, 'char'],
  [0o060000, 'block'],
]);
const TYPE_BITS: ReadonlyMap<FileType, number> = new Map([...TYPES].map(([bits, type]) => [type, bits]));

/** The type of an `st_mode`. */
function typeOfMode(mode: number): FileType {
  const type = TYPES.get(mode & S_IFMT);
  if (type === undefined) throw new AppError('INTERNAL', `internal error: st_mode 0${mode.toString(8)} has no type`);
  return type;
}

/** What a writer of records supplies: an entry without its directory, with the raw `st_mode`. */
export interface RecordFields {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly inode: bigint;
  readonly nlink: number;
  readonly rdevMajor: number;
  readonly rdevMinor: number;
  readonly flags: number;
  readonly incomplete: number;
  readonly isUnsettled?: boolean;
  readonly target: string;
  readonly digest: Digest | undefined;
  /** Packed by `packXattrs`. */
  readonly xattrs: Uint8Array;
}

/** The length in bytes that `writeRecord` will use. */
export function recordBytes(fields: RecordFields): number {
  const digest = fields.digest === undefined ? 0 : DIGEST_BYTES;
  return pad8(FIXED_BYTES + digest + fields.name.length + fields.target.length + fields.xattrs.length);
}

/** Writes one record at `at`, which must have room for `recordBytes(fields)`; returns the offset behind it. */
export function writeRecord(buffer: Buffer, at: number, fields: RecordFields): number {
  const length = recordBytes(fields);
  const end = at + length;
  buffer.writeUInt32LE(length, at);
  buffer.writeUInt16LE(fields.name.length, at + 4);
  buffer.writeUInt16LE(fields.target.length, at + 6);
  buffer.writeUInt16LE(fields.mode, at + 8);
  buffer[at + 10] = digestBits(fields.digest);
  buffer[at + 11] = fields.incomplete;
  buffer.writeUInt32LE(fields.uid, at + 12);
  buffer.writeUInt32LE(fields.gid, at + 16);
  buffer.writeUInt32LE(fields.isUnsettled ? IS_UNSETTLED : 0, at + 20);
  buffer.writeBigUInt64LE(fields.inode, at + 24);
  buffer.writeBigUInt64LE(fields.sizeBytes, at + 32);
  buffer.writeBigInt64LE(fields.mtimeNs, at + 40);
  buffer.writeBigInt64LE(fields.ctimeNs, at + 48);
  buffer.writeUInt32LE(fields.nlink, at + 56);
  buffer.writeUInt32LE(fields.flags, at + 60);
  buffer.writeUInt32LE(0, at + 64);
  buffer.writeUInt32LE(fields.rdevMajor, at + 68);
  buffer.writeUInt32LE(fields.rdevMinor, at + 72);
  buffer.writeUInt32LE(fields.xattrs.length, at + 76);
  let cursor = at + FIXED_BYTES;
  if (fields.digest !== undefined) {
    buffer.set(fields.digest.value, cursor);
    cursor += DIGEST_BYTES;
  }
  cursor += buffer.write(fields.name, cursor, 'latin1');
  cursor += buffer.write(fields.target, cursor, 'latin1');
  buffer.set(fields.xattrs, cursor);
  buffer.fill(0, cursor + fields.xattrs.length, end);
  return end;
}

function digestBits(digest: Digest | undefined): number {
  if (digest === undefined) return 0;
  return digest.algorithm === 'sparse' ? HAS_DIGEST | IS_SPARSE : HAS_DIGEST;
}

function pad8(length: number): number {
  return (length + 7) & ~7;
}

/** The length of the record at `at`; throws when the run does not hold it whole. */
export function recordLength(run: Buffer, at: number): number {
  const left = run.length - at;
  const length = left >= FIXED_BYTES ? run.readUInt32LE(at) : 0;
  if (length < FIXED_BYTES || length > left || length % 8 !== 0) throw damaged(at);
  const body = run.readUInt16LE(at + 4) + run.readUInt16LE(at + 6) + run.readUInt32LE(at + 76);
  const digest = ((run[at + 10] ?? 0) & HAS_DIGEST) === 0 ? 0 : DIGEST_BYTES;
  if (length !== pad8(FIXED_BYTES + digest + body)) throw damaged(at);
  return length;
}

/** How many records a run holds. */
export function countRecords(run: Buffer): number {
  let count = 0;
  for (let at = 0; at < run.length; at += recordLength(run, at)) count += 1;
  return count;
}

function damaged(at: number): AppError {
  return new AppError('BASELINE_UNTRUSTED', `packed entries are damaged at offset ${at}`);
}

export function recordName(run: Buffer, at: number): BytePath {
  const start = nameOffset(run, at);
  return run.toString('latin1', start, start + recordNameLength(run, at)) as BytePath;
}

/** In bytes. */
export function recordNameLength(run: Buffer, at: number): number {
  return run.readUInt16LE(at + 4);
}

/** The raw `st_mode`. */
export function recordMode(run: Buffer, at: number): number {
  return run.readUInt16LE(at + 8);
}

/** Nanoseconds since the epoch. */
export function recordCtimeNs(run: Buffer, at: number): bigint {
  return run.readBigInt64LE(at + 48);
}

/** `inodeKey` of the inode number, without a big integer for it. */
export function recordInodeKey(run: Buffer, at: number): number {
  return (run.readUInt32LE(at + 24) ^ run.readUInt32LE(at + 28)) >>> 0;
}

export function recordIncomplete(run: Buffer, at: number): number {
  return run[at + 11] ?? 0;
}

/** `Entry.isUnsettled`. */
export function recordIsUnsettled(run: Buffer, at: number): boolean {
  return ((run[at + 20] ?? 0) & IS_UNSETTLED) !== 0;
}

export function nameOffset(run: Buffer, at: number): number {
  return at + FIXED_BYTES + (((run[at + 10] ?? 0) & HAS_DIGEST) === 0 ? 0 : DIGEST_BYTES);
}

/** The digest of the record at `at` as a view, or undefined. */
export function recordDigest(run: Buffer, at: number): Digest | undefined {
  const bits = run[at + 10] ?? 0;
  if ((bits & HAS_DIGEST) === 0) return undefined;
  const value = run.subarray(at + FIXED_BYTES, at + FIXED_BYTES + DIGEST_BYTES);
  return { algorithm: (bits & IS_SPARSE) === 0 ? 'blake3' : 'sparse', value };
}

/** Decodes the record at `at` into an entry of the directory `dir`; the result shares no memory with the run. */
export function readRecord(run: Buffer, at: number, dir: BytePath): Entry {
  const length = recordLength(run, at);
  const record = Buffer.from(run.subarray(at, at + length));
  const name = nameOffset(record, 0);
  const target = name + record.readUInt16LE(4);
  const xattrs = target + record.readUInt16LE(6);
  const mode = recordMode(record, 0);
  const type = typeOfMode(mode);
  return {
    path: joinPath(dir, recordName(record, 0)),
    type,
    mode: mode & 0o7777,
    uid: record.readUInt32LE(12),
    gid: record.readUInt32LE(16),
    sizeBytes: record.readBigUInt64LE(32),
    mtimeNs: record.readBigInt64LE(40),
    ctimeNs: record.readBigInt64LE(48),
    inode: record.readBigUInt64LE(24),
    nlink: record.readUInt32LE(56),
    rdev: { major: record.readUInt32LE(68), minor: record.readUInt32LE(72) },
    target: type === 'symlink' ? (record.toString('latin1', target, xattrs) as BytePath) : undefined,
    digest: recordDigest(record, 0),
    xattrs: unpackXattrs(record.subarray(xattrs, xattrs + record.readUInt32LE(76))),
    flags: record.readUInt32LE(60),
    incomplete: recordIncomplete(record, 0),
    ...(recordIsUnsettled(record, 0) && { isUnsettled: true }),
  };
}

/** The offsets of all records of a run, in order. */
export function* recordOffsets(run: Buffer): Generator<number> {
  for (let at = 0; at < run.length; at += recordLength(run, at)) yield at;
}

/** Packs entries of one directory, which must be sorted by name. */
export function packRun(entries: readonly Entry[]): Buffer {
  const fields = entries.map((entry) => fieldsOfEntry(entry, nameOf(entry.path)));
  const run = Buffer.alloc(fields.reduce((sum, one) => sum + recordBytes(one), 0));
  fields.reduce((at, one) => writeRecord(run, at, one), 0);
  return run;
}

/** The entry back to its record fields: the inverse of `readRecord`. */
export function fieldsOfEntry(entry: Entry, name: BytePath): RecordFields {
  return {
    name,
    mode: entry.mode | (TYPE_BITS.get(entry.type) ?? 0),
    uid: entry.uid,
    gid: entry.gid,
    sizeBytes: entry.sizeBytes,
    mtimeNs: entry.mtimeNs,
    ctimeNs: entry.ctimeNs,
    inode: entry.inode,
    nlink: entry.nlink,
    rdevMajor: entry.rdev.major,
    rdevMinor: entry.rdev.minor,
    flags: entry.flags,
    incomplete: entry.incomplete,
    isUnsettled: entry.isUnsettled ?? false,
    target: entry.target ?? '',
    digest: entry.digest,
    xattrs: packXattrs(entry.xattrs),
  };
}
