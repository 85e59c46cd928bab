// The file ids that the paths of a buffer of events depend on, without decoding the rest: for the reading thread.
import * as abi from './abi.ts';
import type { FileId } from './decode.ts';
import { fileIdAt, isSame } from './id-cache.ts';

/** In a FID record: where fsid and handle start, where the handle's own bytes start, and what precedes the record. */
const FSID_AT = 4;
const HANDLE_AT = 12;
const F_HANDLE_AT = 20;
const HEADER_BYTES = 4;

/**
 * Each directory once, and each object that has no directory. `length`: whole events, as `measureEvents` found them;
 * records that do not fit their event are passed over.
 */
export function fileIdsIn(buffer: Buffer, length: number): FileId[] {
  const ids = new IdSet(buffer);
  for (let at = 0; at < length; at += buffer.readUInt32LE(at)) {
    const end = at + buffer.readUInt32LE(at);
    let object = -1;
    let hasDirectory = false;
    for (let record = at + buffer.readUInt16LE(at + 6); end - record >= HEADER_BYTES; ) {
      const size = buffer.readUInt16LE(record + 2);
      if (size < HEADER_BYTES || size > end - record) break;
      const type = buffer[record];
      if (type === abi.FAN_EVENT_INFO_TYPE_FID) object = record;
      else if (isDirectory(type)) hasDirectory = ids.add(record, size) || hasDirectory;
      record += size;
    }
    if (object !== -1 && !hasDirectory) ids.add(object, buffer.readUInt16LE(object + 2));
  }
  return [...ids.all.values()];
}

function isDirectory(type: number | undefined): boolean {
  switch (type) {
    case abi.FAN_EVENT_INFO_TYPE_DFID:
    case abi.FAN_EVENT_INFO_TYPE_DFID_NAME:
    case abi.FAN_EVENT_INFO_TYPE_OLD_DFID_NAME:
    case abi.FAN_EVENT_INFO_TYPE_NEW_DFID_NAME:
      return true;
    default:
      return false;
  }
}

class IdSet {
  readonly all = new Map<string, FileId>();
  readonly #buffer: Buffer;
  /** The id before, mostly that of the same directory: compared as bytes, it costs no string. */
  #last = 0;
  #lastLength = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  /** Returns whether the record holds an id. */
  add(record: number, size: number): boolean {
    if (size < F_HANDLE_AT) return false;
    const handleBytes = this.#buffer.readUInt32LE(record + HANDLE_AT);
    if (handleBytes > size - F_HANDLE_AT) return false;
    const start = record + FSID_AT;
    const length = F_HANDLE_AT - FSID_AT + handleBytes;
    if (length === this.#lastLength && isSame(this.#buffer, start, this.#buffer, this.#last, length)) return true;
    this.#last = start;
    this.#lastLength = length;
    const id = fileIdAt(this.#buffer, start, start + length);
    const key = id.fsid + id.handle;
    if (!this.all.has(key)) this.all.set(key, id);
    return true;
  }
}
