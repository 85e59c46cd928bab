// What of a file the kernel keeps in memory: posix_fadvise(2), mmap(2), mincore(2). Addresses and results as in file.ts.
import { allocateMemory } from './file.ts';
import { declare } from './native.ts';

const fadvise = declare<(fd: number, offset: number, length: number, advice: number) => number>(
  'int posix_fadvise(int fd, long offset, long length, int advice)',
);
const mmap = declare<
  (address: number, length: number, protection: number, flags: number, fd: number, at: number) => number
>('long mmap(long address, size_t length, int protection, int flags, int fd, long offset)');
const munmap = declare<(address: number, length: number) => number>('int munmap(long address, size_t length)');
const mincore = declare<(address: number, length: number, into: number) => number>(
  'int mincore(long address, size_t length, long into)',
);

/** linux/fadvise.h, asm-generic/mman-common.h */
const POSIX_FADV_SEQUENTIAL = 2;
const POSIX_FADV_DONTNEED = 4;
const PROT_READ = 1;
const MAP_SHARED = 1;

/** The smallest page of Linux; with larger ones mincore(2) fills less of the vector than there is room for. */
const PAGE_BYTES = 4096;
/** Looked at in one piece, so that the vector stays small. */
const WINDOW_BYTES = 64 * 1024 * 1024;
const vector = allocateMemory(WINDOW_BYTES / PAGE_BYTES);

/** The file is going to be read from its beginning to its end: twice the readahead (posix_fadvise(2)). */
export function adviseSequential(fd: number): void {
  fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
}

/** Forgets clean pages that nobody has mapped. `lengthBytes` 0: to the end. */
export function dropCached(fd: number, offset: number, lengthBytes: number): void {
  fadvise(fd, offset, lengthBytes, POSIX_FADV_DONTNEED);
}

/**
 * Whether any page of this part of the file is in memory; `offset` must be a multiple of 64 KiB, the largest page. True as well where
 * that cannot be told: of files that cannot be mapped, and of files of others since Linux 5.2 (mincore(2)).
 */
export function isCached(fd: number, offset: number, lengthBytes: number): boolean {
  for (let done = 0; done < lengthBytes; done += WINDOW_BYTES)
    if (isWindowCached(fd, offset + done, Math.min(WINDOW_BYTES, lengthBytes - done))) return true;
  return false;
}

function isWindowCached(fd: number, offset: number, lengthBytes: number): boolean {
  const address = mmap(0, lengthBytes, PROT_READ, MAP_SHARED, fd, offset);
  if (address === -1) return true;
  const pages = Math.ceil(lengthBytes / PAGE_BYTES);
  vector.bytes.fill(0, 0, pages);
  const failed = mincore(address, lengthBytes, vector.address) !== 0;
  munmap(address, lengthBytes);
  // The lowest bit of a byte is the answer, the others are reserved; Linux leaves them 0.
  return failed || vector.bytes.subarray(0, pages).includes(1);
}
