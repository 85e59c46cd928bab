// All seals of a baseline in memory that threads share: whoever has read a directory can tell that it is as in the baseline
// without seeing the baseline. 73 bytes a page, and 8 to 16 for finding it; nothing in it ever changes.
import type { BytePath } from './path.ts';
import { hashOfDirectory, isNoSeal } from './quick-seal.ts';
import { SEAL_BYTES } from './seal.ts';

export interface SealTable {
  /** Plain memory, to be sent to other threads and opened there. */
  readonly memory: SharedArrayBuffer;
  /** Whether there are quick seals. */
  readonly hasQuick: boolean;
  /** Whether these are the seals of all pages of one directory, in order. */
  isDirectory(seals: readonly Uint8Array[]): boolean;
  /** The pages that may be those of a directory: a quick seal tells whether they are. */
  quickPages(dir: BytePath): QuickPages | undefined;
}

/** The pages of one directory, by their place in it. */
export interface QuickPages {
  readonly pages: number;
  readonly entries: number;
  entriesOf(page: number): number;
  isSame(page: number, quickSeal: Uint8Array): boolean;
}

/** A page as the builder takes it. */
export interface SealedPage {
  readonly seal: Uint8Array;
  /** Of all pages or of none. */
  readonly quick: Uint8Array | undefined;
  readonly dir: Uint8Array;
  /** Whether it is its directory's first. */
  readonly isFirst: boolean;
  readonly entries: number;
}

export interface SealTableBuilder {
  /** Takes all pages in the order of their keys. */
  add(page: SealedPage): void;
  build(): SealTable;
}

/** A page in the table: its seal, its quick seal, the hash of its directory, how many entries it holds, and a flag. */
const QUICK = SEAL_BYTES;
const DIR = QUICK + SEAL_BYTES;
const ENTRIES = DIR + 4;
const FIRST = ENTRIES + 4;
const PAGE_BYTES = FIRST + 1;
/** Three words: pages, slots, whether there are quick seals. Then the slots by seal, those by directory, and the pages. */
const HEADER_WORDS = 3;
const ABSENT = -1;

export function createSealTableBuilder(): SealTableBuilder {
  let pages = Buffer.alloc(64 * PAGE_BYTES);
  let end = 0;
  let hasQuick = true;
  return {
    add({ seal, quick, dir, isFirst, entries }) {
      if (end === pages.length) pages = Buffer.concat([pages, Buffer.alloc(end)]);
      pages.set(seal, end);
      if (quick === undefined) hasQuick = false;
      else pages.set(quick, end + QUICK);
      pages.writeUInt32LE(isFirst ? hashOfDirectory(dir) : 0, end + DIR);
      pages.writeUInt32LE(entries, end + ENTRIES);
      pages[end + FIRST] = isFirst ? 1 : 0;
      end += PAGE_BYTES;
    },
    build: () => tableOf(pages.subarray(0, end), hasQuick),
  };
}

function tableOf(pages: Buffer, hasQuick: boolean): SealTable {
  const count = pages.length / PAGE_BYTES;
  const slots = 2 ** Math.ceil(Math.log2(Math.max(count * 2, 2)));
  const memory = new SharedArrayBuffer((HEADER_WORDS + slots * 2) * 4 + count * PAGE_BYTES);
  new Uint32Array(memory, 0, HEADER_WORDS).set([count, slots, hasQuick ? 1 : 0]);
  const views = viewsOf(memory);
  views.pages.set(pages);
  for (let index = 0; index < count; index += 1) {
    insert(views.bySeal, views.pages.readInt32LE(index * PAGE_BYTES), index);
    if (views.pages[index * PAGE_BYTES + FIRST] === 1)
      insert(views.byDir, views.pages.readInt32LE(index * PAGE_BYTES + DIR), index);
  }
  return openSealTable(memory);
}

/** A slot holds one more than the index of its page; 0 is an empty one, of which there always are some. */
function insert(slots: Uint32Array, hash: number, index: number): void {
  let at = hash & (slots.length - 1);
  while (slots[at] !== 0) at = (at + 1) & (slots.length - 1);
  slots[at] = index + 1;
}

export function openSealTable(memory: SharedArrayBuffer): SealTable {
  const { count, hasQuick, bySeal, byDir, pages } = viewsOf(memory);
  const isFirst = (index: number): boolean => pages[index * PAGE_BYTES + FIRST] === 1;
  const isAt = (from: number, seal: Uint8Array): boolean => {
    for (let at = 0; at < SEAL_BYTES; at += 1) if (pages[from + at] !== seal[at]) return false;
    return true;
  };
  const find = (slots: Uint32Array, hash: number, isIt: (index: number) => boolean): number => {
    for (let at = hash & (slots.length - 1); ; at = (at + 1) & (slots.length - 1)) {
      const index = (slots[at] ?? 0) - 1;
      if (index === ABSENT || isIt(index)) return index;
    }
  };
  const endOf = (start: number): number => {
    let end = start + 1;
    while (end < count && !isFirst(end)) end += 1;
    return end;
  };
  const entriesAt = (index: number): number => pages.readUInt32LE(index * PAGE_BYTES + ENTRIES);

  return {
    memory,
    hasQuick,
    isDirectory: ([head, ...more]) => {
      const start =
        head === undefined ? ABSENT : find(bySeal, hashOfSeal(head), (index) => isAt(index * PAGE_BYTES, head));
      if (start === ABSENT || !isFirst(start) || endOf(start) !== start + 1 + more.length) return false;
      return more.every((seal, index) => isAt((start + 1 + index) * PAGE_BYTES, seal));
    },
    quickPages: (dir) => {
      if (!hasQuick) return undefined;
      const hash = hashOfDirectory(dir);
      const start = find(byDir, hash | 0, (index) => pages.readUInt32LE(index * PAGE_BYTES + DIR) === hash);
      if (start === ABSENT) return undefined;
      const end = endOf(start);
      let entries = 0;
      for (let index = start; index < end; index += 1) entries += entriesAt(index);
      return {
        pages: end - start,
        entries,
        entriesOf: (page) => entriesAt(start + page),
        isSame: (page, seal) => isAt((start + page) * PAGE_BYTES + QUICK, seal) && !isNoSeal(seal),
      };
    },
  };
}

function viewsOf(memory: SharedArrayBuffer) {
  const [count = 0, slots = 0, hasQuick = 0] = new Uint32Array(memory, 0, HEADER_WORDS);
  const slotsAt = HEADER_WORDS * 4;
  return {
    count,
    hasQuick: hasQuick === 1,
    bySeal: new Uint32Array(memory, slotsAt, slots),
    byDir: new Uint32Array(memory, slotsAt + slots * 4, slots),
    pages: Buffer.from(memory, slotsAt + slots * 8, count * PAGE_BYTES),
  };
}

/** Seals are digests: any of their bits are as good as a hash. */
function hashOfSeal(seal: Uint8Array): number {
  return (seal[0] ?? 0) | ((seal[1] ?? 0) << 8) | ((seal[2] ?? 0) << 16) | ((seal[3] ?? 0) << 24);
}
