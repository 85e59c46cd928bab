// What is verified when a baseline is opened: all keys and seals against the sum in its facts, without reading the records.
import { type Database, transact } from './driver.ts';
import { untrusted } from './failure.ts';
import { type Meta, readMeta } from './meta.ts';
import { HEAD, headOf, type PageHead, togglePage } from './page.ts';
import { type Hash, isSameSeal, noSeal } from './seal.ts';

/** Returns the facts of the baseline; throws BASELINE_UNTRUSTED when its pages are not those that were committed with them. */
export function verifyPages(database: Database, hash: Hash): Meta {
  return transact(database, 'read', () => {
    const meta = readMeta(database, hash);
    const sum = noSeal();
    let pages = 0;
    let entries = 0;
    for (const head of heads(database)) {
      togglePage(hash, sum, head);
      pages += 1;
      entries += head.count;
    }
    if (pages !== meta.pages) throw untrusted(`it has ${pages} pages instead of ${meta.pages}`);
    if (entries !== meta.entries) throw untrusted(`it has ${entries} entries instead of ${meta.entries}`);
    if (!isSameSeal(sum, meta.root)) throw untrusted('its pages do not match their sum');
    return meta;
  });
}

const BATCH = 2000;

/** All pages in the order of their keys; the order is verified, because lookups rely on it. */
function* heads(database: Database): Generator<PageHead> {
  let last: PageHead | undefined;
  for (;;) {
    const rows =
      last === undefined
        ? database.all(`${HEADS} order by dir, first limit ${BATCH}`)
        : database.all(`${HEADS} where (dir, first) > (?, ?) order by dir, first limit ${BATCH}`, last.dir, last.first);
    for (const row of rows) {
      const head = headOf(row);
      if (last !== undefined && !ascends(last, head)) throw untrusted('its pages are out of order');
      yield head;
      last = head;
    }
    if (rows.length < BATCH) return;
  }
}

const HEADS = `select ${HEAD} from page`;

function ascends(before: PageHead, after: PageHead): boolean {
  const byDir = before.dir.compare(after.dir);
  return byDir < 0 || (byDir === 0 && before.first.compare(after.first) < 0);
}
