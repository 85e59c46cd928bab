// Work on directories, done: the pages of a request (protocol.ts), in a worker.
import { needsDigest } from '../domain/attribute.ts';
import { type BytePath, pathFromLatin1, ROOT_DIR } from '../domain/path.ts';
import type { Rule, Scope } from '../domain/rule.ts';
import { AT_FDCWD, closeFd } from '../libc/file.ts';
import type { ContentReader } from './content.ts';
import { isAbsence, listNames, openDirectory, prefixOf } from './directory.ts';
import type { EntryReader, Needs } from './entry-reader.ts';
import { knownRecords } from './known.ts';
import { startPage } from './page.ts';
import type { FoundPage, Work } from './protocol.ts';
import type { RecordWriter } from './record-writer.ts';
import { allocateStat, isSameDevice, statFd } from './stat.ts';

export interface PageReader {
  /** Does the work in order. With `share`, stops after a fair portion; what is not done comes back as `rest`. */
  read(work: readonly Work[], share: boolean): { readonly pages: FoundPage[]; readonly rest: Work[] };
}

/** Names in one page of a large directory. */
const PAGE_NAMES = 1024;
/** A fair portion: small enough to balance the workers, large enough to make messages cheap. */
const SHARE_NAMES = 1024;
const SHARE_BYTES = 32 * 1024 * 1024;

export function createPageReader(
  scope: Scope,
  writer: RecordWriter,
  content: ContentReader,
  entries: EntryReader,
  isCanceled: () => boolean,
): PageReader {
  const rules = new Map(scope.rules.map((rule, index) => [rule, { index, needs: needsOf(rule) }]));
  const roots = new Set<string>(scope.roots);
  const deviceOfDir = allocateStat();
  let namesLeft = 0;
  let bytesLimit = 0;

  const isShareSpent = (): boolean => namesLeft <= 0 || content.bytesRead() >= bytesLimit || isCanceled();

  const readPiece = (work: Work, piece: number, pages: FoundPage[]): Work[] => {
    const fd = work.dir === ROOT_DIR ? AT_FDCWD : openDirectory(work.dir);
    const isOpen = fd >= 0 || fd === AT_FDCWD;
    const names = isOpen ? namesOf(work, fd) : -fd;
    try {
      if (typeof names !== 'number') return readNames(work, piece, fd, names, pages);
      pages.push({ piece, end: writer.length(), bytesRead: 0, ...(!isAbsence(names) && { failed: names }) });
      return [];
    } finally {
      if (fd >= 0) closeFd(fd);
    }
  };

  const readNames = (work: Work, piece: number, fd: number, names: readonly string[], pages: FoundPage[]): Work[] => {
    if (work.kind === 'list' && names.length > PAGE_NAMES) return split(work, names, 0, undefined);
    const page = startPage(piece, content.bytesRead());
    const ruleOf = ruleFinder(work);
    const knownOf = knownRecords(work.known);
    const hasDevice = statFd(deviceOfDir, fd) === 0;
    const prefix = prefixOf(work.dir);
    for (const [index, text] of names.entries()) {
      if (isCanceled()) break;
      if (work.kind !== 'names' && index > 0 && isShareSpent()) {
        const last = pathFromLatin1(names[index - 1] ?? '');
        pages.push(page.finish(writer.length(), content.bytesRead(), last));
        return split(work, names, index, last);
      }
      const name = pathFromLatin1(text);
      const path = pathFromLatin1(prefix + text);
      const rule = ruleOf(path, name);
      const known = rule && rules.get(rule);
      if (rule === undefined || known === undefined) continue;
      namesLeft -= 1;
      if (entries.read(fd, text, known.needs, knownOf(text)) !== 'directory') continue;
      const isForeign = rule.oneFileSystem && hasDevice && !isSameDevice(entries.stat, deviceOfDir) && !roots.has(path);
      if (isForeign) page.foreign(name);
      else page.below(name, known.index);
    }
    pages.push(page.finish(writer.length(), content.bytesRead()));
    return [];
  };

  /** Below a directory of the walk only the entry itself is tested; of single names nothing is known yet. */
  const ruleFinder = (work: Work): ((path: BytePath, name: BytePath) => Rule | undefined) => {
    if (work.kind === 'names') return (path) => scope.ruleOf(path);
    const parent = scope.rules[work.rule];
    return (path, name) => scope.childRule(parent, path, name);
  };

  return {
    read: (work, share) => {
      namesLeft = share ? SHARE_NAMES : Number.POSITIVE_INFINITY;
      bytesLimit = share ? content.bytesRead() + SHARE_BYTES : Number.POSITIVE_INFINITY;
      const pages: FoundPage[] = [];
      const rest: Work[] = [];
      for (const [index, piece] of work.entries()) {
        if (index > 0 && isShareSpent()) rest.push(withoutKnown(piece));
        else rest.push(...readPiece(piece, index, pages));
      }
      return { pages, rest };
    },
  };
}

function needsOf(rule: Rule): Needs {
  return { digest: needsDigest(rule.attributes), flags: rule.attributes.names.has('flags') };
}

function namesOf(work: Work, fd: number): readonly string[] | number {
  switch (work.kind) {
    case 'list':
      return listNames(fd);
    case 'range':
      return unpackNames(work.names);
    case 'names':
      return [...new Set<string>(work.names)].sort();
  }
}

/** The names from `index` on, as ranges that start behind `after`. */
function split(work: Work, names: readonly string[], index: number, after: BytePath | undefined): Work[] {
  if (work.kind === 'names') return [];
  const end = work.kind === 'range' ? work.upTo : undefined;
  const ranges: Work[] = [];
  for (let at = index, from = after; at < names.length; at += PAGE_NAMES) {
    const piece = names.slice(at, at + PAGE_NAMES);
    const upTo = at + PAGE_NAMES < names.length ? pathFromLatin1(piece.at(-1) ?? '') : end;
    ranges.push({ kind: 'range', dir: work.dir, rule: work.rule, after: from, upTo, names: packNames(piece) });
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

function withoutKnown(work: Work): Work {
  const { known: _, ...rest } = work;
  return rest;
}
