// Which properties of an entry a rule compares (design: Attributes, groups).

/** In the order in which they are reported. */
export const ATTRIBUTES = [
  'type',
  'mode',
  'uid',
  'gid',
  'size',
  'mtime',
  'ctime',
  'inode',
  'nlink',
  'rdev',
  'target',
  'digest',
  'xattrs',
  'flags',
] as const;

export type Attribute = (typeof ATTRIBUTES)[number];

/** What a rule compares: plain attributes, and whether files may only grow. */
export interface AttributeSet {
  readonly names: ReadonlySet<Attribute>;
  /** The old content must still be the beginning of the new content; size, mtime and digest may otherwise change. */
  readonly growing: boolean;
}

const OWNER: readonly Attribute[] = ['type', 'mode', 'uid', 'gid'];
const DEFAULT: readonly Attribute[] = [...OWNER, 'size', 'mtime', 'digest', 'target', 'rdev', 'xattrs', 'flags'];

const GROUPS: Readonly<Record<string, readonly Attribute[]>> = {
  content: ['type', 'size', 'digest', 'target'],
  owner: OWNER,
  default: DEFAULT,
  strict: [...DEFAULT, 'inode', 'nlink', 'ctime'],
  growing: OWNER,
};

export const ATTRIBUTE_GROUPS: readonly string[] = Object.keys(GROUPS);

/** Of a directory only these count, whatever the group: the rest is the business of its entries. */
export const DIRECTORY_ATTRIBUTES: ReadonlySet<Attribute> = new Set(['type', 'mode', 'uid', 'gid', 'xattrs', 'flags']);

export function isAttribute(word: string): word is Attribute {
  return (ATTRIBUTES as readonly string[]).includes(word);
}

/**
 * Resolves attribute names, the built-in groups and the groups of `own` (which may name each other).
 * Returns the set, or the first word that names nothing (or itself, through a cycle).
 */
export function resolveAttributes(
  words: readonly string[],
  own: ReadonlyMap<string, readonly string[]>,
): AttributeSet | { readonly unknown: string } {
  const names = new Set<Attribute>();
  let growing = false;
  const visit = (word: string, above: readonly string[]): string | undefined => {
    if (isAttribute(word)) {
      names.add(word);
      return undefined;
    }
    const group = own.get(word) ?? GROUPS[word];
    if (group === undefined || above.includes(word)) return word;
    if (word === 'growing') growing = true;
    return group.map((inner) => visit(inner, [...above, word])).find((bad) => bad !== undefined);
  };
  const unknown = words.map((word) => visit(word, [])).find((bad) => bad !== undefined);
  return unknown === undefined ? { names, growing } : { unknown };
}

/** Whether the content of files must be read for this set. */
export function needsDigest(set: AttributeSet): boolean {
  return set.growing || set.names.has('digest');
}
