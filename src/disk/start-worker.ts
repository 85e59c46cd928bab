// A worker thread of the disk (worker.ts).
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { builtFile } from '../domain/built-file.ts';

const THREADS_MAX = 8;
/** Small heaps: what a worker keeps lies outside of them. The main thread's own options (--eval ...) are not for workers. */
const LIMITS = { maxYoungGenerationSizeMb: 3 };

/** How many threads read when nobody says how many. */
export function defaultThreads(): number {
  return Math.min(availableParallelism(), THREADS_MAX);
}

/** It wants a `WorkerSetup` (protocol.ts) as its first message. Throws what Node throws where there may be no more threads. */
export function startWorker(): Worker {
  return new Worker(builtFile('disk/worker'), { resourceLimits: LIMITS, execArgv: [] });
}
