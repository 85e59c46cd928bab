// In which directories an inode has names, for all entries of a baseline, in memory that threads share: the thread that
// reads events asks whether an inode is in the baseline at all, the engine where. 8 bytes an entry, at least twice over.

export interface InodeTable {
  /** Plain memory, to be sent to another thread and opened there. */
  readonly memory: SharedArrayBuffer;
  /** One writer. Returns false when there is no room for it: then nothing is remembered. */
  add(key: number, dirNumber: number): boolean;
  /** From now on `has` is true of everything, until `filled`. */
  filling(): void;
  filled(): void;
  /** Whether some directory may have a name of it; never false for what was added, or may be by whoever fills it. */
  has(key: number): boolean;
  /** Numbers of directories, each once. */
  dirsOf(key: number): number[];
}

/** The 32 bits that stand for an inode. Two inodes of one key are taken for one, which costs a look at a path in vain. */
export function inodeKey(inode: bigint): number {
  return Number(BigInt.asUintN(32, inode ^ (inode >> 32n)));
}

/** The fewest slots: 512 KiB, so that a small baseline has room for what is accepted later. */
const SLOTS_MIN = 65_536;
const FULL = 0.75;

/** For `entries` names and half as many again. */
export function createInodeTable(entries: number): InodeTable {
  const slots = 2 ** Math.ceil(Math.log2(Math.max((entries * 1.5) / FULL, SLOTS_MIN)));
  return openInodeTable(new SharedArrayBuffer(slots * 8 + 8));
}

export function openInodeTable(memory: SharedArrayBuffer): InodeTable {
  const slots = (memory.byteLength - 8) / 8;
  const keys = new Uint32Array(memory, 0, slots);
  /** One more than the number of a directory; 0 is an empty slot, of which there always are some. */
  const dirs = new Uint32Array(memory, slots * 4, slots);
  const count = new Uint32Array(memory, slots * 8, 1);
  const isFilling = new Int32Array(memory, slots * 8 + 4, 1);
  const start = (key: number): number => (Math.imul(key, 0x9e3779b1) ^ (key >>> 15)) & (slots - 1);
  return {
    memory,
    add(key, dirNumber) {
      let at = start(key);
      for (; dirs[at] !== 0; at = (at + 1) & (slots - 1)) {
        if (keys[at] === key && dirs[at] === dirNumber + 1) return true;
      }
      const used = count[0] ?? 0;
      if (used >= slots * FULL) return false;
      count[0] = used + 1;
      keys[at] = key;
      // The other thread looks at the key of slots alone that are not empty.
      Atomics.store(dirs, at, dirNumber + 1);
      return true;
    },
    filling: () => void Atomics.store(isFilling, 0, 1),
    filled: () => void Atomics.store(isFilling, 0, 0),
    has(key) {
      if (Atomics.load(isFilling, 0) !== 0) return true;
      for (let at = start(key); dirs[at] !== 0; at = (at + 1) & (slots - 1)) if (keys[at] === key) return true;
      return false;
    },
    dirsOf(key) {
      const found: number[] = [];
      for (let at = start(key); dirs[at] !== 0; at = (at + 1) & (slots - 1)) {
        if (keys[at] === key) found.push((dirs[at] ?? 0) - 1);
      }
      return found;
    },
  };
}
