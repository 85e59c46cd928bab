// The C library's allocator, for a process that lives long and is busy only now and then.
import { declare } from './native.ts';

/** malloc.h of glibc. */
const M_MMAP_THRESHOLD = -3;
const M_ARENA_MAX = -8;

const MMAP_BYTES = 128 * 1024;
const ARENAS = 2;

/**
 * From now on what is freed goes back to the system: large blocks at once, because they are mapped one by one (by default
 * glibc raises that limit to 32 MiB with the first that is freed), and the rest from few arenas, instead of up to eight for each
 * processor (mallopt(3)). To be called before there are threads. Returns false where the C library does not know of it (musl).
 */
export function keepLittleFreeMemory(): boolean {
  const mallopt = findMallopt();
  if (mallopt === undefined) return false;
  return mallopt(M_MMAP_THRESHOLD, MMAP_BYTES) === 1 && mallopt(M_ARENA_MAX, ARENAS) === 1;
}

function findMallopt(): ((option: number, value: number) => number) | undefined {
  try {
    return declare('int mallopt(int param, int value)');
  } catch {
    return undefined;
  }
}
