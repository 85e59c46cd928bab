// Worker threads for a command that is about to read everything. They load their modules while the main thread loads those of the
// command: a tenth of a second that a check of a small tree does not have to wait for.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { builtFile } from '../domain/built-file.ts';
import { CLOSE } from './protocol.ts';

const THREADS_MAX = 8;
/** Small heaps: what a worker keeps lies outside of them. The main thread's own options (--eval ...) are not for workers. */
const LIMITS = { maxYoungGenerationSizeMb: 8 };

/** Started, and not taken yet. */
const waiting = new Set<Worker>();

/** How many threads read when nobody says how many. */
export function defaultThreads(): number {
  return Math.min(availableParallelism(), THREADS_MAX);
}

/** Starts as many as a disk will want. `endEarly` must follow before the process ends. */
export function startEarly(): void {
  for (let started = 0; started < defaultThreads(); started += 1) {
    const worker = startWorker();
    waiting.add(worker);
    // Another one will fail in the same way for whoever asks for it, and be heard.
    worker.on('error', () => waiting.delete(worker));
    worker.on('exit', () => waiting.delete(worker));
  }
}

/** One that waits, or a new one: it wants a `WorkerSetup` (protocol.ts) as its first message. */
export function takeWorker(): Worker {
  const [worker = startWorker()] = waiting;
  waiting.delete(worker);
  return worker;
}

/** Ends those that nobody took. Not terminate(): in the middle of loading a native module, it aborts the whole process. */
export async function endEarly(): Promise<void> {
  await Promise.all([...waiting].map(end));
}

function end(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    worker.on('exit', () => resolve());
    worker.postMessage(CLOSE);
  });
}

function startWorker(): Worker {
  return new Worker(builtFile(import.meta.url, 'worker'), { resourceLimits: LIMITS, execArgv: [] });
}
