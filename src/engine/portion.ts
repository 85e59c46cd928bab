// How much one page is of a walk.
import { countRecords } from '../domain/packed.ts';
import type { Page, Portion } from './ports/disk.ts';

export function portionOf({ records, bytesRead, trusted }: Page): Portion {
  return { entries: countRecords(records), bytesRead, trusted };
}

/** Whether it is all of its directory. */
export function isWhole({ extent }: Page): boolean {
  return extent.kind === 'range' && extent.after === undefined && extent.upTo === undefined;
}
