// The C library's allocator, for a process that lives long and is busy only now and then.
import { declare } from './native.ts';

type Trim = (pad: number) => number;
let trim: Trim | undefined | 'unknown' = 'unknown';

/**
 * Gives the pages that hold nothing but what was freed back to the system, in all arenas (malloc_trim(3)): glibc keeps them, and
 * one small block at the end of an arena keeps all before it. Returns false where the C library does not know of it (musl).
 */
export function trimAllocator(): boolean {
  if (trim === 'unknown') trim = findTrim();
  trim?.(0);
  return trim !== undefined;
}

function findTrim(): Trim | undefined {
  try {
    return declare('int malloc_trim(size_t pad)');
  } catch {
    return undefined;
  }
}
