// The pages of one answer while they are written: records end to end, and what each page speaks of. A directory whose
// pages the baseline has as they are is only counted.
import { sealsOf } from '../domain/page.ts';
import type { BytePath } from '../domain/path.ts';
import type { SealTable } from '../domain/seal-table.ts';
import type { Page, Portion } from '../engine/ports/disk.ts';
import type { DigestEngine } from './digest.ts';
import type { FoundPage, Work } from './protocol.ts';
import type { Counts, RecordWriter } from './record-writer.ts';

export interface PagesWritten {
  readonly pages: readonly FoundPage[];
  readonly records: ArrayBuffer;
  readonly unchanged: Portion;
}

export interface PageWriter {
  seals: SealTable | undefined;
  /** Begins the page of a piece of work; its records go to the record writer from now on. */
  start(work: Work, bytesRead: number): void;
  /** Ends it; `upTo`: the last name that it speaks of, when the piece goes on. */
  finish(bytesRead: number, upTo?: BytePath): void;
  /** Ends it without records: nothing could be read. */
  fail(errno: number): void;
  /** A directory without a page: these entries are as in the baseline. */
  trust(entries: number): void;
  /** As if it had never begun. */
  drop(): void;
  take(): PagesWritten;
}

export function createPageWriter(records: RecordWriter, engine: DigestEngine): PageWriter {
  let pages: FoundPage[] = [];
  let unchanged = nothing();
  let current:
    | { readonly work: Work; readonly start: number; readonly bytesRead: number; readonly counts: Counts }
    | undefined;

  const isKnown = (seals: SealTable, dir: BytePath, run: Buffer): boolean =>
    run.length > 0 && seals.isDirectory(sealsOf(engine.digest, dir, run));

  const writer: PageWriter = {
    seals: undefined,
    start: (work, bytesRead) => {
      current = { work, start: records.length(), bytesRead, counts: { ...records.counts } };
    },
    finish: (bytesReadNow, upTo) => {
      if (current === undefined) return;
      const { work, start } = current;
      const { dir } = work;
      const bytesRead = bytesReadNow - current.bytesRead;
      const trusted = records.counts.copies - current.counts.copies;
      const isComplete = records.counts.incomplete === current.counts.incomplete;
      const isWhole = work.kind === 'list' && upTo === undefined && isComplete;
      if (isWhole && writer.seals !== undefined && isKnown(writer.seals, dir, records.from(start))) {
        const entries = unchanged.entries + records.counts.records - current.counts.records;
        unchanged = { entries, bytesRead: unchanged.bytesRead + bytesRead, trusted: unchanged.trusted };
        records.rewind(start);
      } else {
        pages.push({ dir, extent: extentOf(work, upTo), end: records.length(), bytesRead, trusted });
      }
    },
    fail: (failed) => {
      if (current === undefined) return;
      const { work } = current;
      pages.push({ dir: work.dir, extent: extentOf(work), end: records.length(), bytesRead: 0, trusted: 0, failed });
    },
    trust: (more) => {
      const { entries, bytesRead, trusted } = unchanged;
      unchanged = { entries: entries + more, bytesRead, trusted: trusted + more };
    },
    drop: () => records.rewind(current?.start ?? records.length()),
    take: () => {
      const taken = { pages, records: records.take(), unchanged };
      [pages, unchanged, current] = [[], nothing(), undefined];
      return taken;
    },
  };
  return writer;
}

function nothing(): Portion {
  return { entries: 0, bytesRead: 0, trusted: 0 };
}

function extentOf(work: Work, upTo?: BytePath): Page['extent'] {
  switch (work.kind) {
    case 'names':
      return { kind: 'names', names: work.names ?? [] };
    case 'list':
    case 'compare':
      return { kind: 'range', after: undefined, upTo };
    case 'range':
      return { kind: 'range', after: work.after, upTo: upTo ?? work.upTo };
  }
}
