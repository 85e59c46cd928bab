// Many pages into empty tables, several with one statement: a call costs more than a row.
import type { Database, SqlValue } from './driver.ts';
import type { NewPage } from './page.ts';

export interface PageBatch {
  /** Pages of this directory follow. Returns whether it may have been begun before: never wrongly no. */
  begin(dir: Uint8Array): boolean;
  add(page: NewPage): void;
  /** Inserts what waits. */
  flush(): void;
}

const ROWS = 16;
const INSERT_CONTENT = `insert into content (id, entries) values ${rows('(?, ?)')}`;
const INSERT_PAGE = `insert into page values ${rows('(?, ?, ?, ?, ?)')}`;

export function createPageBatch(database: Database): PageBatch {
  const waiting: NewPage[] = [];
  const directories = createFilter();
  let lastId = 0;

  const insert = (pages: readonly NewPage[], content: string, page: string): void => {
    const first = lastId + 1;
    lastId += pages.length;
    database.run(content, ...pages.flatMap(({ entries }, index): SqlValue[] => [first + index, entries]));
    database.run(
      page,
      ...pages.flatMap(({ dir, first: name, seal, count }, index): SqlValue[] => [
        dir,
        name,
        seal,
        count,
        first + index,
      ]),
    );
  };

  return {
    begin: (dir) => directories.add(dir),
    add(page) {
      waiting.push(page);
      if (waiting.length === ROWS) insert(waiting.splice(0), INSERT_CONTENT, INSERT_PAGE);
    },
    flush() {
      for (const page of waiting.splice(0))
        insert([page], 'insert into content (id, entries) values (?, ?)', 'insert into page values (?, ?, ?, ?, ?)');
    },
  };
}

function rows(row: string): string {
  return Array.from({ length: ROWS }, () => row).join(', ');
}

const FILTER_BITS = 2 ** 23;

/** A bit per hash value (FNV-1a): 1 MiB for any number of directories. */
function createFilter() {
  const bits = new Uint8Array(FILTER_BITS / 8);
  const bitOf = (bytes: Uint8Array): number => {
    let hash = 0x811c9dc5;
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
    return (hash >>> 0) % FILTER_BITS;
  };
  return {
    /** Returns whether it may have been added before. */
    add(bytes: Uint8Array): boolean {
      const bit = bitOf(bytes);
      const [at, mask] = [bit >> 3, 1 << (bit & 7)];
      const former = bits[at] ?? 0;
      bits[at] = former | mask;
      return (former & mask) !== 0;
    },
  };
}
