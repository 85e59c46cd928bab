// Progress for a program: one line of JSON at a time.
import type { MeteredPath } from '../disk/meter.ts';
import { pathJson } from '../report/entry-json.ts';
import type { ProgressState } from './progress.ts';
import { leftMs, rateOf } from './progress-share.ts';

/**
 * Counts are so far; `rate` in bytes per second; `leftMs`, `expectedEntries` and `expectedBytes` only when known; `reading`: what the
 * workers are at, files that take a while with `bytes` of `size`, and else directories. `done`: the last line.
 */
export function progressRecord(state: ProgressState, done: boolean): string {
  const { command, elapsedMs, entries, bytes, expected, reading } = state;
  const left = done ? 0 : leftMs(state);
  return JSON.stringify({
    v: 1,
    type: 'progress',
    command,
    done,
    elapsedMs: Math.round(elapsedMs),
    entries,
    bytes,
    rate: Math.round(rateOf(state)),
    ...(expected !== undefined && { expectedEntries: expected.entries, expectedBytes: expected.bytes }),
    ...(left !== undefined && { leftMs: Math.round(left) }),
    reading: reading.map(readingFields),
  });
}

function readingFields(at: MeteredPath) {
  const path = pathJson('path', at.path);
  return at.kind === 'file' ? { ...path, bytes: at.bytesRead, size: at.sizeBytes } : path;
}
