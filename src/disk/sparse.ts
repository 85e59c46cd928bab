// The `sparse` digest of domain/entry.ts: BLAKE3 over, for each 64 KiB block that is not all zeros, its offset (u64, little
// endian) and its bytes, and at the end the size (u64). Holes are skipped, and blocks of zeros count as holes.
import { constants } from 'node:os';
import { allocateMemory, readFd, SEEK_DATA, SEEK_SET, seek } from '../libc/file.ts';
import type { DigestStream } from './digest.ts';

export interface SparseResult {
  /** Undefined when it failed with `errno`; ENODATA: the file is shorter than `sizeBytes`. */
  readonly value: Uint8Array | undefined;
  readonly errno: number;
}

export interface SparseParts {
  /** Ended in every case. */
  readonly stream: DigestStream;
  readonly isCanceled: () => boolean;
  /** So many bytes were read, up to this offset. */
  readonly onRead: (bytes: number, end: number) => void;
}

const BLOCK_BYTES = 64 * 1024;
/** How much is read before the next hole is asked for. */
const WINDOW_BYTES = 1024 * 1024;
const { ECANCELED, EINVAL, ENODATA, ENXIO } = constants.errno;

/** Digests the first `sizeBytes` bytes. */
export function digestSparse(fd: number, sizeBytes: number, { stream, isCanceled, onRead }: SparseParts): SparseResult {
  const { bytes, address } = allocateMemory(WINDOW_BYTES);
  const zeros = Buffer.alloc(BLOCK_BYTES);
  const number = Buffer.alloc(8);

  const updateNumber = (value: number): void => {
    number.writeBigUInt64LE(BigInt(value));
    stream.update(number);
  };
  const end = (errno: number): SparseResult => {
    stream.drop();
    return { value: undefined, errno };
  };

  for (let at = nextData(fd, 0); at !== -ENXIO && at < sizeBytes; at = nextData(fd, at)) {
    if (at < 0) return end(-at);
    if (isCanceled()) return end(ECANCELED);
    const start = at - (at % BLOCK_BYTES);
    const wanted = Math.min(WINDOW_BYTES, sizeBytes - start);
    const read = readAt(fd, start, address, wanted);
    if (read < 0) return end(-read);
    if (read < wanted) return end(ENODATA);
    onRead(read, start + read);
    for (let block = 0; block < read; block += BLOCK_BYTES) {
      const piece = bytes.subarray(block, Math.min(block + BLOCK_BYTES, read));
      if (zeros.compare(piece, 0, piece.length, 0, piece.length) === 0) continue;
      updateNumber(start + block);
      stream.update(piece);
    }
    at = start + read;
  }
  const last = seek(fd, 0, 2);
  if (last < sizeBytes) return end(last < 0 ? -last : ENODATA);
  updateNumber(sizeBytes);
  return { value: stream.finish(), errno: 0 };
}

/** The next offset with data; -ENXIO behind the last. Without SEEK_DATA everything is data. */
function nextData(fd: number, from: number): number {
  const at = seek(fd, from, SEEK_DATA);
  return at === -EINVAL ? from : at;
}

function readAt(fd: number, offset: number, address: number, wanted: number): number {
  const at = seek(fd, offset, SEEK_SET);
  if (at < 0) return at;
  let filled = 0;
  while (filled < wanted) {
    const read = readFd(fd, address + filled, wanted - filled);
    if (read < 0) return read;
    if (read === 0) break;
    filled += read;
  }
  return filled;
}
