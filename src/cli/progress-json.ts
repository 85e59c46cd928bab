// Progress for a program: one line of JSON at a time.
import type { MeteredFile } from '../disk/meter.ts';
import { pathJson } from '../report/entry-json.ts';
import type { ProgressState } from './progress.ts';
import { leftMs } from './progress-share.ts';

/**
 * Counts are so far; `leftMs`, `expectedEntries` and `expectedBytes` only when known; `reading`: files that take a while, each with
 * `bytes` of `size`. `done`: the last line.
 */
export function progressRecord(state: ProgressState, done: boolean): string {
  const { command, elapsedMs, entries, bytes, expected, files } = state;
  const left = done ? 0 : leftMs(state);
  return JSON.stringify({
    v: 1,
    type: 'progress',
    command,
    done,
    elapsedMs: Math.round(elapsedMs),
    entries,
    bytes,
    ...(expected !== undefined && { expectedEntries: expected.entries, expectedBytes: expected.bytes }),
    ...(left !== undefined && { leftMs: Math.round(left) }),
    reading: files.map(fileFields),
  });
}

function fileFields({ path, bytesRead, sizeBytes }: MeteredFile) {
  return { ...pathJson('path', path), bytes: bytesRead, size: sizeBytes };
}
