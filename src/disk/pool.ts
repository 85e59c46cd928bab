// The worker threads: each request goes to the one with the least to do.

import type { Worker } from 'node:worker_threads';
import { AppError, errorMessage } from '../domain/errors.ts';
import { takeWorker } from './early.ts';
import { METER_BYTES, type MeterReading, readMeter } from './meter.ts';
import { CLOSE, type Reply, type Request, type WorkerSetup } from './protocol.ts';

export interface Pool {
  /** How many threads there are. */
  size(): number;
  /** Starts more of them. */
  grow(threads: number): void;
  /** What each thread has read, and is reading. */
  meters(): readonly MeterReading[];
  /** Whether a thread has nothing to do. */
  isIdle(): boolean;
  /** Sends a request (its `id` is set here) and resolves with the answer; rejects when its worker dies. */
  ask<K extends Asked>(request: RequestOf<K>, transfer?: readonly ArrayBuffer[]): Promise<Extract<Reply, { kind: K }>>;
  /** Ends the threads; what is still asked for is rejected. */
  close(): Promise<void>;
}

type Asked = 'pages' | 'prefix';
type RequestOf<K extends Asked> = Omit<Extract<Request, { kind: K }>, 'id'> & { readonly kind: K };

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, { resolve(reply: Reply): void; reject(error: Error): void }>;
  readonly ended: Promise<void>;
  readonly meter: SharedArrayBuffer;
}

/** What is the same for all threads. */
export type PoolSetup = Omit<WorkerSetup, 'closing' | 'meter'>;

export function openPool(threads: number, setup: PoolSetup): Pool {
  const closing = new SharedArrayBuffer(4);
  let failure: AppError | undefined;
  let lastId = 0;

  const fail = (error: AppError): void => {
    failure ??= error;
    for (const { waiting } of all) {
      for (const { reject } of waiting.values()) reject(failure);
      waiting.clear();
    }
  };
  const all: Thread[] = [];
  const grow = (more: number): void => {
    for (let started = 0; started < more; started += 1) {
      const one = startOrNot();
      if (one === undefined) return;
      all.push(one);
    }
  };
  /** With fewer threads than wanted it takes longer, with none it does not work. */
  const startOrNot = (): Thread | undefined => {
    try {
      return start({ ...setup, closing, meter: new SharedArrayBuffer(METER_BYTES) }, fail);
    } catch (cause) {
      if (all.length > 0) return undefined;
      const message = `no thread can be started: ${errorMessage(cause)}`;
      throw new AppError('INTERNAL', message, {
        hint: 'raise the limit of threads: ulimit -u, TasksMax=, pids.max',
        cause,
      });
    }
  };
  grow(threads);

  return {
    size: () => all.length,
    grow: (more) => {
      if (failure === undefined) grow(more);
    },
    meters: () => all.map(({ meter }) => readMeter(meter)),
    isIdle: () => all.some(({ waiting }) => waiting.size === 0),
    ask: <K extends Asked>(request: RequestOf<K>, transfer: readonly ArrayBuffer[] = []) =>
      new Promise<Extract<Reply, { kind: K }>>((resolve, reject) => {
        if (failure !== undefined) return reject(failure);
        const { worker, waiting } = all.reduce((a, b) => (b.waiting.size < a.waiting.size ? b : a));
        lastId += 1;
        waiting.set(lastId, { resolve: (reply) => resolve(reply as Extract<Reply, { kind: K }>), reject });
        worker.postMessage({ ...request, id: lastId }, transfer);
      }),
    close: async () => {
      fail(new AppError('INTERNAL', 'the disk workers are closed'));
      // Not terminate(): in the middle of a native call, or of loading a native module, it aborts the whole process.
      Atomics.store(new Int32Array(closing), 0, 1);
      for (const { worker } of all) worker.postMessage(CLOSE);
      await Promise.all(all.map(({ ended }) => ended));
    },
  };
}

function start(setup: WorkerSetup, fail: (error: AppError) => void): Thread {
  const worker = takeWorker();
  const waiting: Thread['waiting'] = new Map();
  worker.on('message', (reply: Reply) => {
    const waiter = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.kind === 'thrown') waiter?.reject(new AppError('INTERNAL', `disk worker: ${reply.stack}`));
    else waiter?.resolve(reply);
  });
  worker.on('error', (cause) => fail(new AppError('INTERNAL', `disk worker failed: ${cause.message}`, { cause })));
  const ended = new Promise<void>((resolve) => {
    worker.on('exit', (code) => {
      fail(new AppError('INTERNAL', `disk worker ended with code ${code}`));
      resolve();
    });
  });
  worker.postMessage(setup);
  return { worker, waiting, ended, meter: setup.meter };
}
