// Items as bytes, for threads and sockets alike. Little endian:
//   u32 length of the record, u8 kind (1 event, 2 overflow), u8 origin of an overflow, u16 which fields follow,
//   u64 mask (or the number lost), s32 pid, s32 fd, u32 uid, then per field u32 length and its bytes.
import { AppError } from '../../domain/errors.ts';
import { pathFromLatin1 } from '../../domain/path.ts';
import type { FanotifyItem, FanotifyLoss } from './data.ts';

const EVENT = 1;
const OVERFLOW = 2;
const FIXED_BYTES = 28;
const FIELDS = ['exe', 'cwd', 'path', 'oldPath', 'comm', 'cgroup'] as const;
const HAS_UID = 1 << FIELDS.length;
const ORIGINS: readonly FanotifyLoss['where'][] = ['kernel', 'client', 'connection'];
/** Of an overflow that nobody counted. */
const UNCOUNTED = 0xffffffffffffffffn;

export function encodeItem(item: FanotifyItem): Buffer {
  const fixed = Buffer.alloc(FIXED_BYTES);
  if (item.kind === 'overflow') {
    fixed.writeUInt8(OVERFLOW, 4);
    fixed.writeUInt8(ORIGINS.indexOf(item.where), 5);
    fixed.writeBigUInt64LE(item.lost === undefined ? UNCOUNTED : BigInt(item.lost), 8);
    return finished([fixed]);
  }
  const parts = [fixed];
  let present = 0;
  for (const [index, field] of FIELDS.entries()) {
    const value = item[field];
    if (value === undefined) continue;
    present |= 1 << index;
    const bytes = Buffer.alloc(4 + value.length);
    bytes.writeUInt32LE(value.length);
    bytes.write(value, 4, 'latin1');
    parts.push(bytes);
  }
  fixed.writeUInt8(EVENT, 4);
  fixed.writeUInt16LE(present | (item.uid === undefined ? 0 : HAS_UID), 6);
  fixed.writeBigUInt64LE(BigInt(item.evTypes), 8);
  fixed.writeInt32LE(item.pid, 16);
  fixed.writeInt32LE(item.fd, 20);
  fixed.writeUInt32LE(item.uid ?? 0, 24);
  return finished(parts);
}

function finished(parts: Buffer[]): Buffer {
  const record = Buffer.concat(parts);
  record.writeUInt32LE(record.length);
  return record;
}

/**
 * Decodes a run of records. `fds`: what came with them, one for each event that has a descriptor, in order; without it
 * the numbers in the records are taken (they come from a thread of this process). Throws AppError INTERNAL when the bytes
 * are not records.
 */
export function decodeItems(bytes: Buffer, fds?: readonly number[]): FanotifyItem[] {
  const items: FanotifyItem[] = [];
  let taken = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.length - at < FIXED_BYTES ? 0 : bytes.readUInt32LE(at);
    if (length < FIXED_BYTES || length > bytes.length - at) throw malformed();
    const record = bytes.subarray(at, at + length);
    const fd = record.readUInt8(4) === EVENT ? record.readInt32LE(20) : -1;
    const ownFd = fds === undefined || fd < 0 ? fd : (fds[taken++] ?? -1);
    items.push(decodeItem(record, ownFd));
    at += length;
  }
  // Too few is possible, where descriptors ran out; more would belong to nobody.
  if (fds !== undefined && fds.length > taken) throw malformed();
  return items;
}

function malformed(): AppError {
  return new AppError('INTERNAL', 'what came is no fanotify item');
}

function decodeItem(record: Buffer, fd: number): FanotifyItem {
  const kind = record.readUInt8(4);
  const number = record.readBigUInt64LE(8);
  if (kind === OVERFLOW) {
    const where = ORIGINS[record.readUInt8(5)];
    if (where === undefined || record.length !== FIXED_BYTES) throw malformed();
    return { kind: 'overflow', where, lost: number === UNCOUNTED ? undefined : safe(number) };
  }
  const present = record.readUInt16LE(6);
  if (kind !== EVENT || present >= HAS_UID * 2) throw malformed();
  const fields = decodeFields(record, present);
  const path = (field: (typeof FIELDS)[number]) => {
    const value = fields.get(field);
    return value === undefined ? undefined : pathFromLatin1(value);
  };
  return {
    kind: 'event',
    fd: Math.max(fd, -1),
    pid: record.readInt32LE(16),
    evTypes: safe(number),
    exe: path('exe'),
    cwd: path('cwd'),
    path: path('path'),
    oldPath: path('oldPath'),
    uid: (present & HAS_UID) === 0 ? undefined : record.readUInt32LE(24),
    comm: fields.get('comm'),
    cgroup: fields.get('cgroup'),
  };
}

function decodeFields(record: Buffer, present: number): ReadonlyMap<(typeof FIELDS)[number], string> {
  const fields = new Map<(typeof FIELDS)[number], string>();
  let at = FIXED_BYTES;
  for (const [index, field] of FIELDS.entries()) {
    if ((present & (1 << index)) === 0) continue;
    const length = record.length - at < 4 ? Number.POSITIVE_INFINITY : record.readUInt32LE(at);
    if (length > record.length - at - 4) throw malformed();
    fields.set(field, record.toString('latin1', at + 4, at + 4 + length));
    at += 4 + length;
  }
  if (at !== record.length) throw malformed();
  return fields;
}

function safe(number: bigint): number {
  if (number > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed();
  return Number(number);
}
