// The pages of an answer (protocol.ts), once they have come to the main thread.
import type { Page } from '../engine/ports/disk.ts';
import type { FoundPage } from './protocol.ts';

/** Their records share the answer's memory. */
export function pagesOf(found: readonly FoundPage[], records: ArrayBuffer): Page[] {
  let start = 0;
  return found.map(({ dir, extent, end, bytesRead, trusted, failed = 0 }) => {
    const run = Buffer.from(records, start, end - start);
    start = end;
    return { dir, extent, records: run, failed, bytesRead, trusted };
  });
}
