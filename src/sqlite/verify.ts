// What is verified when a baseline is opened: all keys and seals against the sum in its facts, without reading the records.

import { type Hash, isSameSeal, noSeal, SEAL_BYTES, toggleSeal } from '../domain/seal.ts';
import { createSealTableBuilder, type SealTable } from '../domain/seal-table.ts';
import { bytesColumn, integerColumn } from './column.ts';
import { type Database, transact } from './driver.ts';
import { untrusted } from './failure.ts';
import { type Meta, readMeta } from './meta.ts';
import { SUMMED } from './page.ts';

export interface Verified {
  readonly meta: Meta;
  /** All seals, as they were then. */
  readonly seals: SealTable;
}

/** Throws BASELINE_UNTRUSTED when the pages are not those that were committed with the facts. */
export function verifyPages(database: Database, hash: Hash): Verified {
  return transact(database, 'read', () => {
    const meta = readMeta(database, hash);
    const sum = noSeal();
    const seals = createSealTableBuilder();
    let pages = 0;
    let entries = 0;
    let dir: Uint8Array | undefined;
    eachHead(database, meta.hasQuick ? SEAL_BYTES * 2 : SEAL_BYTES, (head) => {
      toggleSeal(sum, hash(head.bytes));
      pages += 1;
      entries += head.count;
      const isFirst = dir === undefined || !head.dir.equals(dir);
      const quick = meta.hasQuick ? head.seal.subarray(SEAL_BYTES) : undefined;
      seals.add({ seal: head.seal.subarray(0, SEAL_BYTES), quick, dir: head.dir, isFirst, entries: head.count });
      dir = head.dir;
    });
    if (pages !== meta.pages) throw untrusted(`it has ${pages} pages instead of ${meta.pages}`);
    if (entries !== meta.entries) throw untrusted(`it has ${entries} entries instead of ${meta.entries}`);
    if (!isSameSeal(sum, meta.root)) throw untrusted('its pages do not match their sum');
    return { meta, seals: seals.build() };
  });
}

/** A page as it is summed: directory, NUL, first name, NUL, seal, count in decimal, semicolon. */
interface SummedPage {
  readonly bytes: Buffer;
  /** Directory, NUL, first name: compares like the pair, because NUL is in no name and before every other byte. */
  readonly key: Buffer;
  readonly dir: Buffer;
  readonly seal: Buffer;
  readonly count: number;
}

const BATCH = 2000;

/** All pages in the order of their keys; the order is verified, because lookups rely on it. */
function eachHead(database: Database, sealBytes: number, take: (page: SummedPage) => void): void {
  let last: SummedPage | undefined;
  for (;;) {
    const batch = last === undefined ? database.get(FIRST) : database.get(NEXT, ...keyParts(last));
    if (batch === undefined || batch['pages'] === null || integerColumn(batch, 'number') === 0) return;
    const pages = bytesColumn(batch, 'pages');
    for (let start = 0; start < pages.length; ) {
      const head = headAt(pages, start, sealBytes);
      if (last !== undefined && last.key.compare(head.key) >= 0) throw untrusted('its pages are out of order');
      take(head);
      last = head;
      start += head.bytes.length;
    }
  }
}

// One value for many pages: the package takes about a microsecond for each value of each row.
const FIRST = batchOf('');
const NEXT = batchOf('where (dir, first) > (?, ?)');

function batchOf(where: string): string {
  return `select count(*) as number, cast(group_concat(page, '') as blob) as pages
    from (select ${SUMMED} as page from page ${where} order by dir, first limit ${BATCH})`;
}

/** Where damage moves a border, what comes out does not match the sum. */
function headAt(batch: Buffer, start: number, sealBytes: number): SummedPage {
  const dirEnd = border(batch, 0, start);
  const keyEnd = border(batch, 0, dirEnd + 1);
  const countStart = keyEnd + 1 + sealBytes;
  const end = border(batch, SEMICOLON, countStart);
  return {
    bytes: batch.subarray(start, end + 1),
    key: batch.subarray(start, keyEnd),
    dir: batch.subarray(start, dirEnd),
    seal: batch.subarray(keyEnd + 1, countStart),
    count: Number(batch.toString('latin1', countStart, end)),
  };
}

const SEMICOLON = 0x3b;

function border(batch: Buffer, byte: number, from: number): number {
  const at = batch.indexOf(byte, from);
  if (at === -1) throw untrusted('its pages are damaged');
  return at;
}

function keyParts({ key }: SummedPage): [dir: Buffer, first: Buffer] {
  const end = border(key, 0, 0);
  return [key.subarray(0, end), key.subarray(end + 1)];
}
