// Every name that the baseline has of an inode. An event tells one name of a file, maybe one that no rule covers, and its
// other names have changed with it (hard links: link(2)).
import type { Drift } from '../domain/drift.ts';
import type { Entry } from '../domain/entry.ts';
import { createInodeTable, type InodeTable, inodeKey } from '../domain/inode-table.ts';
import { recordInodeKey, recordLength } from '../domain/packed.ts';
import { type BytePath, dirOf, ROOT_DIR } from '../domain/path.ts';
import { createDirectoryNumbers } from './directory-numbers.ts';
import { createNameCache, lookUp } from './name-cache.ts';
import type { Clock } from './ports/clock.ts';
import type { Store } from './ports/store.ts';
import { createReplacedNames } from './replaced-names.ts';

export interface InodeNames {
  /** The inode table, for the thread that reads events. */
  readonly memory: SharedArrayBuffer;
  /** The store, of which from now on everything that is accepted has its names here, too. */
  readonly store: Store;
  /**
   * Takes in the baseline, some directories at a time; until the signal aborts. Until then every inode may have names in it
   * for the thread that reads events, and `namesOf` does not know them all.
   */
  fill(signal: AbortSignal): Promise<void>;
  /** Names that are gone have taken the room: it has to be cleared and filled again. Until then it is as before the first time. */
  readonly isCrowded: boolean;
  /** Forgets all names. Those of open drift have to be read, and so noted, again; what is noted and not recorded yet is lost. */
  clear(): void;
  /** To be had before something is read that will be noted: `InodeTable.nextMoment`. */
  moment(): number;
  /**
   * What was found, before it is recorded. Returns whether nobody looked for changes through its other names until now: then
   * `hasChangedSince` is to be asked when it is.
   */
  note(found: Partial<Pick<Drift, 'before' | 'after'>>): boolean;
  /** What is as the baseline has it, but for the inode. Returns as `note` does; it need not be recorded. */
  noteReplaced(entry: Entry): boolean;
  /** Whether it has to be read once more. */
  hasChangedSince(entry: Entry, moment: number): boolean;
  /** By `inodeKey`: names in the baseline, and of open drift; some may be of another inode. */
  namesOf(keys: readonly number[]): ReadonlySet<BytePath>;
  /** By `inodeKey`: names in the baseline alone. */
  inBaseline(keys: ReadonlySet<number>): BytePath[];
}

/** Of the packed baseline, between two looks at what else there is to do. */
const STEP_BYTES = 1024 * 1024;
/** Where there are more names than there is room for, it would be cleared again and again. */
const CLEARED_EVERY_MS = 3_600_000;

export interface InodeNamesParts {
  readonly store: Store;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** There is no room for more names for an hour at most: changes of those through other names wait for the sweep. */
  readonly onFull: () => void;
  /** By default one that has room for all names of the baseline, and half as many again. */
  readonly table?: InodeTable;
}

export function openInodeNames({ store, clock, onFull, table = tableFor(store) }: InodeNamesParts): InodeNames {
  const { baseline } = store;
  let directories = createDirectoryNumbers();
  const placesOf = (key: number): BytePath[] => table.dirsOf(key).map((number) => directories.dirOf(number));
  const cache = createNameCache(store, placesOf);
  const replaced = createReplacedNames();
  let isToldFull = false;
  let isCrowded = false;
  let isFilled = false;
  let clearableMs = Number.NEGATIVE_INFINITY;
  table.filling();

  const full = (): false => {
    if (!isToldFull) onFull();
    isToldFull = true;
    return false;
  };
  /** Returns whether it is known from now on, or when it is filled again. */
  const add = (key: number, dirNumber: number): boolean => {
    if (table.add(key, dirNumber)) return true;
    if (!isFilled || clock.monotonicMs() < clearableMs) return full();
    table.filling();
    isCrowded = true;
    return true;
  };
  const addRun = (dirNumber: number, run: Buffer): void => {
    for (let at = 0; at < run.length; at += recordLength(run, at)) add(recordInodeKey(run, at), dirNumber);
  };
  const enter = (entry: Entry): boolean => {
    if (entry.type === 'directory') return false;
    cache.clear();
    return add(inodeKey(entry.inode), directories.numberOf(dirOf(entry.path)));
  };
  const isEntered = ({ inode, path }: Entry): boolean =>
    table.dirsOf(inodeKey(inode)).includes(directories.numberOf(dirOf(path)));
  return {
    memory: table.memory,
    store: {
      ...store,
      commit(commit) {
        store.commit(commit);
        cache.clear();
        for (const entry of commit.accept?.put ?? []) enter(entry);
      },
    },
    async fill(signal) {
      let bytes = 0;
      for (const { dir, run } of baseline.below(ROOT_DIR)) {
        addRun(directories.append(dir), run);
        bytes += run.length;
        if (bytes < STEP_BYTES) continue;
        bytes = 0;
        await new Promise(setImmediate);
        if (signal.aborted) return;
      }
      for (const [path, key] of replaced.entries()) add(key, directories.numberOf(dirOf(path)));
      cache.clear();
      isFilled = true;
      table.filled();
    },
    get isCrowded() {
      return isCrowded;
    },
    clear() {
      table.filling();
      table.clear();
      directories = createDirectoryNumbers();
      cache.clear();
      clearableMs = clock.monotonicMs() + CLEARED_EVERY_MS;
      [isFilled, isCrowded, isToldFull] = [false, false, false];
    },
    moment: table.nextMoment,
    note({ before, after }) {
      if (after === undefined) return false;
      const isOld = before?.path === after.path && before.inode === after.inode;
      const wasFound = isOld || (isEntered(after) && store.openDriftAt(after.path).length > 0);
      // Where there is no room for it, it would be unknown, and read once more, for ever.
      return enter(after) && !wasFound;
    },
    noteReplaced(entry) {
      if (entry.type === 'directory') return false;
      const isNew = replaced.set(entry.path, inodeKey(entry.inode));
      return isNew === undefined ? full() : isNew && enter(entry);
    },
    hasChangedSince: ({ inode }, moment) => table.hasChangedSince(inodeKey(inode), moment),
    inBaseline: (keys) => [...lookUp(baseline, keys, placesOf).values()].flatMap(({ names }) => names),
    namesOf(keys) {
      const names = cache.namesOf(keys);
      for (const key of keys) for (const name of replaced.namesOf(key)) names.add(name);
      return names;
    },
  };
}

function tableFor({ baseline }: Store): InodeTable {
  return createInodeTable(baseline.info().entries);
}
