// What every format of `check` implements: pieces of text, given what a check finds in the order in which it does, so that a report
// of any length can be written as it is made.
import type { Coverage } from '../domain/coverage.ts';
import type { DriftRecord } from '../domain/drift.ts';
import type { BytePath } from '../domain/path.ts';

/** Called in the order begin, then drift and incomplete mixed, then end; each returns what to write, '' for nothing. */
export interface Report {
  begin(head: ReportHead): string;
  drift(record: DriftRecord): string;
  incomplete(item: { readonly path: BytePath; readonly errno: number }): string;
  end(summary: CheckSummary): string;
  /** What was held back, when there will be no end. */
  rest?(): string;
}

export interface ReportHead {
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  readonly generation: number;
}

export interface CheckSummary extends ReportHead {
  readonly endMs: number;
  readonly entries: number;
  /** Bytes of content that were read. */
  readonly bytes: number;
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  readonly moved: number;
  readonly incomplete: number;
  readonly exitCode: number;
  readonly coverage: readonly Coverage[];
  /** What `--quick` trusted; undefined without it. */
  readonly quick: QuickTrust | undefined;
  /** Names what was found, for `accept --report`. */
  readonly reportId: string;
}

export interface QuickTrust {
  /** Entries that were not read, because their stat is as in the baseline. */
  readonly trusted: number;
  /** How many there are. */
  readonly entries: number;
  /**
   * `baseline`: their stat is as in the generation that was made then. `watch`: a running watch has told what changed, and has missed
   * nothing since then. Milliseconds since the epoch.
   */
  readonly by: 'baseline' | 'watch';
  readonly sinceMs: number;
}

export interface ReportOptions {
  /** Whether text may use colours. */
  readonly colour: boolean;
}
