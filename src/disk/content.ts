// The digest of an open file's content.
import { constants } from 'node:os';
import { type Digest, SPARSE_DIGEST_FROM } from '../domain/entry.ts';
import { allocateMemory, readFd, SEEK_SET, seek } from '../libc/file.ts';
import { openAppendedFiles } from './appended.ts';
import type { DigestEngine, DigestStream } from './digest.ts';
import type { Meter } from './meter.ts';
import { NO_ADVICE, type ReadAdvice, type Reading } from './read-advice.ts';
import { digestSparse } from './sparse.ts';

/** A digest; `changed`: the size is not what the caller was told; or an errno. */
export type Content =
  | { readonly kind: 'digest'; readonly digest: Digest }
  | { readonly kind: 'changed' }
  | { readonly kind: 'failed'; readonly errno: number };

export interface ContentReader {
  /** Reads all of a file that statx says has `sizeBytes`. */
  digest(fd: number, sizeBytes: number): Content;
  /** The same; of a file that was read under `token` before, only what was appended since. `file`: names it for good. */
  digestAppended(fd: number, sizeBytes: number, file: string, token: number): Content;
  /** Reads the first `sizeBytes` bytes of a file that may have become longer. */
  digestBegin(fd: number, sizeBytes: number): Content;
  /** The digest that a file of only the first `lengthBytes` bytes would have; ENODATA when it is shorter. */
  digestPrefix(fd: number, lengthBytes: number): Content;
  /** Bytes read since the reader was made. */
  bytesRead(): number;
}

/** Fits the second-level cache, so that what read(2) copies is still there when it is hashed. */
const CHUNK_BYTES = 512 * 1024;

/** Files of /proc and /sys say 0 and have content; more than this is a stream, not a file. */
const UNSIZED_MAX_BYTES = 16 * 1024 * 1024;

const { ENODATA, ECANCELED, EFBIG } = constants.errno as typeof constants.errno & { EFBIG: number };
const CHANGED: Content = { kind: 'changed' };

export interface ContentParts {
  readonly engine: DigestEngine;
  /** Is told of everything that is read. */
  readonly meter: Meter;
  readonly advice: ReadAdvice;
  /** Asked between chunks; a canceled read fails with ECANCELED. */
  readonly isCanceled: () => boolean;
}

