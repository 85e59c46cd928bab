// The worker threads: each request goes to the one with the least to do. Threads that have had nothing to do for a while may end,
// each takes ten MiB; when those that are left have no end of work, others begin.
import { AppError, errorMessage } from '../domain/errors.ts';
import { METER_BYTES, type MeterReading, readMeter } from './meter.ts';
import type { Reply, Request, WorkerSetup } from './protocol.ts';
import { startThread, type Thread } from './thread.ts';

export interface Pool {
  /** How many threads there are. */
  size(): number;
  /** Starts more of them. */
  grow(threads: number): void;
  /** What each thread has read, and is reading; those that have ended are among them. */
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

/** What is the same for all threads. */
export type PoolSetup = Omit<WorkerSetup, 'closing' | 'meter'>;

/**
 * When nobody had nothing to do for so long, another thread, whose start takes about as long, pays. Shorter times in which somebody had
 * nothing do not count: who compares a few files after the other asks in rounds.
 */
const BUSY_MS = 50;

/** `restMs`: threads that had nothing to do for so long end, as long as another one waits for work. */
export function openPool(threads: number, setup: PoolSetup, restMs = Number.POSITIVE_INFINITY): Pool {
  const closing = new SharedArrayBuffer(4);
  let failure: AppError | undefined;
  let lastId = 0;
  let most = threads;
  const all: Thread[] = [];
  const leaving = new Set<Thread>();
  /** Those that were called when there were others, and are asked nothing before they have begun. */
  const onTrial = new Set<Thread>();
  /** Those that were counted in meters of threads that have ended go on counting there. */
  const meters: SharedArrayBuffer[] = [];
  const unused: SharedArrayBuffer[] = [];

  const fail = (error: AppError): void => {
    failure ??= error;
    for (const thread of all) thread.reject(failure);
  };
  /** With one that cannot even begin, memory or a file being short, nothing is lost while there are others. */
  const lose = (thread: Thread, error: AppError): void => {
    if (!all.includes(thread)) return;
    if (!onTrial.has(thread)) {
      fail(error);
      return;
    }
    onTrial.delete(thread);
    all.splice(all.indexOf(thread), 1);
    most = all.length;
    unused.push(thread.meter);
  };
  const newMeter = (): SharedArrayBuffer => {
    const meter = new SharedArrayBuffer(METER_BYTES);
    meters.push(meter);
    return meter;
  };
  const grow = (more: number): void => {
    for (let started = 0; started < more; started += 1) {
      const one = startOrNot();
      if (one === undefined) return;
      all.push(one);
    }
  };
  /** With fewer threads than wanted it takes longer, with none it does not work. */
  const startOrNot = (): Thread | undefined => {
    const meter = unused.pop() ?? newMeter();
    try {
      const thread = startThread(
        { ...setup, closing, meter },
        { onReady: () => onTrial.delete(thread), onIdle, onFailure: (error) => lose(thread, error) },
      );
      return thread;
    } catch (cause) {
      unused.push(meter);
      if (all.length > 0) return undefined;
      const message = `no thread can be started: ${errorMessage(cause)}`;
      throw new AppError('INTERNAL', message, {
        hint: 'raise the limit of threads: ulimit -u, TasksMax=, pids.max',
        cause,
      });
    }
  };

  let busyTimer: NodeJS.Timeout | undefined;
  let restTimer: NodeJS.Timeout | undefined;
  /** For how long nobody had nothing to do, until `idleSinceMs` or since `busySinceMs`. */
  let busyMs = 0;
  let busySinceMs: number | undefined;
  let idleSinceMs = performance.now();
  const isIdle = (): boolean => all.some(({ waiting }) => waiting === 0);
  const onIdle = (): void => {
    idleSinceMs = performance.now();
    if (busySinceMs !== undefined) busyMs += idleSinceMs - busySinceMs;
    busySinceMs = undefined;
    clearTimeout(busyTimer);
    busyTimer = undefined;
    lookAfter(restMs);
  };
  const lookAfter = (ms: number): void => {
    if (Number.isFinite(ms)) restTimer ??= setTimeout(sendAway, Math.ceil(ms)).unref();
  };
  /** A thread that rests is a thread without a request, so none is lost with it. */
  const sendAway = (): void => {
    restTimer = undefined;
    if (failure !== undefined) return;
    const nowMs = performance.now();
    const idle = all.filter((one) => one.waiting === 0 && !onTrial.has(one));
    const rested = idle.filter(({ idleSinceMs }) => idleSinceMs <= nowMs - restMs);
    // Who comes next waits neither for one that begins nor for one that is at something.
    const [kept] = idle;
    if (kept !== undefined && rested.includes(kept)) kept.rest();
    for (const thread of rested.filter((one) => one !== kept)) {
      all.splice(all.indexOf(thread), 1);
      leaving.add(thread);
      thread.leave();
      void thread.ended.then(() => {
        leaving.delete(thread);
        unused.push(thread.meter);
      });
    }
    const others = idle.filter((one) => !rested.includes(one)).map(({ idleSinceMs }) => idleSinceMs + restMs - nowMs);
    if (others.length > 0) lookAfter(Math.min(...others));
    else if (all.length > 1) lookAfter(restMs);
  };
  const callBack = (): void => {
    busyTimer = undefined;
    busySinceMs = undefined;
    busyMs = 0;
    if (failure !== undefined) return;
    const before = all.length;
    grow(1);
    for (const thread of all.slice(before)) onTrial.add(thread);
    if (!isIdle()) lookForMore();
  };
  const lookForMore = (): void => {
    if (all.length >= most || busySinceMs !== undefined) return;
    busySinceMs = performance.now();
    if (busySinceMs - idleSinceMs > BUSY_MS) busyMs = 0;
    busyTimer = setTimeout(callBack, Math.max(0, BUSY_MS - busyMs)).unref();
  };
  grow(threads);

  return {
    size: () => all.length,
    grow: (more) => {
      if (failure !== undefined) return;
      grow(more);
      most = Math.max(most, all.length);
    },
    meters: () => meters.map(readMeter),
    isIdle,
    ask: async <K extends Asked>(request: RequestOf<K>, transfer: readonly ArrayBuffer[] = []) => {
      if (failure !== undefined) throw failure;
      const thread = all.filter((one) => !onTrial.has(one)).reduce((a, b) => (b.waiting < a.waiting ? b : a));
      lastId += 1;
      const answered = thread.ask({ ...request, id: lastId } as unknown as Request, transfer);
      if (!isIdle()) lookForMore();
      return (await answered) as Extract<Reply, { kind: K }>;
    },
    close: async () => {
      fail(new AppError('INTERNAL', 'the disk workers are closed'));
      clearTimeout(busyTimer);
      clearTimeout(restTimer);
      Atomics.store(new Int32Array(closing), 0, 1);
      for (const thread of all) thread.leave();
      await Promise.all([...all, ...leaving].map(({ ended }) => ended));
    },
  };
}
