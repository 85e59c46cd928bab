// Build the baseline from what is on the disk now.
import { recordIncomplete, recordLength, recordName, recordOffsets } from '../domain/packed.ts';
import { type BytePath, joinPath } from '../domain/path.ts';
import { isWhole, portionOf } from './portion.ts';
import type { Disk, Page, Portion } from './ports/disk.ts';
import type { Store } from './ports/store.ts';

export interface InitTotals {
  entries: number;
  bytes: number;
  incomplete: number;
  generation: number;
}

export interface InitOptions {
  readonly roots: readonly BytePath[];
  readonly signal: AbortSignal;
  readonly onPortion: (portion: Portion) => void;
  readonly onIncomplete: (path: BytePath, errno: number) => void;
  /** The journal's record of the new generation. */
  readonly record: (totals: InitTotals) => string;
}

/** Replaces the baseline in one transaction: whatever happens, the old generation or the new one is there. */
export async function init(disk: Disk, store: Store, options: InitOptions): Promise<InitTotals> {
  const totals: InitTotals = { entries: 0, bytes: 0, incomplete: 0, generation: 0 };
  const rebuild = store.rebuild();
  const roots = mergeRoots();
  const order = keepOrder();
  try {
    for await (const page of disk.walk(options.roots, { signal: options.signal })) {
      const portion = portionOf(page);
      totals.entries += portion.entries;
      totals.bytes += portion.bytesRead;
      options.onPortion(portion);
      reportIncomplete(page, totals, options);
      if (page.extent.kind === 'names') roots.add(page);
      else for (const { dir, records } of order.next(page)) if (records.length > 0) rebuild.add(dir, records);
    }
    options.signal.throwIfAborted();
    for (const [dir, records] of roots.runs()) rebuild.add(dir, records);
    totals.generation = rebuild.finish(options.roots, (generation) => [options.record({ ...totals, generation })]);
    return totals;
  } catch (error) {
    rebuild.abandon();
    throw error;
  }
}

function reportIncomplete(page: Page, totals: InitTotals, { onIncomplete }: InitOptions): void {
  const tell = (path: BytePath, errno: number): void => {
    totals.incomplete += 1;
    onIncomplete(path, errno);
  };
  if (page.failed !== 0) tell(page.dir, page.failed);
  for (let at = 0; at < page.records.length; at += recordLength(page.records, at)) {
    const errno = recordIncomplete(page.records, at);
    if (errno !== 0) tell(joinPath(page.dir, recordName(page.records, at)), errno);
  }
}

/** Parts of a large directory are read side by side; whoever comes too early waits for the parts before it. */
function keepOrder() {
  const early = new Map<BytePath, Page[]>();
  const reached = new Map<BytePath, BytePath>();
  const isNext = ({ dir, extent }: Page): boolean => extent.kind === 'range' && extent.after === reached.get(dir);
  const inTurn = (page: Page): Page[] => {
    const pages: Page[] = [];
    const waiting = early.get(page.dir) ?? [];
    waiting.push(page);
    early.set(page.dir, waiting);
    for (let at = waiting.findIndex(isNext); at >= 0; at = waiting.findIndex(isNext)) {
      const [ready] = waiting.splice(at, 1);
      if (ready?.extent.kind !== 'range') continue;
      if (ready.extent.upTo === undefined) reached.delete(ready.dir);
      else reached.set(ready.dir, ready.extent.upTo);
      pages.push(ready);
    }
    if (waiting.length === 0) early.delete(page.dir);
    return pages;
  };
  return {
    /** The pages that can go on now that this one is here, in order. */
    next: (page: Page): readonly Page[] => (isWhole(page) ? [page] : inTurn(page)),
  };
}

/** Roots of one directory come in pages of their own; the baseline wants the directory's entries sorted. */
function mergeRoots() {
  const records = new Map<BytePath, { readonly name: BytePath; readonly record: Buffer }[]>();
  return {
    add(page: Page): void {
      const known = records.get(page.dir) ?? [];
      const offsets = [...recordOffsets(page.records)];
      offsets.forEach((at, index) => {
        const record = page.records.subarray(at, offsets[index + 1] ?? page.records.length);
        known.push({ name: recordName(page.records, at), record });
      });
      records.set(page.dir, known);
    },
    *runs(): Generator<[BytePath, Buffer]> {
      for (const [dir, known] of records) {
        known.sort((a, b) => (a.name < b.name ? -1 : 1));
        if (known.length > 0) yield [dir, Buffer.concat(known.map(({ record }) => record))];
      }
    },
  };
}
