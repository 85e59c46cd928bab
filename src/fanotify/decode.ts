// The bytes that read(2) returns from a group, decoded: pure, every length checked. Layout: fanotify(7).
import { AppError } from '../domain/errors.ts';
import { type BytePath, pathFromLatin1 } from '../domain/path.ts';
import * as abi from './abi.ts';
import { fileIdAt } from './id-cache.ts';

/** One event. Nothing in it shares memory with the buffer that it was read from. */
export interface FanotifyEvent {
  /** `overflow`: the queue was full and events are missing, of whatever objects; it has no process and no object. */
  readonly kind: 'event' | 'overflow';
  /** Event bits, also those that this library does not know. */
  readonly mask: number;
  /** In a group without FIDs: the object, opened; the reader has to close it. FAN_NOFD, or -errno (FAN_REPORT_FD_ERROR). */
  readonly fd: number;
  /** Process (thread with FAN_REPORT_TID); 0 when it is outside the reader's pid namespace or must not be known. */
  readonly pid: number;
  readonly records: readonly InfoRecord[];
}

/** `fsid`: 16 hex digits in memory order. `handle`: a struct file_handle, header included, one character per byte. */
export interface FileId {
  readonly fsid: string;
  readonly handle: string;
}

export type InfoRecord =
  | ({ readonly kind: 'fid' | 'dirFid' } & FileId)
  | ({ readonly kind: 'dirFidName' | 'oldDirFidName' | 'newDirFidName'; readonly name: BytePath } & FileId)
  /** FAN_NOPIDFD, FAN_EPIDFD or -errno when there is none; the reader has to close it otherwise. */
  | { readonly kind: 'pidfd'; readonly pidfd: number }
  | { readonly kind: 'error'; readonly errno: number; readonly count: number }
  | { readonly kind: 'range'; readonly offsetBytes: bigint; readonly countBytes: bigint }
  | { readonly kind: 'mount'; readonly mountId: bigint }
  /** A type that is not known here, or a record that does not hold what its type needs; with its header. */
  | { readonly kind: 'unknown'; readonly type: number; readonly bytes: Buffer };

/** sizeof(struct fanotify_event_metadata), the least that an event can be. */
export const METADATA_BYTES = 24;
/** Of an info record. */
const HEADER_BYTES = 4;
/** From the start of a FID record to its handle's bytes: header, fsid, handle_bytes, handle_type. */
const FID_BYTES = 20;

/** Decodes the first `length` bytes. Throws AppError INTERNAL when they are not events of version 3. */
export function decodeEvents(buffer: Buffer, length: number = buffer.length): FanotifyEvent[] {
  const events: FanotifyEvent[] = [];
  const end = Math.min(length, buffer.length);
  for (let at = 0; at < end; ) {
    const eventEnd = at + eventLength(buffer, at, end);
    // The kernel fills the low 32 bits; `&` works on them whatever the others are.
    const mask = buffer.readUInt32LE(at + 8) + buffer.readUInt32LE(at + 12) * 2 ** 32;
    events.push({
      kind: (mask & abi.FAN_Q_OVERFLOW) === 0 ? 'event' : 'overflow',
      mask,
      fd: buffer.readInt32LE(at + 16),
      pid: buffer.readInt32LE(at + 20),
      records: decodeRecords(buffer, at + buffer.readUInt16LE(at + 6), eventEnd),
    });
    at = eventEnd;
  }
  return events;
}

/** How many bytes the first `max` events take, and how many events there are. Throws as `decodeEvents`. */
export function measureEvents(
  buffer: Buffer,
  length: number = buffer.length,
  max: number = Number.POSITIVE_INFINITY,
): { readonly bytes: number; readonly count: number } {
  let bytes = 0;
  let count = 0;
  for (; bytes < length && count < max; count += 1) bytes += eventLength(buffer, bytes, length);
  return { bytes, count };
}

function eventLength(buffer: Buffer, at: number, end: number): number {
  if (end - at < METADATA_BYTES) throw malformed(at, 'is cut short');
  const version = buffer.readUInt8(at + 4);
  if (version !== abi.FANOTIFY_METADATA_VERSION) throw malformed(at, `has version ${version}`);
  const length = buffer.readUInt32LE(at);
  const metadata = buffer.readUInt16LE(at + 6);
  if (metadata < METADATA_BYTES || length < metadata || length > end - at) throw malformed(at, `has length ${length}`);
  return length;
}

