// A number for each directory, and back, for a million of them: those that come in the order of their bytes are kept as what
// differs from the one before, some ten bytes each; the few that were known before or come later, as they are.
import { AppError } from '../domain/errors.ts';
import type { BytePath } from '../domain/path.ts';

export interface DirectoryNumbers {
  /** The number of the next directory of a baseline that is read in order. */
  append(dir: BytePath): number;
  /** The number that it has, or gets now, whether it is appended or not: always the same. */
  numberOf(dir: BytePath): number;
  dirOf(number: number): BytePath;
}

/** Directories from one that is kept as a whole to the next. */
const BLOCK = 16;
/** Two lengths: of what is the same as before, and of what follows. */
const HEAD_BYTES = 4;
const FIRST_BYTES = 65_536;
const LENGTH_MAX = 0xffff;
/** Numbers from here on are those of directories that were not appended. */
const LATER = 2 ** 31;

export function createDirectoryNumbers(): DirectoryNumbers {
  let bytes = Buffer.allocUnsafe(FIRST_BYTES);
  let used = 0;
  let count = 0;
  let last = '' as BytePath;
  /** Where each block begins. */
  const blocks: number[] = [];
  const later: BytePath[] = [];
  const laterNumbers = new Map<BytePath, number>();

  const put = (shared: number, rest: string): void => {
    const end = used + HEAD_BYTES + rest.length;
    if (end > bytes.length) bytes = Buffer.concat([bytes], Math.max(end, Math.ceil(bytes.length * 1.5)));
    bytes.writeUInt16LE(shared, used);
    bytes.writeUInt16LE(rest.length, used + 2);
    bytes.write(rest, used + HEAD_BYTES, 'latin1');
    used = end;
  };
  const textAt = (at: number): string => bytes.toString('latin1', at + HEAD_BYTES, endAt(at));
  const endAt = (at: number): number => at + HEAD_BYTES + bytes.readUInt16LE(at + 2);
  const withFormer = (former: string, at: number): string => former.slice(0, bytes.readUInt16LE(at)) + textAt(at);
  const headOf = (block: number): string => textAt(blocks[block] ?? 0);

  /** The last block that does not begin behind the directory; -1 when all do. */
  const blockOf = (dir: BytePath): number => {
    let low = -1;
    for (let high = blocks.length; high - low > 1; ) {
      const middle = (low + high) >> 1;
      if (headOf(middle) <= dir) low = middle;
      else high = middle;
    }
    return low;
  };
  const appended = (dir: BytePath): number | undefined => {
    const block = blockOf(dir);
    if (block === -1) return undefined;
    const first = block * BLOCK;
    let at = blocks[block] ?? 0;
    let former = '';
    for (let number = first; number < Math.min(first + BLOCK, count); number += 1) {
      former = withFormer(former, at);
      if (former === dir) return number;
      at = endAt(at);
    }
    return undefined;
  };
  const numberLater = (dir: BytePath): number => {
    const number = laterNumbers.get(dir) ?? LATER + later.push(dir) - 1;
    laterNumbers.set(dir, number);
    return number;
  };

  return {
    append(dir) {
      if (laterNumbers.has(dir) || (count > 0 && dir <= last) || dir.length > LENGTH_MAX) return numberLater(dir);
      const isFirst = count % BLOCK === 0;
      if (isFirst) blocks.push(used);
      const shared = isFirst ? 0 : sharedLength(last, dir);
      put(shared, dir.slice(shared));
      last = dir;
      count += 1;
      return count - 1;
    },
    numberOf: (dir) => laterNumbers.get(dir) ?? appended(dir) ?? numberLater(dir),
    dirOf(number) {
      if (number >= LATER) return later[number - LATER] ?? never(number);
      if (number >= count) return never(number);
      const block = Math.floor(number / BLOCK);
      let at = blocks[block] ?? 0;
      let dir = '';
      for (let next = block * BLOCK; next <= number; next += 1) {
        dir = withFormer(dir, at);
        at = endAt(at);
      }
      return dir as BytePath;
    },
  };
}

function never(number: number): never {
  throw new AppError('INTERNAL', `internal error: no directory has the number ${number}`);
}

function sharedLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a.charCodeAt(length) === b.charCodeAt(length)) length += 1;
  return length;
}
