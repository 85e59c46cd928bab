// Files that may grow, and of which something is open: what was appended since that was told is nothing new.
import type { Attribute } from '../domain/attribute.ts';
import type { Drift } from '../domain/drift.ts';
import { digestText } from '../domain/entry.ts';
import { fingerprint, GROWING_WITH, type ToldContent, toldContent } from '../domain/fingerprint.ts';
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
  if (!set?.growing || drift.after?.digest === undefined) return drift;
  const [now, known] = [fingerprint(drift, set), prints()];
  if (known.includes(now)) return drift;
  for (const print of known) {
    const told = toldContent(print, set);
    if (told === undefined || told.sizeBytes > drift.after.sizeBytes) continue;
    const grown = asTold(drift, told);
    if (fingerprint(grown, set) !== print) continue;
    const digest = await disk.digestPrefix(drift.path, told.sizeBytes);
    if (!('errno' in digest) && digestText(digest) === told.digest) return grown;
  }
  return drift;
}

/** It was shorter then, maybe than the baseline has it. */
function asTold(drift: Drift, { changed, facts }: ToldContent): Drift {
  const others = (all: readonly Attribute[]): string => String(all.filter((name) => !GROWING_WITH.has(name)));
  const isSame = others(changed) === others(drift.changed);
  return { ...drift, oldPart: undefined, changed: isSame ? changed : drift.changed, told: facts };
}
