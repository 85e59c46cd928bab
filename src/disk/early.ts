// Worker threads for a command that is about to read everything. They load their modules while the main thread loads those of the
// command: a tenth of a second that a check of a small tree does not have to wait for.
import type { Worker } from 'node:worker_threads';
import { CLOSE } from './protocol.ts';
import { defaultThreads, startWorker } from './start-worker.ts';

/** Started, and not taken yet. */
const waiting = new Set<Worker>();

/** Starts as many as a disk will want. `endEarly` must follow before the process ends. */
export function startEarly(): void {
  try {
    for (let started = 0; started < defaultThreads(); started += 1) startOne();
  } catch {
    // No more threads for this process or its control group: whoever needs one will say so.
  }
}

function startOne(): void {
  const worker = startWorker();
  waiting.add(worker);
  // Another one will fail in the same way for whoever asks for it, and be heard.
  worker.on('error', () => waiting.delete(worker));
  worker.on('exit', () => waiting.delete(worker));
}

/** One that waits, or a new one. Throws what `startWorker` throws. */
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
