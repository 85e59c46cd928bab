// What the kernel tells of the way from one state of a tree to the next, as the thread that reads events hands it on: the names
// that came and went, one name of each inode that changed, which names are those of one rename, and the inodes themselves.
import type { Entry } from '../../src/domain/entry.ts';
import { inodeKey } from '../../src/domain/inode-table.ts';
import { type BytePath, comparePaths, hasAncestorIn } from '../../src/domain/path.ts';
import type { WatchEvent } from '../../src/engine/ports/event-source.ts';

export type Tree = ReadonlyMap<BytePath, Entry>;

/** `covers`: what lies outside is told by its inode alone. */
export function eventsBetween(before: Tree, after: Tree, covers: (path: BytePath) => boolean): WatchEvent[] {
  const [came, went] = [newIn(after, before), newIn(before, after)];
  const changed = changedInodes(before, after);
  const told = [
    ...[...went, ...came].map(({ path, type }) => dirty(path, type === 'directory')),
    // Whatever its name was when it changed, it is known by one that it has.
    ...changed.map(({ path }) => dirty(path, false)),
  ].filter((event) => event.kind === 'dirty' && covers(event.path));
  const touched = [...went, ...came, ...changed].filter(({ type }) => type !== 'directory');
  const inodeKeys = [...new Set(touched.map(({ inode }) => inodeKey(inode)))];
  const actor = { source: 'unknown' } as const;
  return [
    ...told,
    ...renames(went, came).filter((event) => isCovered(event, covers)),
    { kind: 'linked', inodeKeys, actor },
  ];
}

function dirty(path: BytePath, subtree: boolean): WatchEvent {
  return { kind: 'dirty', path, subtree, actor: { source: 'unknown' } };
}

/** Of a directory only itself. */
function newIn(tree: Tree, other: Tree): Entry[] {
  const found = [...tree.values()].filter(({ path, inode }) => other.get(path)?.inode !== inode);
  const directories = new Set(found.flatMap(({ path, type }) => (type === 'directory' ? [path] : [])));
  return found.filter(({ path }) => !hasAncestorIn(path, directories));
}

function changedInodes(before: Tree, after: Tree): Entry[] {
  const known = new Map([...before.values()].map((entry) => [entry.inode, entry]));
  const now = new Map(
    [...after.values()].sort((a, b) => comparePaths(a.path, b.path)).map((entry) => [entry.inode, entry]),
  );
  return [...now.values()].filter((entry) => {
    const old = known.get(entry.inode);
    return old !== undefined && stateOf(old) !== stateOf(entry);
  });
}

function stateOf(entry: Entry): string {
  const text = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
  return JSON.stringify({ ...entry, path: '' }, text);
}

function renames(went: readonly Entry[], came: readonly Entry[]): Extract<WatchEvent, { kind: 'renamed' }>[] {
  const from = new Map(went.map(({ inode, path }) => [inode, path]));
  return came.flatMap(({ inode, path }) => {
    const old = from.get(inode);
    return old === undefined ? [] : [{ kind: 'renamed', paths: [old, path] }];
  });
}

function isCovered({ paths }: Extract<WatchEvent, { kind: 'renamed' }>, covers: (path: BytePath) => boolean): boolean {
  return paths.every(covers);
}
