// How fast all workers together may read: a bucket of tokens in shared memory.
import { AppError } from '../domain/errors.ts';

/** What the main thread and its workers share. */
export interface PaceSetup {
  readonly memory: SharedArrayBuffer;
  readonly bytesPerSecond: number;
}

export interface Pace {
  /** Counts what was read and, when that was too fast, waits; a wait ends early when the work is canceled. */
  spend(bytes: number): void;
}

/** Every name that is looked at counts as one block more than its content, so that small files do not go for free. */
export const NAME_BYTES = 4096;

/** What an idle bucket holds, but for a new one: this much may be read at once. */
const BURST_NS = 50_000_000n;
/** How long the bucket is left alone: a worker pays in portions of this many seconds' worth. */
const PORTION_S = 0.01;
const PORTION_MAX_BYTES = 512 * 1024;
/** How long a canceled worker may go on waiting. */
const SLICE_MS = 50;
const NS_PER_S = 1e9;
const NS_PER_MS = 1_000_000n;

export function setUpPace(bytesPerSecond: number): PaceSetup {
  if (!(bytesPerSecond >= 1))
    throw new AppError('INTERNAL', `internal error: a pace of ${bytesPerSecond} bytes per second`);
  return { memory: new SharedArrayBuffer(8), bytesPerSecond };
}

/** In a worker. The memory holds the monotonic time up to which what was read is paid for (the "virtual scheduling" of GCRA). */
export function openPace({ memory, bytesPerSecond }: PaceSetup, isCanceled: () => boolean): Pace {
  const paidUntilNs = new BigInt64Array(memory);
  const portionBytes = Math.min(PORTION_MAX_BYTES, bytesPerSecond * PORTION_S);
  let owedBytes = 0;

  const pay = (bytes: number): bigint => {
    const costNs = BigInt(Math.ceil((bytes / bytesPerSecond) * NS_PER_S));
    for (;;) {
      const before = Atomics.load(paidUntilNs, 0);
      const nowNs = process.hrtime.bigint();
      const earliestNs = before === 0n ? nowNs : nowNs - BURST_NS;
      const from = before > earliestNs ? before : earliestNs;
      if (Atomics.compareExchange(paidUntilNs, 0, before, from + costNs) === before) return from + costNs;
    }
  };

  return {
    spend: (bytes) => {
      owedBytes += bytes;
      if (owedBytes < portionBytes) return;
      const untilNs = pay(owedBytes);
      owedBytes = 0;
      for (let nowNs = process.hrtime.bigint(); nowNs < untilNs && !isCanceled(); nowNs = process.hrtime.bigint())
        Atomics.wait(SLEEP, 0, 0, Math.min(SLICE_MS, Number((untilNs - nowNs) / NS_PER_MS) + 1));
    },
  };
}

const SLEEP = new Int32Array(new SharedArrayBuffer(4));