export function createContentReader({ engine, meter, advice, isCanceled }: ContentParts): ContentReader {
  // One byte more than the largest file that is read in one piece, to see that it ends there.
  const { bytes, address } = allocateMemory(CHUNK_BYTES + 1);
  const { count } = meter;
  let reading: Reading = NO_ADVICE;

  /** Fills the memory up to `wanted` bytes or the end of the file; the negative errno when that fails. */
  const fill = (fd: number, wanted: number): number => {
    let filled = 0;
    while (filled < wanted) {
      const read = readFd(fd, address + filled, wanted - filled);
      if (read < 0) return read;
      if (read === 0) break;
      filled += read;
      count(read);
    }
    return filled;
  };

  const inOnePiece = (fd: number, sizeBytes: number): Content => {
    // A first read that brings exactly the size is enough: the caller's second statx tells whether the file grew.
    const read = readFd(fd, address, sizeBytes + 1);
    if (read < 0) return failed(-read);
    count(read);
    if (read !== sizeBytes) return sizeBytes === 0 ? unsized(fd) : CHANGED;
    return blake3(engine.digest(bytes.subarray(0, read)));
  };

  const unsized = (fd: number): Content => {
    const at = seek(fd, 0, SEEK_SET);
    if (at < 0) return failed(-at);
    return inChunks(fd, engine.stream(), (sum) => (sum > UNSIZED_MAX_BYTES ? failed(EFBIG) : undefined));
  };

  /** Reads to the end, or to what `judge` makes of the bytes so far. */
  const inChunks = (fd: number, stream: DigestStream, judge: (sum: number, ended: boolean) => Content | undefined) => {
    for (let sum = 0; ; ) {
      const filled = fill(fd, CHUNK_BYTES);
      if (filled > 0) stream.update(bytes.subarray(0, filled));
      sum += Math.max(filled, 0);
      reading.reached(sum);
      const ended = filled < CHUNK_BYTES;
      const verdict = filled < 0 ? failed(-filled) : isCanceled() ? failed(ECANCELED) : judge(sum, ended);
      if (verdict === undefined && !ended) continue;
      if (verdict === undefined) return blake3(stream.finish());
      stream.drop();
      return verdict;
    }
  };

  const ofExactly = (fd: number, sizeBytes: number): Content =>
    inChunks(fd, engine.stream(), (sum, ended) =>
      sum > sizeBytes || (ended && sum < sizeBytes) ? CHANGED : undefined,
    );

  const sparse = (fd: number, sizeBytes: number): Content => {
    const onRead = (bytesRead: number, end: number): void => {
      count(bytesRead);
      reading.reached(end);
    };
    const { value, errno } = digestSparse(fd, sizeBytes, { stream: engine.stream(), isCanceled, onRead });
    return value === undefined ? failed(errno) : { kind: 'digest', digest: { algorithm: 'sparse', value } };
  };

  const prefix = (fd: number, lengthBytes: number): Content => {
    const stream = engine.stream();
    for (let left = lengthBytes; left > 0; ) {
      const filled = fill(fd, Math.min(left, CHUNK_BYTES));
      if (filled <= 0 || isCanceled()) {
        stream.drop();
        return failed(filled < 0 ? -filled : filled === 0 ? ENODATA : ECANCELED);
      }
      stream.update(bytes.subarray(0, filled));
      left -= filled;
      reading.reached(lengthBytes - left);
    }
    return blake3(stream.finish());
  };

  const appended = openAppendedFiles(engine);
  const readFrom = (fd: number, offset: number, length: number, take: (piece: Uint8Array) => void): number => {
    const at = seek(fd, offset, SEEK_SET);
    if (at < 0) return at;
    let sum = 0;
    while (sum < length) {
      const filled = fill(fd, Math.min(length - sum, CHUNK_BYTES));
      if (filled < 0 || isCanceled()) return filled < 0 ? filled : -ECANCELED;
      if (filled === 0) break;
      take(bytes.subarray(0, filled));
      sum += filled;
      reading.reached(offset + sum);
    }
    return sum;
  };

  const whole = (fd: number, sizeBytes: number): Content => {
    if (sizeBytes <= CHUNK_BYTES) return inOnePiece(fd, sizeBytes);
    return sizeBytes < SPARSE_DIGEST_FROM ? ofExactly(fd, sizeBytes) : sparse(fd, sizeBytes);
  };

  const advised = (read: typeof whole, fd: number, lengthBytes: number): Content => {
    meter.begin(lengthBytes);
    reading = advice.start(fd, lengthBytes);
    const result = read(fd, lengthBytes);
    reading.end();
    meter.end();
    reading = NO_ADVICE;
    return result;
  };

  const digestPrefix = (fd: number, lengthBytes: number): Content =>
    advised(lengthBytes < SPARSE_DIGEST_FROM ? prefix : sparse, fd, lengthBytes);

  return {
    digest: (fd, sizeBytes) =>
      sizeBytes <= CHUNK_BYTES && !advice.dropsCache ? inOnePiece(fd, sizeBytes) : advised(whole, fd, sizeBytes),
    digestAppended: (fd, sizeBytes, file, token) => {
      if (sizeBytes >= SPARSE_DIGEST_FROM) return advised(whole, fd, sizeBytes);
      return advised(
        () => {
          const digest = appended.digest(file, token, sizeBytes, (...from) => readFrom(fd, ...from));
          if (digest === undefined) return CHANGED;
          return typeof digest === 'number' ? failed(-digest) : blake3(digest);
        },
        fd,
        sizeBytes,
      );
    },
    digestBegin: (fd, sizeBytes) => {
      const result = digestPrefix(fd, sizeBytes);
      return result.kind === 'failed' && result.errno === ENODATA ? CHANGED : result;
    },
    digestPrefix,
    bytesRead: meter.bytesRead,
  };
}

function blake3(value: Uint8Array): Content {
  return { kind: 'digest', digest: { algorithm: 'blake3', value } };
}

function failed(errno: number): Content {
  return { kind: 'failed', errno };
}
