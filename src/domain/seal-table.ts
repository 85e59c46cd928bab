// All seals of a baseline in memory that threads share: whoever has read a directory can tell that it is as in the baseline
// without seeing the baseline. 33 bytes a page and 4 to 8 for finding it; nothing in it ever changes.
import { SEAL_BYTES } from './seal.ts';

export interface SealTable {
  /** Plain memory, to be sent to other threads and opened there. */
  readonly memory: SharedArrayBuffer;
  /** Whether these are the seals of all pages of one directory, in order. */
  isDirectory(seals: readonly Uint8Array[]): boolean;
}

/** Two words: pages, slots. Then slots, flags and seals. */
const HEADER_WORDS = 2;
const ABSENT = -1;

export interface SealTableBuilder {
  /** Takes all pages in the order of their keys; `isFirst`: whether it is its directory's first. */
  add(seal: Uint8Array, isFirst: boolean): void;
  build(): SealTable;
}

export function createSealTableBuilder(): SealTableBuilder {
  let pages = Buffer.alloc(64 * PAGE_BYTES);
  let end = 0;
  return {
    add(seal, isFirst) {
      if (end === pages.length) pages = Buffer.concat([pages, Buffer.alloc(end)]);
      pages.set(seal, end);
      pages[end + SEAL_BYTES] = isFirst ? 1 : 0;
      end += PAGE_BYTES;
    },
    build: () => tableOf(pages.subarray(0, end)),
  };
}

/** A seal and its flag. */
const PAGE_BYTES = SEAL_BYTES + 1;

function tableOf(pages: Buffer): SealTable {
  const count = pages.length / PAGE_BYTES;
  const slots = 2 ** Math.ceil(Math.log2(Math.max(count * 2, 2)));
  const memory = new SharedArrayBuffer((HEADER_WORDS + slots) * 4 + count * PAGE_BYTES);
  new Uint32Array(memory, 0, HEADER_WORDS).set([count, slots]);
  const { slot, first, seals } = viewsOf(memory);
  for (let index = 0; index < count; index += 1) {
    const from = index * PAGE_BYTES;
    const seal = pages.subarray(from, from + SEAL_BYTES);
    seals.set(seal, index * SEAL_BYTES);
    first[index] = pages[from + SEAL_BYTES] ?? 0;
    let at = hashOf(seal) & (slots - 1);
    while (slot[at] !== 0) at = (at + 1) & (slots - 1);
    slot[at] = index + 1;
  }
  return openSealTable(memory);
}

export function openSealTable(memory: SharedArrayBuffer): SealTable {
  const { count, slot, first, seals } = viewsOf(memory);
  const isAt = (index: number, seal: Uint8Array): boolean => {
    const from = index * SEAL_BYTES;
    for (let at = 0; at < SEAL_BYTES; at += 1) if (seals[from + at] !== seal[at]) return false;
    return true;
  };
  const find = (seal: Uint8Array): number => {
    for (let at = hashOf(seal) & (slot.length - 1); ; at = (at + 1) & (slot.length - 1)) {
      const index = (slot[at] ?? 0) - 1;
      if (index === ABSENT || isAt(index, seal)) return index;
    }
  };
  return {
    memory,
    isDirectory: ([head, ...more]) => {
      const start = head === undefined ? ABSENT : find(head);
      if (start === ABSENT || first[start] !== 1) return false;
      const end = start + 1 + more.length;
      if (end < count && first[end] !== 1) return false;
      return more.every((seal, index) => first[start + 1 + index] === 0 && isAt(start + 1 + index, seal));
    },
  };
}

function viewsOf(memory: SharedArrayBuffer) {
  const [count = 0, slots = 0] = new Uint32Array(memory, 0, HEADER_WORDS);
  const flagsAt = (HEADER_WORDS + slots) * 4;
  return {
    count,
    /** One more than the index of the page; 0 is an empty slot, of which there always are some. */
    slot: new Uint32Array(memory, HEADER_WORDS * 4, slots),
    first: new Uint8Array(memory, flagsAt, count),
    seals: new Uint8Array(memory, flagsAt + count, count * SEAL_BYTES),
  };
}

/** Seals are digests: any of their bits are as good as a hash. */
function hashOf(seal: Uint8Array): number {
  return (seal[0] ?? 0) | ((seal[1] ?? 0) << 8) | ((seal[2] ?? 0) << 16) | ((seal[3] ?? 0) << 24);
}
