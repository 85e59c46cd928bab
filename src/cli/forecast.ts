// How much a walk will probably read: what the baseline has of its roots and below them, summed up while the walk is going on.
import { recordOffsets, S_IFMT } from '../domain/packed.ts';
import type { BytePath } from '../domain/path.ts';
import type { Baseline } from '../engine/ports/store.ts';
import { runsOf } from './baseline-runs.ts';
import type { Expected } from './progress-share.ts';

/** A shorter walk needs no forecast. */
const AFTER_MS = 1_000;
/** Records between two turns of the event loop: about a millisecond. */
const STEP = 10_000;
const S_IFREG = 0o100000;

export interface Forecast {
  expected(): Expected | undefined;
  stop(): void;
}

/** For who does not show it. */
export const NO_FORECAST: Forecast = { expected: () => undefined, stop() {} };

/** `content`: whether all of it will be read. What is wrong with the baseline is told by who compares with it. */
export function forecast(baseline: Baseline, roots: readonly BytePath[], content: boolean): Forecast {
  let expected: Expected | undefined;
  let isStopped = false;
  const sum = async (): Promise<void> => {
    let [entries, bytes, next] = [0, 0, STEP];
    for (const run of runsOf(baseline, roots)) {
      for (const at of recordOffsets(run)) {
        entries += 1;
        bytes += contentBytes(run, at);
      }
      if (entries < next) continue;
      next = entries + STEP;
      await new Promise(setImmediate);
      if (isStopped) return;
    }
    expected = { entries, bytes: content ? bytes : undefined };
  };
  const timer = setTimeout(() => void sum().catch(() => {}), AFTER_MS).unref();
  return {
    expected: () => expected,
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

/** Of a record of domain/packed.ts. */
function contentBytes(run: Buffer, at: number): number {
  const isFile = (run.readUInt16LE(at + 8) & S_IFMT) === S_IFREG;
  return isFile ? run.readUInt32LE(at + 36) * 0x1_0000_0000 + run.readUInt32LE(at + 32) : 0;
}
