// Extended attributes (xattr(7)) of an open file, or by path of what cannot be opened.
import { constants } from 'node:os';
import { XATTR_VALUE_MAX, type Xattr } from '../domain/entry.ts';
import { packXattrs } from '../domain/packed-xattrs.ts';
import {
  allocateMemory,
  getXattrOfFd,
  getXattrOfPath,
  listXattrsOfFd,
  listXattrsOfPath,
  XATTR_BYTES,
} from '../libc/file.ts';
import type { DigestEngine } from './digest.ts';

export interface XattrReader {
  /** Packed; `errno` is 0 when all could be read. */
  ofFd(fd: number): XattrResult;
  /** Of a path in memory, NUL-terminated; a final symbolic link is not followed. */
  ofPath(path: number): XattrResult;
}

export interface XattrResult {
  readonly packed: Uint8Array;
  readonly errno: number;
}

const SHORT_BYTES = 256;
const { ENODATA, EOPNOTSUPP, ERANGE } = constants.errno;
const NONE: XattrResult = { packed: packXattrs([]), errno: 0 };

export function createXattrReader(engine: DigestEngine): XattrReader {
  const list = allocateMemory(XATTR_BYTES);
  // The kernel allocates as much as it is offered, which costs 0.7 us for 64 KiB: the short offer nearly always does.
  const offered = (ask: (lengthBytes: number) => number): number => {
    const listed = ask(SHORT_BYTES);
    return listed === -ERANGE ? ask(XATTR_BYTES) : listed;
  };
  const value = allocateMemory(XATTR_BYTES);

  const collect = (listed: number, get: (name: number) => number): XattrResult => {
    if (listed === 0 || listed === -EOPNOTSUPP) return NONE;
    if (listed < 0) return { packed: NONE.packed, errno: -listed };
    const xattrs: Xattr[] = [];
    let errno = 0;
    for (let start = 0; start < listed; ) {
      const end = list.bytes.indexOf(0, start);
      const length = get(list.address + start);
      if (length >= 0) xattrs.push({ name: list.bytes.toString('latin1', start, end), value: shortened(length) });
      else if (length !== -ENODATA) errno = -length;
      start = end + 1;
    }
    return { packed: packXattrs(xattrs), errno };
  };

  const shortened = (length: number): Uint8Array => {
    const bytes = value.bytes.subarray(0, length);
    return length > XATTR_VALUE_MAX ? engine.digest(bytes) : Buffer.from(bytes);
  };

  return {
    ofFd: (fd) =>
      collect(
        offered((length) => listXattrsOfFd(fd, list.address, length)),
        (name) => getXattrOfFd(fd, name, value.address, XATTR_BYTES),
      ),
    ofPath: (path) =>
      collect(
        offered((length) => listXattrsOfPath(path, list.address, length)),
        (name) => getXattrOfPath(path, name, value.address, XATTR_BYTES),
      ),
  };
}
