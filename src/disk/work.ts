// Pieces of work of a walk (protocol.ts): where it starts, and what lies below a directory.
import { type BytePath, dirOf, isWithin, nameOf, outermostPaths, pathFromLatin1 } from '../domain/path.ts';
import { listNames } from './directory.ts';
import type { PackedWork, Reply, Request, Work } from './protocol.ts';

/** Names in one page of a large directory. */
export const PAGE_NAMES = 1024;

/**
 * The only place that makes these objects, with all keys in one order: compiled code then knows one type of them, and is not
 * thrown away for the next one that comes along.
 */
function makeWork(
  kind: Work['kind'],
  dir: BytePath,
  rule: number,
  { after, upTo, packed, names, known }: Partial<Work>,
): Work {
  return { kind, dir, rule, after, upTo, packed, names, known };
}

/** Work on its way through a message: as arrays, because objects come out of messages each of a type of their own. */
export function packWork({ kind, dir, rule, after, upTo, packed, names, known }: Work): PackedWork {
  return [kind, dir, rule, after, upTo, packed, names, known];
}

export function unpackWork([kind, dir, rule, after, upTo, packed, names, known]: PackedWork): Work {
  return makeWork(kind, dir, rule, { after, upTo, packed, names, known });
}

export function withKnown(work: Work, known: Uint8Array | undefined): Work {
  if (work.known === known) return work;
  const { after, upTo, packed, names } = work;
  return makeWork(work.kind, work.dir, work.rule, { after, upTo, packed, names, known });
}

/** One piece of work per directory that holds a root. */
export function rootWork(roots: readonly BytePath[]): Work[] {
  const names = new Map<BytePath, BytePath[]>();
  for (const root of outermostPaths(roots)) {
    const dir = dirOf(root);
    names.set(dir, [...(names.get(dir) ?? []), nameOf(root)]);
  }
  return [...names].map(([dir, list]) => namesWork(dir, list)).reverse();
}

/** Single names of a directory. */
export function namesWork(dir: BytePath, names: readonly BytePath[]): Work {
  return makeWork('names', dir, NO_RULE, { names });
}

/** Of single names nothing is known yet. */
const NO_RULE = -1;

/** A directory that is listed. */
export function listWork(dir: BytePath, rule: number): Work {
  return makeWork('list', dir, rule, NOTHING);
}

const NOTHING: Partial<Work> = {};

/** The same directory, to be compared with what the baseline has of it. */
export function compareWork({ dir, rule }: Work): Work {
  return makeWork('compare', dir, rule, NOTHING);
}

/** Behind a border that is not crossed, a rule may begin anew. */
export function workBeyond(border: BytePath, scopeRoots: readonly BytePath[]): Work[] {
  return rootWork(scopeRoots.filter((root) => root !== border && isWithin(root, border)));
}

export interface RangeOptions {
  readonly index: number;
  readonly after: BytePath | undefined;
  /** Names in a range, and in the first one when that is different. */
  readonly size: number;
  readonly first?: number;
}

/** The names from `index` on, as ranges that start behind `after`. */
export function rangeWork(
  work: Work,
  names: readonly string[],
  { index, after, size, first = size }: RangeOptions,
): Work[] {
  if (work.kind === 'names') return [];
  const ranges: Work[] = [];
  for (let at = index, from = after; at < names.length; ) {
    const piece = names.slice(at, at + (at === index ? first : size));
    at += piece.length;
    const upTo = at < names.length ? pathFromLatin1(piece.at(-1) ?? '') : work.upTo;
    ranges.push(makeWork('range', work.dir, work.rule, { after: from, upTo, packed: packNames(piece) }));
    from = upTo;
  }
  return ranges;
}

function packNames(names: readonly string[]): Uint8Array {
  return Buffer.from(`${names.join('\0')}\0`, 'latin1');
}

function unpackNames(packed: Uint8Array): string[] {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  return bytes.toString('latin1', 0, bytes.length - 1).split('\0');
}

/** Puts work onto a stack so that its first piece is taken next: depth first, so that the stack stays small. */
export function push(stack: Work[], work: readonly Work[]): void {
  for (let index = work.length - 1; index >= 0; index -= 1) {
    const piece = work[index];
    if (piece !== undefined) stack.push(piece);
  }
}

/** The answer to a request of which nothing was done. */
export function undone({ id, work }: Extract<Request, { kind: 'pages' }>): Reply {
  const unchanged = { entries: 0, bytesRead: 0, trusted: 0 };
  const rest = work.map((piece) => packWork(withKnown(unpackWork(piece), undefined)));
  return { kind: 'pages', id, pages: [], records: new ArrayBuffer(0), unchanged, rest, postponed: [] };
}

const NO_BYTES = new Uint8Array(0);

/** The names of a piece of work on an open directory, sorted; or the positive errno. */
export function namesOf(work: Work, fd: number): readonly string[] | number {
  switch (work.kind) {
    case 'list':
    case 'compare':
      return listNames(fd);
    case 'range':
      return unpackNames(work.packed ?? NO_BYTES);
    case 'names':
      return [...new Set<string>(work.names ?? [])].sort();
  }
}
