// Work on directories, done: the pages of a request (protocol.ts), in a worker.
import { type BytePath, joinPath, pathFromLatin1, ROOT_DIR } from '../domain/path.ts';
import { hasTurn, type Round } from '../domain/round.ts';
import type { Rule, Scope } from '../domain/rule.ts';
import type { SealTable } from '../domain/seal-table.ts';
import { AT_FDCWD, closeFd } from '../libc/file.ts';
import { allocateStat, type Stat, statFd } from '../libc/statx.ts';
import { isAbsence, openDirectory, prefixOf } from './directory.ts';
import type { EntryReader } from './entry-reader.ts';
import { knownRecords } from './known.ts';
import type { Meter } from './meter.ts';
import { needsByRule } from './needs.ts';
import type { PagesWritten, PageWriter } from './page-writer.ts';
import type { PackedWork, Work } from './protocol.ts';
import type { QuickReader } from './quick-reader.ts';
import { ruleFinder } from './rule-finder.ts';
import { isSameDevice } from './stat.ts';
import {
  compareWork,
  listWork,
  namesOf,
  PAGE_NAMES,
  packWork,
  push,
  rangeWork,
  unpackWork,
  withKnown,
  workBeyond,
} from './work.ts';

export interface PageReader {
  read(
    work: readonly PackedWork[],
    turn: Turn,
  ): PagesWritten & { readonly rest: PackedWork[]; readonly postponed: BytePath[] };
}

/** How far a request goes. */
export interface Turn {
  /** Stop after a fair portion; what is not done comes back as `rest`. */
  readonly share: boolean;
  /** Go on below the directories that are found; otherwise they are part of `rest`. */
  readonly descend: boolean;
  /** Directories that it knows are counted, and give no page. */
  readonly seals: SealTable | undefined;
  /** It is asked by quick seals; a directory that it does not know is part of `rest`. */
  readonly quick: boolean;
  /** Directories that have their turn in it are asked by their seals all the same. */
  readonly round: Round | undefined;
  /** Of single names: files with more content are not read. */
  readonly contentMaxBytes: number | undefined;
  /** The token of readings that go on where the last one ended (appended.ts); undefined: all of each file is read. */
  readonly appended: number | undefined;
}

export interface Signals {
  /** Whether nobody wants the answer any more. */
  isCanceled(): boolean;
  /** Whether another worker has nothing to do. */
  isHungry(): boolean;
}

/** A fair portion: small enough to balance the workers, large enough to make messages cheap. */
const SHARE_NAMES = 4096;
const SHARE_BYTES = 32 * 1024 * 1024;
/** When another worker waits, so much content is enough for one directory. */
const HUNGRY_BYTES = 1024 * 1024;
/** Names behind a good portion of content go to this many ranges. */
const RANGES = 4;

