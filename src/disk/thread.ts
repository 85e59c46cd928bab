// One worker thread of a pool, as the main thread sees it.
import type { Worker } from 'node:worker_threads';
import { AppError } from '../domain/errors.ts';
import { takeWorker } from './early.ts';
import { CLOSE, REST, type Reply, type Request, type WorkerSetup } from './protocol.ts';

export interface Thread {
  /** How many requests it has not answered. */
  readonly waiting: number;
  /** On the clock of `performance.now()`, when it had nothing to do any more. */
  readonly idleSinceMs: number;
  readonly meter: SharedArrayBuffer;
  readonly ended: Promise<void>;
  /** Resolves with the answer; rejects when the thread dies before. */
  ask(request: Request, transfer: readonly ArrayBuffer[]): Promise<Reply>;
  /** Rejects all that is waiting. */
  reject(error: AppError): void;
  /** Gives back what memory it does not need, if it has done so much since the last time that there may be some. */
  rest(): void;
  /** It ends when it has answered what it was asked. */
  leave(): void;
}

export interface ThreadEvents {
  /** It has begun; until then it may still turn out that it cannot. */
  onReady(): void;
  /** It has answered everything. */
  onIdle(): void;
  /** It can answer nothing any more. */
  onFailure(error: AppError): void;
}

/** Fewer requests leave nothing behind that is worth it. */
const ASKED_MIN = 16;

/** Throws what `takeWorker` throws. */
export function startThread(setup: WorkerSetup, { onReady, onIdle, onFailure }: ThreadEvents): Thread {
  const worker: Worker = takeWorker();
  const waiting = new Map<number, { resolve(reply: Reply): void; reject(error: AppError): void }>();
  let idleSinceMs = performance.now();
  let isLeaving = false;
  let asked = 0;

  worker.on('message', (reply: Reply) => {
    if (reply.kind === 'ready') onReady();
    const waiter = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.kind === 'thrown') waiter?.reject(new AppError('INTERNAL', `disk worker: ${reply.stack}`));
    else waiter?.resolve(reply);
    if (waiting.size > 0) return;
    idleSinceMs = performance.now();
    onIdle();
  });
  worker.on('error', (cause) => {
    if (!isLeaving) onFailure(new AppError('INTERNAL', `disk worker failed: ${cause.message}`, { cause }));
  });
  const ended = new Promise<void>((resolve) => {
    worker.on('exit', (code) => {
      if (!isLeaving) onFailure(new AppError('INTERNAL', `disk worker ended with code ${code}`));
      resolve();
    });
  });
  worker.postMessage(setup);

  return {
    get waiting() {
      return waiting.size;
    },
    get idleSinceMs() {
      return idleSinceMs;
    },
    meter: setup.meter,
    ended,
    ask: (request, transfer) =>
      new Promise((resolve, reject) => {
        asked += 1;
        waiting.set(request.id, { resolve, reject });
        worker.postMessage(request, transfer);
      }),
    reject(error) {
      for (const waiter of waiting.values()) waiter.reject(error);
      waiting.clear();
    },
    rest() {
      if (asked < ASKED_MIN) return;
      asked = 0;
      worker.postMessage(REST);
    },
    leave() {
      isLeaving = true;
      // Not terminate(): in the middle of a native call, or of loading a native module, it aborts the whole process.
      worker.postMessage(CLOSE);
    },
  };
}
