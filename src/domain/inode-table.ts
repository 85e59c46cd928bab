// In which directories an inode has names, for all entries of a baseline, in memory that threads share: the thread that
// reads events asks whether an inode is in the baseline at all, the engine where. 11 bytes an entry.

export interface InodeTable {
  /** Plain memory, to be sent to another thread and opened there. */
  readonly memory: SharedArrayBuffer;
  /** One writer. Returns false when there is no room for it: then nothing is remembered. */
  add(key: number, dirNumber: number): boolean;
  /** From now on `has` is true of everything, until `filled`. */
  filling(): void;
  filled(): void;
  /** Forgets everything that was added. While it is being filled alone. */
  clear(): void;
  /**
   * Whether some directory may have a name of it; never false for what was added, or may be by whoever fills it. One key in some
   * ten thousand is taken for another.
   */
  has(key: number): boolean;
  /** Numbers of directories, each once; among them, as rarely, one that has no name of it. */
  dirsOf(key: number): number[];
  /** A number for now, that changes noted before are below: to be had before something is read that will be added. */
  nextMoment(): number;
  /** Something happened to the inode. To be said before `has` is asked, so that whoever is about to add it does not miss it. */
  noteChange(key: number): void;
  /** Whether something was noted since the moment, of it or of one that shares its place. To be asked after `add`. */
  hasChangedSince(key: number, moment: number): boolean;
}

/** The 32 bits that stand for an inode. Two inodes of one key are taken for one, which costs a look at a path in vain. */
export function inodeKey(inode: bigint): number {
  return Number(BigInt.asUintN(32, inode ^ (inode >> 32n)));
}

/** The same of an inode number whose halves are known. */
export function inodeKeyOf(low: number, high: number): number {
  return (low ^ high) >>> 0;
}

/** The fewest slots: 3 MiB, so that a small baseline has room for what comes and goes. */
const SLOTS_MIN = 524_288;
const FULL = 0.8;
/** Where the moment of an inode's last change is kept: few share a place while a large directory is read. 4 MiB, if they are used. */
const PLACES = 1_048_576;
/** The number of used slots, whether it is being filled, the moment; the places; then for each slot a word and a half. */
const HEADER_BYTES = 12 + PLACES * 4;
const SLOT_BYTES = 6;
const WORDS = 2 ** 32;

/** For `entries` names and half as many again. */
export function createInodeTable(entries: number, slotsMin = SLOTS_MIN): InodeTable {
  const slots = Math.max(Math.ceil((entries * 1.5) / FULL), slotsMin);
  return openInodeTable(new SharedArrayBuffer(HEADER_BYTES + slots * SLOT_BYTES));
}

export function openInodeTable(memory: SharedArrayBuffer): InodeTable {
  const slots = (memory.byteLength - HEADER_BYTES) / SLOT_BYTES;
  const count = new Uint32Array(memory, 0, 1);
  const isFilling = new Int32Array(memory, 4, 1);
  const now = new Uint32Array(memory, 8, 1);
  const lastChanges = new Uint32Array(memory, 12, PLACES);
  /** One more than the number of a directory; 0 is an empty slot, of which there always are some. */
  const dirs = new Uint32Array(memory, HEADER_BYTES, slots);
  /** The lower half of the key; most of the upper half is in where it lies. */
  const halves = new Uint16Array(memory, HEADER_BYTES + slots * 4, slots);
  const placeOf = (key: number, places: number): number =>
    Math.floor(((Math.imul(key, 0x9e3779b1) >>> 0) * places) / WORDS);
  const start = (key: number): number => placeOf(key, slots);
  const next = (at: number): number => (at + 1 === slots ? 0 : at + 1);
  return {
    memory,
    add(key, dirNumber) {
      const half = key & 0xffff;
      let at = start(key);
      for (; dirs[at] !== 0; at = next(at)) if (halves[at] === half && dirs[at] === dirNumber + 1) return true;
      const used = count[0] ?? 0;
      if (used >= slots * FULL) return false;
      count[0] = used + 1;
      halves[at] = half;
      // The other thread looks at the key of slots alone that are not empty.
      Atomics.store(dirs, at, dirNumber + 1);
      return true;
    },
    filling: () => void Atomics.store(isFilling, 0, 1),
    filled: () => void Atomics.store(isFilling, 0, 0),
    clear() {
      dirs.fill(0);
      count[0] = 0;
    },
    has(key) {
      if (Atomics.load(isFilling, 0) !== 0) return true;
      const half = key & 0xffff;
      // Ordered: what is not seen here was added after the change that the asker has noted.
      for (let at = start(key); Atomics.load(dirs, at) !== 0; at = next(at)) if (halves[at] === half) return true;
      // What was looked through may have been cleared meanwhile.
      return Atomics.load(isFilling, 0) !== 0;
    },
    dirsOf(key) {
      const half = key & 0xffff;
      const found = new Set<number>();
      for (let at = start(key); dirs[at] !== 0; at = next(at)) {
        if (halves[at] === half) found.add((dirs[at] ?? 0) - 1);
      }
      return [...found];
    },
    nextMoment: () => Atomics.add(now, 0, 1) + 1,
    noteChange: (key) => void Atomics.store(lastChanges, placeOf(key, PLACES), Atomics.load(now, 0)),
    hasChangedSince: (key, moment) => Atomics.load(lastChanges, placeOf(key, PLACES)) >= moment,
  };
}