export function createPageReader(
  scope: Scope,
  writer: PageWriter,
  meter: Meter,
  entries: EntryReader,
  quick: QuickReader,
  { isCanceled, isHungry }: Signals,
): PageReader {
  const rules = needsByRule(scope);
  const roots = new Set<string>(scope.roots);
  const deviceOfDir = allocateStat();
  const hasBorders = scope.rules.some(({ oneFileSystem }) => oneFileSystem);
  /** Whether `deviceOfDir` is that of the directory in hand. */
  let hasDevice = false;
  let namesLeft = 0;
  let bytesLimit = 0;
  let hungryLimit = 0;
  /** Whether something else waits in this request. */
  let isMore = false;
  /** Whether the name at which a directory was left is a file that is too large for this request. */
  let isTooLarge = false;
  /** What is not done in this request. */
  let later: Work[] = [];
  let contentMaxBytes: number | undefined;
  /** Single names that have more content than that. */
  let postponed: BytePath[] = [];
  let token: number | undefined;
  let isPatient = true;

  const isFull = (): boolean => meter.bytesRead() >= bytesLimit;
  const isSpent = (): boolean => namesLeft <= 0 || isFull() || isCanceled();
  /** What else waits in this request serves the other worker as soon as this directory ends; cutting it up costs more. */
  const isWanted = (): boolean => !isMore && meter.bytesRead() >= hungryLimit && isHungry();

  const readPiece = (work: Work): Work[] => {
    const fd = work.dir === ROOT_DIR ? AT_FDCWD : openDirectory(work.dir);
    const isOpen = fd >= 0 || fd === AT_FDCWD;
    const names = isOpen ? namesOf(work, fd) : -fd;
    try {
      if (typeof names !== 'number') return readNames(work, fd, names);
      writer.start(work, meter.bytesRead());
      if (isAbsence(names)) return finish();
      writer.fail(names);
      return beyond(work);
    } finally {
      if (fd >= 0) closeFd(fd);
    }
  };

  /** What may still be read below what could not. Of single names never the same again. */
  const beyond = ({ kind, dir, names = [] }: Work): Work[] => {
    if (kind !== 'names') return workBeyond(dir, scope.roots);
    return names.flatMap((name) => workBeyond(joinPath(dir, name), scope.roots));
  };

  const finish = (upTo?: BytePath): Work[] => {
    writer.finish(meter.bytesRead(), upTo);
    return [];
  };

  /** Returns the work that follows: below, and what is left of the names. */
  const readNames = (work: Work, fd: number, names: readonly string[]): Work[] => {
    if ((work.kind === 'list' || work.kind === 'compare') && names.length > PAGE_NAMES) {
      return rangeWork(work, names, { index: 0, after: undefined, size: PAGE_NAMES });
    }
    writer.start(work, meter.bytesRead());
    hasDevice = hasBorders && statFd(deviceOfDir, fd) === 0;
    hungryLimit = meter.bytesRead() + HUNGRY_BYTES;
    const following: Work[] = [];
    const index = readInTurn(work, fd, names, following);
    if (index === names.length || isCanceled()) finish();
    // A file that is too large for this request would come up in it again at once.
    else if (isTooLarge) later.push(...leave(work, names, index, 1));
    else following.push(...leave(work, names, index));
    return following;
  };

  /**
   * Reads names until this request has enough; returns the index of the first that is left. What happens to few directories is left
   * to the caller: code that was never run when this loop is compiled has it compiled again.
   */
  const readInTurn = (work: Work, fd: number, names: readonly string[], following: Work[]): number => {
    const isSingle = work.kind === 'names';
    const ruleOf = ruleFinder(scope, work);
    const knownOf = knownRecords(work.known);
    isTooLarge = false;
    for (let index = 0; index < names.length; index += 1) {
      if (isCanceled() || (!isSingle && index > 0 && (isSpent() || isWanted()))) return index;
      const text = names[index] ?? '';
      const rule = ruleOf(text);
      const known = rule && rules.get(rule);
      if (rule === undefined || known === undefined) continue;
      namesLeft -= 1;
      meter.entry(text);
      // Whoever is alone in its piece of work is read, however large.
      const isAlone = index === 0 && !isMore && names.length === 1;
      const limitBytes = isSingle ? contentMaxBytes : isAlone ? undefined : SHARE_BYTES;
      const found = entries.read(fd, text, known.needs, knownOf(text), limitBytes, token, isPatient);
      if (found === 'directory') follow(following, work, text, rule, entries.stat);
      if (found !== 'postponed') continue;
      isTooLarge = !isSingle;
      if (isTooLarge) return index;
      postponed.push(pathFromLatin1(text));
    }
    return names.length;
  };

  /** Adds what follows a directory that was found in the one in hand. */
  const follow = (following: Work[], work: Work, text: string, rule: Rule, stat: Stat): void => {
    const path = pathFromLatin1(prefixOf(work.dir) + text);
    const isForeign = rule.oneFileSystem && hasDevice && !isSameDevice(stat, deviceOfDir) && !roots.has(path);
    if (isForeign) following.push(...workBeyond(path, scope.roots));
    else following.push(listWork(path, rules.get(rule)?.index ?? work.rule));
  };

  /** Returns the directories in one that is as in the baseline, or the same directory for whoever knows what is there. */
  const readQuickly = (work: Work, table: SealTable): Work[] => {
    const following: Work[] = [];
    const count = quick.read(work, table, (fd, name, rule) => {
      hasDevice = hasBorders && statFd(deviceOfDir, fd) === 0;
      follow(following, work, name, rule, quick.stat);
    });
    if (count === undefined) return [compareWork(work)];
    namesLeft -= count;
    writer.trust(count);
    return following;
  };

  /** The names from `index` on are for others; the `first` of them together. */
  const leave = (work: Work, names: readonly string[], index: number, first?: number): Work[] => {
    const after = index === 0 ? work.after : pathFromLatin1(names[index - 1] ?? '');
    if (index === 0) writer.drop();
    else finish(after);
    const isHeavy = namesLeft > 0;
    const size = isHeavy ? Math.max(1, Math.ceil((names.length - index) / RANGES)) : PAGE_NAMES;
    return rangeWork(work, names, { index, after, size, first: first ?? size });
  };

  /** Works the stack off until this request has enough; returns what is left. */
  const readAll = (stack: Work[], turn: Turn): Work[] => {
    for (let piece = stack.pop(); piece !== undefined; piece = stack.pop()) {
      isMore = stack.length > 0;
      meter.directory(piece.dir);
      const trusts = turn.quick && !(turn.round !== undefined && hasTurn(turn.round, piece.dir));
      const isQuick = trusts && turn.seals !== undefined && piece.kind === 'list';
      writer.seals = trusts ? undefined : turn.seals;
      const following = isQuick ? readQuickly(piece, turn.seals) : readPiece(piece);
      const here = following.filter((next) => mayGoOn(next, turn));
      push(stack, here);
      if (here.length < following.length) later.push(...following.filter((next) => !mayGoOn(next, turn)));
      if (isSpent() || isHungry()) break;
    }
    return [...later, ...stack.reverse()];
  };

  return {
    read: (work, turn) => {
      namesLeft = turn.share ? SHARE_NAMES : Number.POSITIVE_INFINITY;
      bytesLimit = turn.share ? meter.bytesRead() + SHARE_BYTES : Number.POSITIVE_INFINITY;
      token = turn.appended;
      isPatient = turn.share;
      [later, postponed, contentMaxBytes] = [[], [], turn.contentMaxBytes];
      const rest = readAll(work.map(unpackWork).reverse(), turn);
      return { ...writer.take(), postponed, rest: rest.map((left) => packWork(withKnown(left, undefined))) };
    },
  };
}

/** Here and now; what is compared with the baseline must be sent what that knows. */
function mayGoOn({ kind }: Work, { descend, quick }: Turn): boolean {
  return descend && (!quick || kind === 'list');
}
