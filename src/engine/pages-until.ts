// A walk that ends when nobody waits for its pages any more.
import type { BytePath } from '../domain/path.ts';
import type { SealTable } from '../domain/seal-table.ts';
import type { Disk, Page } from './ports/disk.ts';

/** `Disk.walk`, but for what it throws when the signal aborts: then it just ends. */
export async function* pagesUntil(
  signal: AbortSignal | undefined,
  disk: Disk,
  { roots, seals }: { readonly roots: readonly BytePath[]; readonly seals: SealTable },
): AsyncGenerator<Page> {
  try {
    yield* disk.walk(roots, { seals, ...(signal !== undefined && { signal }) });
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}
