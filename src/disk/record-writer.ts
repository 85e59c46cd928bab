// Packed records straight from statx memory: the same bytes as `writeRecord` of domain/packed.ts, without an object or a
// bigint parameter per file. A test holds the two together.
import type { Digest } from '../domain/entry.ts';
import { writeLatin1 } from '../domain/latin1.ts';
import { type Stat, WORD } from '../libc/statx.ts';
import { statMode, writeTimeNs } from './stat.ts';

/** What a record has beside its stat; filled in anew for each entry. */
export interface Extras {
  digest: Digest | undefined;
  target: Uint8Array;
  /** Packed by `packXattrs`. */
  xattrs: Uint8Array;
  flags: number;
  incomplete: number;
  isUnsettled: boolean;
}

export interface RecordWriter {
  /** Bytes written since the last `take`. */
  length(): number;
  write(stat: Stat, name: string, extras: Extras): void;
  /** Appends the record at `at` of another run as it is. */
  copy(run: Buffer, at: number, length: number): void;
  /** How many records were appended since the writer was made, how many of them by `copy`, how many that are incomplete. */
  readonly counts: Counts;
  /** Whether the stat agrees with the record at `at` of `run` in everything that isSameStat compares. */
  isSame(stat: Stat, run: Buffer, at: number): boolean;
  /** What was written since the length was `start`; good until the next call. */
  from(start: number): Buffer;
  /** Forgets what was written since the length was `start`. */
  rewind(start: number): void;
  /** What was written, as memory that can be transferred; starts over. */
  take(): ArrayBuffer;
}

export interface Counts {
  records: number;
  copies: number;
  incomplete: number;
}

const FIXED_BYTES = 80;
const DIGEST_BYTES = 32;
const FIRST_BYTES = 1 << 18;
const EMPTY = new Uint8Array(0);

export function noExtras(): Extras {
  return { digest: undefined, target: EMPTY, xattrs: EMPTY, flags: 0, incomplete: 0, isUnsettled: false };
}

export function clearExtras(extras: Extras): void {
  extras.digest = undefined;
  extras.target = EMPTY;
  extras.xattrs = EMPTY;
  extras.flags = 0;
  extras.incomplete = 0;
  extras.isUnsettled = false;
}

interface Views {
  readonly bytes: Buffer;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
}

function viewsOf(buffer: ArrayBuffer): Views {
  return {
    bytes: Buffer.from(buffer),
    u16: new Uint16Array(buffer),
    u32: new Uint32Array(buffer),
  };
}

export function createRecordWriter(): RecordWriter {
  let views = viewsOf(new ArrayBuffer(FIRST_BYTES));
  const probe = viewsOf(new ArrayBuffer(FIXED_BYTES));
  let end = 0;
  const counts: Counts = { records: 0, copies: 0, incomplete: 0 };

  const reserve = (length: number): void => {
    if (end + length <= views.bytes.length) return;
    const larger = viewsOf(new ArrayBuffer(2 ** Math.ceil(Math.log2(end + length))));
    larger.bytes.set(views.bytes.subarray(0, end));
    views = larger;
  };

  return {
    length: () => end,
    write: (stat, name, extras) => {
      const length = recordLengthOf(name, extras);
      reserve(length);
      writeFixed(views, end, stat);
      writeRest(views, end, length, name, extras);
      end += length;
      counts.records += 1;
      if (extras.incomplete !== 0) counts.incomplete += 1;
    },
    copy: (run, at, length) => {
      reserve(length);
      run.copy(views.bytes, end, at, at + length);
      end += length;
      counts.records += 1;
      counts.copies += 1;
    },
    counts,
    isSame: (stat, run, at) => {
      writeFixed(probe, 0, stat);
      return isSameFixed(probe.bytes, run, at);
    },
    from: (start) => views.bytes.subarray(start, end),
    rewind: (start) => {
      end = start;
    },
    take: () => {
      const taken = views.bytes.buffer.slice(0, end) as ArrayBuffer;
      end = 0;
      return taken;
    },
  };
}

function recordLengthOf(name: string, extras: Extras): number {
  const digest = extras.digest === undefined ? 0 : DIGEST_BYTES;
  return (FIXED_BYTES + digest + name.length + extras.target.length + extras.xattrs.length + 7) & ~7;
}

/** The fields that come from the stat, at an offset that is a multiple of 8. */
function writeFixed({ u16, u32 }: Views, at: number, stat: Stat): void {
  const w = at >> 2;
  u16[(at >> 1) + 4] = statMode(stat);
  u32[w + 3] = stat.u32[WORD.uid] ?? 0;
  u32[w + 4] = stat.u32[WORD.gid] ?? 0;
  u32[w + 6] = stat.u32[WORD.ino] ?? 0;
  u32[w + 7] = stat.u32[WORD.ino + 1] ?? 0;
  u32[w + 8] = stat.u32[WORD.size] ?? 0;
  u32[w + 9] = stat.u32[WORD.size + 1] ?? 0;
  writeTimeNs(stat, WORD.mtime, u32, w + 10);
  writeTimeNs(stat, WORD.ctime, u32, w + 12);
  u32[w + 14] = stat.u32[WORD.nlink] ?? 0;
  u32[w + 16] = 0;
  u32[w + 17] = stat.u32[WORD.rdevMajor] ?? 0;
  u32[w + 18] = stat.u32[WORD.rdevMinor] ?? 0;
}

function writeRest({ bytes, u16, u32 }: Views, at: number, length: number, name: string, extras: Extras): void {
  const w = at >> 2;
  u32[w] = length;
  u16[(at >> 1) + 2] = name.length;
  u16[(at >> 1) + 3] = extras.target.length;
  bytes[at + 10] = extras.digest === undefined ? 0 : extras.digest.algorithm === 'sparse' ? 3 : 1;
  bytes[at + 11] = extras.incomplete;
  u32[w + 5] = extras.isUnsettled ? 1 : 0;
  u32[w + 15] = extras.flags;
  u32[w + 19] = extras.xattrs.length;
  // The padding, before the last bytes of the body overwrite what is not padding.
  u32[(at + length - 8) >> 2] = 0;
  u32[(at + length - 4) >> 2] = 0;
  let cursor = at + FIXED_BYTES;
  if (extras.digest !== undefined) {
    bytes.set(extras.digest.value, cursor);
    cursor += DIGEST_BYTES;
  }
  cursor += writeLatin1(bytes, cursor, name);
  if (extras.target.length > 0) bytes.set(extras.target, cursor);
  if (extras.xattrs.length > 0) bytes.set(extras.xattrs, cursor + extras.target.length);
}

/** isSameStat of domain/packed-same.ts between a bare stat and a record: mode, owner, inode, size, mtime, ctime. */
function isSameFixed(probe: Buffer, run: Buffer, at: number): boolean {
  return (
    probe.compare(run, at + 24, at + 56, 24, 56) === 0 &&
    probe.compare(run, at + 12, at + 20, 12, 20) === 0 &&
    probe.readUInt16LE(8) === run.readUInt16LE(at + 8)
  );
}
