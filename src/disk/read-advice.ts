// What the kernel is told about a file that is read once, from its beginning to its end.
import { adviseSequential, dropCached, isCached } from '../libc/page-cache.ts';

export interface ReadAdvice {
  readonly dropsCache: boolean;
  /** Before the first read of a file of this size. The answer is told how far the reading is, and when it has ended. */
  start(fd: number, sizeBytes: number): Reading;
}

export interface Reading {
  reached(offset: number): void;
  end(): void;
}

/** Files up to this size are kept or forgotten whole, larger ones by windows; a multiple of every page size. */
const WINDOW_BYTES = 8 * 1024 * 1024;

/** Nothing is told. */
export const NO_ADVICE: Reading = { reached() {}, end() {} };

/** `dropCache`: what was not in memory before is not left there; what others use stays. */
export function createReadAdvice(dropCache: boolean): ReadAdvice {
  return {
    dropsCache: dropCache,
    start: (fd, sizeBytes) => {
      const isLarge = sizeBytes > WINDOW_BYTES;
      if (isLarge) adviseSequential(fd);
      if (!dropCache || sizeBytes === 0) return NO_ADVICE;
      return isLarge ? dropBehind(fd, sizeBytes) : dropAtEnd(fd, sizeBytes);
    },
  };
}

function dropAtEnd(fd: number, sizeBytes: number): Reading {
  if (isCached(fd, 0, sizeBytes)) return NO_ADVICE;
  return { reached() {}, end: () => dropCached(fd, 0, 0) };
}

/** All windows are looked at before the first read: readahead goes into the next one. */
function dropBehind(fd: number, sizeBytes: number): Reading {
  const windows = Math.ceil(sizeBytes / WINDOW_BYTES);
  const wasCached = new Uint8Array(windows);
  for (let window = 0; window < windows; window += 1) {
    const start = window * WINDOW_BYTES;
    if (isCached(fd, start, Math.min(WINDOW_BYTES, sizeBytes - start))) wasCached[window] = 1;
  }
  let next = 0;
  const dropTo = (end: number): void => {
    for (; next < end; next += 1) if (wasCached[next] === 0) dropCached(fd, next * WINDOW_BYTES, WINDOW_BYTES);
  };
  return { reached: (offset) => dropTo(Math.floor(offset / WINDOW_BYTES)), end: () => dropTo(windows) };
}
