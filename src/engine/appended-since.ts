// Files that may grow, and of which something is open: what was appended since that was told is nothing new.
import type { Attribute } from '../domain/attribute.ts';
import { isSameDigest } from '../domain/compare.ts';
import type { Drift } from '../domain/drift.ts';
import { fingerprint, GROWING_WITH, type ToldContent, toldContent } from '../domain/fingerprint.ts';
import type { Scope } from '../domain/rule.ts';
import { ruleOf } from './findings.ts';
import type { Disk } from './ports/disk.ts';

export interface SinceTold {
  readonly disk: Pick<Disk, 'digestPrefix'>;
  readonly scope: Scope;
  /** Fingerprints of what was told. */
  readonly prints: () => readonly string[];
  /** Whether it is to be looked if so much as was told is still there. */
  readonly isSought: (toldBytes: bigint) => boolean;
}

export interface Compared {
  readonly drift: Drift;
  /** `appended`: it is the drift as it was told. `other`: what was told of its content is not there any more. `found`: anything else. */
  readonly kind: 'appended' | 'other' | 'found';
}

/** The drift as it was told, if what was told of its content is still there. */
export async function appendedSince(drift: Drift, since: SinceTold): Promise<Compared> {
  const set = ruleOf(drift, since.scope)?.attributes;
  const { after } = drift;
  if (!set?.growing || after?.digest === undefined) return { drift, kind: 'found' };
  const prints = since.prints();
  if (prints.includes(fingerprint(drift, set))) return { drift, kind: 'found' };
  let kind: Compared['kind'] = 'found';
  for (const print of prints) {
    const told = toldContent(print, set);
    if (told === undefined || told.content.sizeBytes > after.sizeBytes) continue;
    if (!since.isSought(told.content.sizeBytes)) continue;
    const before = asTold(drift, told);
    if (fingerprint(before, set) !== print) continue;
    const digest = await since.disk.digestPrefix(drift.path, told.content.sizeBytes);
    if (!('errno' in digest) && isSameDigest(digest, told.content.digest)) return { drift: before, kind: 'appended' };
    kind = 'other';
  }
  return { drift, kind };
}

/** It was shorter then, maybe than the baseline has it. */
function asTold(drift: Drift, { changed, content }: ToldContent): Drift {
  const others = (all: readonly Attribute[]): string => String(all.filter((name) => !GROWING_WITH.has(name)));
  const isWrong = changed.includes('digest') && !drift.changed.includes('digest');
  const isSame = others(changed) === others(drift.changed) && !isWrong;
  const after = drift.after && { ...drift.after, ...content };
  return { ...drift, oldPart: undefined, changed: isSame ? changed : drift.changed, after };
}
