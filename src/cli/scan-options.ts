// The options of `driftline init` and `driftline check` that say how the disk is read, as a table.
import type { OptionRow } from './option-row.ts';

export interface ScanOptions {
  /** Threads; as many as help by default. */
  readonly jobs?: number;
  /** Bytes per second. */
  readonly maxRate?: number;
  readonly idle?: boolean;
  readonly dropCache?: boolean;
}

export const SCAN_OPTIONS: readonly OptionRow[] = [
  {
    flags: '-j, --jobs <n>',
    kind: 'threads',
    description: 'worker threads (default: one per processor, more on a cold disk)',
  },
  {
    flags: '--max-rate <rate>',
    kind: 'rate',
    description: 'read no faster than this, e.g. 50MB/s; a name counts as 4 KiB more',
  },
  { flags: '--idle', kind: 'flag', description: 'take processor and disk only when nobody else wants them' },
  { flags: '--drop-cache', kind: 'flag', description: 'leave no content in the page cache that was not there before' },
];
