// Files that may grow, and of which something is open: what was appended since that was told is nothing new.
import type { Drift } from '../domain/drift.ts';
import { digestText } from '../domain/entry.ts';
import { fingerprint, toldContent } from '../domain/fingerprint.ts';
import type { Scope } from '../domain/rule.ts';
import { ruleOf } from './findings.ts';
import type { Disk } from './ports/disk.ts';

export interface AppendedParts {
  readonly disk: Pick<Disk, 'digestPrefix'>;
  readonly scope: Scope;
}

/** The drift with what was told of its content, if one of the fingerprints tells it and it is still there. */
export async function appendedSince(
  drift: Drift,
  prints: () => readonly string[],
  { disk, scope }: AppendedParts,
): Promise<Drift> {
  const set = ruleOf(drift, scope)?.attributes;
  if (!set?.growing || drift.oldPart !== undefined || drift.after?.digest === undefined) return drift;
  const [now, known] = [fingerprint(drift, set), prints()];
  if (known.includes(now)) return drift;
  for (const print of known) {
    const told = toldContent(print, set);
    const grown = { ...drift, told: told?.facts };
    if (told === undefined || told.sizeBytes > drift.after.sizeBytes || fingerprint(grown, set) !== print) continue;
    const digest = await disk.digestPrefix(drift.path, told.sizeBytes);
    if (!('errno' in digest) && digestText(digest) === told.digest) return grown;
  }
  return drift;
}
