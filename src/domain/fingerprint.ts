// What a drift says, as one string: two drifts with equal fingerprints need not be reported twice, and what was reviewed
// can be told from what is there now.
import type { Attribute, AttributeSet } from './attribute.ts';
import { DIRECTORY_ATTRIBUTES } from './attribute.ts';
import type { Drift } from './drift.ts';
import { type Digest, digestOfText, digestText, type Entry } from './entry.ts';

/** Where in it is what has changed, and where the facts of what is there. */
const [CHANGED, FACTS] = [3, 5];

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

export interface ToldContent {
  /** The attributes that follow from the growth, as far as they count. */
  readonly content: { readonly sizeBytes: bigint; readonly digest: Digest; readonly mtimeNs?: bigint };
  /** What had changed by then. */
  readonly changed: readonly Attribute[];
}

/**
 * What a fingerprint says of the content of a file under a rule that lets it grow. Undefined when that is of an old part, or
 * nothing, and of what is no fingerprint.
 */
export function toldContent(print: string, set: AttributeSet): ToldContent | undefined {
  const { [CHANGED]: changed, [FACTS]: said } = parsed(print);
  const names = namesFor('file', set);
  // Of anything but a file, and of an old part, less is said.
  if (!set.growing || !Array.isArray(changed) || !Array.isArray(said) || said.length !== names.length) return undefined;
  const numberAt = (name: Attribute): bigint | undefined => numberOf(said[names.indexOf(name)]);
  const [sizeBytes, mtimeNs] = [numberAt('size'), numberAt('mtime')];
  const digest = digestOfText(String(said[names.indexOf('digest')]));
  if (sizeBytes === undefined || digest === undefined) return undefined;
  return { content: { sizeBytes, digest, ...(mtimeNs !== undefined && { mtimeNs }) }, changed };
}

function numberOf(said: unknown): bigint | undefined {
  return typeof said === 'string' && /^-?\d+$/.test(said) ? BigInt(said) : undefined;
}

function parsed(print: string): readonly unknown[] {
  try {
    const parts: unknown = JSON.parse(print);
    return Array.isArray(parts) ? parts : [];
  } catch {
    return [];
  }
}

/** `oldPart`: what is appended to it meanwhile says nothing new. */
function entryFacts(entry: Entry, set: AttributeSet, oldPart: Digest | undefined): unknown[] {
  const names = namesFor(entry.type, set);
  if (oldPart === undefined) return names.map((name) => fact(entry, name));
  const others = names.filter((name) => !GROWING_WITH.has(name));
  return [...others.map((name) => fact(entry, name)), digestText(oldPart)];
}

function namesFor(type: Entry['type'], set: AttributeSet): Attribute[] {
  const names = new Set<Attribute>(set.names);
  if (set.growing) names.add('size').add('digest');
  return [...names].filter((name) => type !== 'directory' || DIRECTORY_ATTRIBUTES.has(name)).sort();
}

/** Attributes that follow from the growth. */
export const GROWING_WITH: ReadonlySet<Attribute> = new Set(['size', 'mtime', 'digest']);

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
