// Two states of one path, and which of the rule's attributes differ.
import { ATTRIBUTES, type Attribute, type AttributeSet, DIRECTORY_ATTRIBUTES } from './attribute.ts';
import type { Digest, Entry, Xattr } from './entry.ts';

/**
 * The attributes of `set` that differ, in the order of ATTRIBUTES. A digest is compared when both sides have one, and
 * differs when only the later one could be read: nobody has ever seen what was unreadable before.
 */
export function compareEntries(before: Entry, after: Entry, set: AttributeSet): Attribute[] {
  const bothDirectories = before.type === 'directory' && after.type === 'directory';
  const judged = set.growing && before.type === 'file' ? GROWTH : NONE;
  const grown = growth(before, after, set);
  const isPartial = after.incomplete !== 0;
  return ATTRIBUTES.filter((attribute) => {
    if (bothDirectories && !DIRECTORY_ATTRIBUTES.has(attribute)) return false;
    if (isPartial && READ_APART.has(attribute)) return false;
    if (judged.has(attribute)) return grown.includes(attribute);
    return set.names.has(attribute) && differs(attribute, before, after);
  });
}

const NONE: ReadonlySet<Attribute> = new Set();
/** What statx does not bring: of an entry that cannot be read to the end, their absence says nothing. */
const READ_APART: ReadonlySet<Attribute> = new Set(['target', 'xattrs', 'flags']);
/** Of a growing file these follow from the growth, and are judged by `growth` alone. */
const GROWTH: ReadonlySet<Attribute> = new Set(['size', 'mtime', 'digest']);

/** What is wrong with the growth of a growing file as far as two entries tell: it shrank, or differs at equal length. */
function growth(before: Entry, after: Entry, set: AttributeSet): readonly Attribute[] {
  if (!set.growing || before.type !== 'file' || after.type !== 'file') return [];
  if (after.sizeBytes < before.sizeBytes) return ['size', 'digest'];
  if (isFirstReading(before, after)) return ['digest'];
  if (after.sizeBytes === before.sizeBytes && differs('digest', before, after)) return ['digest'];
  return [];
}

/** How many bytes of a growing file must still have the digest of `before`; undefined when nothing is left to verify. */
export function prefixToVerify(before: Entry, after: Entry, set: AttributeSet): bigint | undefined {
  if (!set.growing || before.type !== 'file' || after.type !== 'file' || before.digest === undefined) return undefined;
  return after.sizeBytes > before.sizeBytes ? before.sizeBytes : undefined;
}

function differs(attribute: Attribute, a: Entry, b: Entry): boolean {
  switch (attribute) {
    case 'type':
      return a.type !== b.type;
    case 'mode':
      return a.mode !== b.mode;
    case 'uid':
      return a.uid !== b.uid;
    case 'gid':
      return a.gid !== b.gid;
    case 'size':
      return a.sizeBytes !== b.sizeBytes;
    case 'mtime':
      return a.mtimeNs !== b.mtimeNs;
    case 'ctime':
      return a.ctimeNs !== b.ctimeNs;
    case 'inode':
      return a.inode !== b.inode;
    case 'nlink':
      return a.nlink !== b.nlink;
    case 'rdev':
      return a.rdev.major !== b.rdev.major || a.rdev.minor !== b.rdev.minor;
    case 'target':
      return a.target !== b.target;
    case 'digest':
      return isFirstReading(a, b) || isOtherDigest(a.digest, b.digest);
    case 'xattrs':
      return !isSameXattrs(a.xattrs, b.xattrs);
    case 'flags':
      return a.flags !== b.flags;
  }
}

/** The content could not be read when the baseline was made, and can be now. */
function isFirstReading(before: Entry, after: Entry): boolean {
  return before.incomplete !== 0 && before.digest === undefined && after.digest !== undefined;
}

function isOtherDigest(a: Digest | undefined, b: Digest | undefined): boolean {
  return a !== undefined && b !== undefined && !isSameDigest(a, b);
}

export function isSameDigest(a: Digest, b: Digest): boolean {
  return a.algorithm === b.algorithm && Buffer.compare(a.value, b.value) === 0;
}

function isSameXattrs(a: readonly Xattr[], b: readonly Xattr[]): boolean {
  if (a.length !== b.length) return false;
  const values = new Map(b.map((xattr) => [xattr.name, xattr.value]));
  return a.every(({ name, value }) => {
    const other = values.get(name);
    return other !== undefined && Buffer.compare(value, other) === 0;
  });
}
