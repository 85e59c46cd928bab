// One attribute of an entry, for a person. Everything is escaped.
import type { Attribute } from '../domain/attribute.ts';
import { digestText, type Entry, type Xattr } from '../domain/entry.ts';
import { escapePath } from '../domain/escape.ts';
import { pathFromBytes, pathFromLatin1 } from '../domain/path.ts';
import { modeText } from './entry-json.ts';
import { flagLetters } from './flag-letters.ts';
import { timeText } from './time-text.ts';

export interface AttributeChange {
  /** The attribute; of extended attributes each by its own name. */
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

/** What stands for a side that does not have the attribute. */
const NOTHING = '-';

/** The old and the new value of each attribute; nothing when one side is missing. */
export function attributeChanges(
  names: readonly Attribute[],
  before: Entry | undefined,
  after: Entry | undefined,
): AttributeChange[] {
  if (before === undefined || after === undefined) return [];
  return names.flatMap((name) =>
    name === 'xattrs'
      ? xattrChanges(before.xattrs, after.xattrs)
      : [{ name, before: attributeText(before, name), after: attributeText(after, name) }],
  );
}

/** `xattrs` gives the names alone. */
export function attributeText(entry: Entry, name: Attribute): string {
  switch (name) {
    case 'type':
      return entry.type;
    case 'mode':
      return modeText(entry.mode);
    case 'uid':
      return String(entry.uid);
    case 'gid':
      return String(entry.gid);
    case 'size':
      return String(entry.sizeBytes);
    case 'mtime':
      return timeText(entry.mtimeNs);
    case 'ctime':
      return timeText(entry.ctimeNs);
    case 'inode':
      return String(entry.inode);
    case 'nlink':
      return String(entry.nlink);
    case 'rdev':
      return `${entry.rdev.major}:${entry.rdev.minor}`;
    case 'target':
      return entry.target === undefined ? NOTHING : escapePath(entry.target);
    case 'digest':
      return entry.digest === undefined ? NOTHING : digestText(entry.digest);
    case 'xattrs':
      return entry.xattrs.map((xattr) => escapePath(pathFromLatin1(xattr.name))).join(' ') || NOTHING;
    case 'flags':
      return flagLetters(entry.flags) || NOTHING;
  }
}

function xattrChanges(before: readonly Xattr[], after: readonly Xattr[]): AttributeChange[] {
  const [old, now] = [xattrTexts(before), xattrTexts(after)];
  const names = [...new Set([...old.keys(), ...now.keys()])].sort();
  return names
    .filter((name) => old.get(name) !== now.get(name))
    .map((name) => ({
      name: escapePath(pathFromLatin1(name)),
      before: old.get(name) ?? NOTHING,
      after: now.get(name) ?? NOTHING,
    }));
}

function xattrTexts(xattrs: readonly Xattr[]): ReadonlyMap<string, string> {
  return new Map(xattrs.map(({ name, value }) => [name, `"${escapePath(pathFromBytes(value))}"`]));
}