function malformed(at: number, what: string): AppError {
  return new AppError('INTERNAL', `fanotify event at byte ${at} ${what}`);
}

function decodeRecords(buffer: Buffer, start: number, end: number): InfoRecord[] {
  const records: InfoRecord[] = [];
  for (let at = start; end - at >= HEADER_BYTES; ) {
    const length = buffer.readUInt16LE(at + 2);
    // A length that cannot be: keep what is left as it is, there is no telling where the next record starts.
    const recordEnd = length < HEADER_BYTES || length > end - at ? end : at + length;
    records.push(decodeRecord(buffer, at, recordEnd));
    at = recordEnd;
  }
  return records;
}

function decodeRecord(buffer: Buffer, at: number, end: number): InfoRecord {
  const type = buffer.readUInt8(at);
  const size = end - at;
  switch (type) {
    case abi.FAN_EVENT_INFO_TYPE_FID:
      return fidRecord('fid', buffer, at, end);
    case abi.FAN_EVENT_INFO_TYPE_DFID:
      return fidRecord('dirFid', buffer, at, end);
    case abi.FAN_EVENT_INFO_TYPE_DFID_NAME:
      return nameRecord('dirFidName', buffer, at, end);
    case abi.FAN_EVENT_INFO_TYPE_OLD_DFID_NAME:
      return nameRecord('oldDirFidName', buffer, at, end);
    case abi.FAN_EVENT_INFO_TYPE_NEW_DFID_NAME:
      return nameRecord('newDirFidName', buffer, at, end);
    case abi.FAN_EVENT_INFO_TYPE_PIDFD:
      if (size >= 8) return { kind: 'pidfd', pidfd: buffer.readInt32LE(at + 4) };
      break;
    case abi.FAN_EVENT_INFO_TYPE_ERROR:
      if (size >= 12) return { kind: 'error', errno: buffer.readInt32LE(at + 4), count: buffer.readUInt32LE(at + 8) };
      break;
    case abi.FAN_EVENT_INFO_TYPE_RANGE:
      if (size < 24) break;
      return {
        kind: 'range',
        offsetBytes: buffer.readBigUInt64LE(at + 8),
        countBytes: buffer.readBigUInt64LE(at + 16),
      };
    case abi.FAN_EVENT_INFO_TYPE_MNT:
      // The id is 8-aligned: four bytes of hole after the header (linux/fanotify.h).
      if (size >= 16) return { kind: 'mount', mountId: buffer.readBigUInt64LE(at + 8) };
      break;
  }
  return unknownRecord(buffer, at, end);
}

function fidRecord(kind: 'fid' | 'dirFid', buffer: Buffer, at: number, end: number): InfoRecord {
  const handleEnd = endOfHandle(buffer, at, end);
  if (handleEnd === undefined) return unknownRecord(buffer, at, end);
  const { fsid, handle } = fileIdAt(buffer, at + HEADER_BYTES, handleEnd);
  return { kind, fsid, handle };
}

function nameRecord(
  kind: 'dirFidName' | 'oldDirFidName' | 'newDirFidName',
  buffer: Buffer,
  at: number,
  end: number,
): InfoRecord {
  const handleEnd = endOfHandle(buffer, at, end);
  if (handleEnd === undefined) return unknownRecord(buffer, at, end);
  // Names are short: cheaper than indexOf(), which would go on beyond the record.
  let nul = handleEnd;
  while (nul < end && buffer[nul] !== 0) nul += 1;
  if (nul === end) return unknownRecord(buffer, at, end);
  const name = pathFromLatin1(buffer.toString('latin1', handleEnd, nul));
  const { fsid, handle } = fileIdAt(buffer, at + HEADER_BYTES, handleEnd);
  return { kind, fsid, handle, name };
}

function endOfHandle(buffer: Buffer, at: number, end: number): number | undefined {
  if (end - at < FID_BYTES) return undefined;
  const handleEnd = at + FID_BYTES + buffer.readUInt32LE(at + 12);
  return handleEnd <= end ? handleEnd : undefined;
}

function unknownRecord(buffer: Buffer, at: number, end: number): InfoRecord {
  return { kind: 'unknown', type: buffer.readUInt8(at), bytes: Buffer.from(buffer.subarray(at, end)) };
}
