// What a drift says, as one string: two drifts with equal fingerprints need not be reported twice, and what was reviewed
// can be told from what is there now.
import type { Attribute, AttributeSet } from './attribute.ts';
import { DIRECTORY_ATTRIBUTES } from './attribute.ts';
import type { Drift } from './drift.ts';
import { type Digest, digestText, type Entry } from './entry.ts';

/** Only attributes of `set` count: a newer ctime alone says nothing new where ctime is not compared. */
export function fingerprint(drift: Drift, set: AttributeSet): string {
  const after = drift.after === undefined ? [] : entryFacts(drift.after, set, drift.oldPart);
  return JSON.stringify([drift.kind, drift.path, drift.from ?? null, drift.changed, drift.entries ?? null, after]);
}

/** What a fingerprint claims of each path that it speaks of: the facts of what is there, or null for nothing. */
export function claimsOf(print: string): ReadonlyMap<string, string | null> {
  const [kind, path, from, , , after]: unknown[] = JSON.parse(print);
  const claims = new Map<string, string | null>([[String(path), kind === 'removed' ? null : JSON.stringify(after)]]);
  return typeof from === 'string' ? claims.set(from, null) : claims;
}

/** `oldPart`: what is appended to it meanwhile says nothing new. */
function entryFacts(entry: Entry, set: AttributeSet, oldPart: Digest | undefined): unknown[] {
  const names = new Set<Attribute>(set.names);
  for (const name of GROWING) {
    if (oldPart !== undefined) names.delete(name);
    else if (set.growing) names.add(name);
  }
  const facts = [...names]
    .filter((name) => entry.type !== 'directory' || DIRECTORY_ATTRIBUTES.has(name))
    .sort()
    .map((name) => fact(entry, name));
  return oldPart === undefined ? facts : [...facts, digestText(oldPart)];
}

const GROWING: readonly Attribute[] = ['size', 'digest'];

function fact(entry: Entry, name: Attribute): unknown {
  switch (name) {
    case 'type':
      return entry.type;
    case 'mode':
      return entry.mode;
    case 'uid':
      return entry.uid;
    case 'gid':
      return entry.gid;
    case 'size':
      return String(entry.sizeBytes);
    case 'mtime':
      return String(entry.mtimeNs);
    case 'ctime':
      return String(entry.ctimeNs);
    case 'inode':
      return String(entry.inode);
    case 'nlink':
      return entry.nlink;
    case 'rdev':
      return [entry.rdev.major, entry.rdev.minor];
    case 'target':
      return entry.target ?? null;
    case 'digest':
      return entry.digest === undefined ? null : digestText(entry.digest);
    case 'xattrs':
      return entry.xattrs.map((xattr) => [xattr.name, Buffer.from(xattr.value).toString('base64')]);
    case 'flags':
      return entry.flags;
  }
}
