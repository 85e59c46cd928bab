// The consumer's side of a reading thread: starts it, hands on what it read, and ends it without ever leaving it in a
// system call (a thread that is terminated there takes the process with it).

import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { builtFile } from '../domain/built-file.ts';
import { AppError, errorMessage, SystemError } from '../domain/errors.ts';
import { duplicateFd } from '../libc/descriptor.ts';
import { closeFd } from '../libc/handle.ts';
import { openEventFd, wakeEventFd } from '../libc/poll.ts';
import type { EarlyPaths } from './early-paths.ts';
import type { EventBatch } from './event-batch.ts';
import type { EventQueue } from './event-queue.ts';
import type { PathResolver } from './path-resolver.ts';
import {
  CONTROL_BYTES,
  ENDED,
  HELD,
  STALLED,
  STOP,
  type StreamMessage,
  type StreamSettings,
} from './stream-messages.ts';

/** The consumer is behind: events stay in the kernel from here on, where the queue may overflow. */
export interface Stall {
  /** Events in this process that were read and not yet done with. */
  readonly heldEvents: number;
  /** Events in the kernel's queue (see `queueDepth`). */
  readonly queuedEvents: number;
}

export interface StreamOptions {
  /** Events in one batch at most; default 4096. */
  readonly batchEvents?: number;
  /**
   * Events read and not yet done with, the current batch included, at which reading pauses (one read(2) of 4 KiB more is
   * possible). Default 65,536; in groups whose events have descriptors a quarter of RLIMIT_NOFILE, 8,192 at most.
   */
  readonly maxHeldEvents?: number;
  /** Called when reading pauses for a consumer that is behind; nothing is lost yet. */
  readonly onStall?: (stall: Stall) => void;
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
  /** Gives events with file ids their paths (`batch.pathsOf`), which are looked up on the reading thread. */
  readonly resolver?: PathResolver;
}

const HELD_MAX = 65_536;
const HELD_FDS_MAX = 8_192;
/** How long a process that exits waits for a thread to leave its system call; it takes microseconds once it runs. */
const EXIT_MS = 2_000;

/** How many events to hold when nothing else is said. */
export function defaultHeldEvents(hasDescriptors: boolean): number {
  if (!hasDescriptors) return HELD_MAX;
  const openFiles = Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]);
  return Math.min(HELD_FDS_MAX, Number.isNaN(openFiles) ? HELD_FDS_MAX : Math.max(1, Math.floor(openFiles / 4)));
}

/** Streams whose thread runs. */
const running = new Set<EventStream>();
let hasExitHandler = false;

function endAllAtExit(): void {
  if (hasExitHandler) return;
  hasExitHandler = true;
  process.on('exit', () => {
    for (const stream of running) stream.stop();
    for (const stream of running) stream.join(EXIT_MS);
  });
}

export interface StreamStart {
  readonly groupFd: number;
  /** Gets what the thread reads; stays with its owner afterwards. */
  readonly queue: EventQueue;
  readonly bufferBytes: number;
  readonly maxHeldEvents: number;
  readonly onStall: ((stall: Stall) => void) | undefined;
  readonly resolver: PathResolver | undefined;
}

/** Owns the thread, the wake descriptor and a descriptor of the group. */
export class EventStream {
  /** Resolves when the thread is gone and all that it read is in the queue. */
  readonly ended: Promise<void>;
  readonly #start: StreamStart;
  readonly #worker: Worker;
  readonly #wakeFd: number;
  readonly #unfollow: (() => void) | undefined;
  readonly #control = new Int32Array(new SharedArrayBuffer(CONTROL_BYTES));
  /** What the events that come have in common with those before. */
  #paths: EarlyPaths | undefined;
  #waiting: (() => void) | undefined;
  #failure: Error | undefined;
  #isOver = false;

  /** Throws SystemError: EMFILE. */
  constructor(start: StreamStart) {
    this.#start = start;
    const { bufferBytes, maxHeldEvents, queue } = start;
    this.#control[HELD] = queue.count();
    const groupFd = duplicateFd(start.groupFd);
    this.#wakeFd = tryOpenEventFd(groupFd);
    const control = this.#control.buffer as SharedArrayBuffer;
    const workerData: StreamSettings = { groupFd, wakeFd: this.#wakeFd, control, bufferBytes, maxHeldEvents };
    this.#worker = new Worker(builtFile('fanotify/stream-worker'), { workerData, execArgv: [] });
    // A process ends when nothing but an unread stream is left of it.
    this.#worker.unref();
    this.#worker.on('message', (message: StreamMessage) => this.#receive(message));
    this.#worker.once('error', (error) => {
      this.#failure = new AppError('INTERNAL', `the reading thread failed: ${errorMessage(error)}`, { cause: error });
    });
    this.ended = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#exited(groupFd);
        resolve();
      });
    });
    this.#unfollow = start.resolver?.follow((mounts) => {
      this.#worker.postMessage(mounts);
      this.#wake();
    });
    running.add(this);
    endAllAtExit();
  }

  #receive(message: StreamMessage): void {
    switch (message.kind) {
      case 'events':
        if (message.paths !== 'same') this.#paths = message.paths;
        this.#start.queue.push(Buffer.from(message.bytes.buffer), this.#paths);
        this.#notify();
        break;
      case 'lost':
        this.#start.queue.lose(new SystemError('read', message.errno));
        this.#notify();
        break;
      case 'stalled':
        this.#start.onStall?.({ heldEvents: message.heldEvents, queuedEvents: message.queuedEvents });
        break;
      case 'failed':
        this.#failure = failureOf(message);
        break;
    }
  }

  #exited(groupFd: number): void {
    running.delete(this);
    this.#unfollow?.();
    if (Atomics.load(this.#control, ENDED) === 0) closeFd(groupFd);
    closeFd(this.#wakeFd);
    this.#isOver = true;
    this.#notify();
  }

  #notify(): void {
    this.#waiting?.();
    this.#waiting = undefined;
  }

  /** The next batch; undefined when the stream was stopped. Throws what ended the thread. */
  async next(max: number): Promise<EventBatch | undefined> {
    while (Atomics.load(this.#control, STOP) === 0) {
      const batch = this.#start.queue.take(max, this.#start.resolver);
      if (batch !== undefined) return batch;
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#isOver) throw new AppError('INTERNAL', 'the reading thread ended by itself');
      await this.#news();
    }
    return undefined;
  }

  async #news(): Promise<void> {
    this.#worker.ref();
    await new Promise<void>((resolve) => {
      this.#waiting = resolve;
    });
    if (Atomics.load(this.#control, STOP) === 0) this.#worker.unref();
  }

  /** The consumer is done with a batch. */
  done(batch: EventBatch): void {
    batch[Symbol.dispose]();
    this.#start.resolver?.release();
    const events = batch.events.length;
    const held = Atomics.sub(this.#control, HELD, events) - events;
    if (held > this.#start.maxHeldEvents / 2) return;
    if (Atomics.exchange(this.#control, STALLED, 0) === 1) this.#wake();
  }

  /** Tells the thread to end, and a waiting `next`. Idempotent. */
  stop(): void {
    if (this.#isOver || Atomics.exchange(this.#control, STOP, 1) === 1) return;
    this.#worker.ref();
    Atomics.notify(this.#control, STOP);
    this.#wake();
    this.#notify();
  }

  #wake(): void {
    if (!this.#isOver) wakeEventFd(this.#wakeFd);
  }

  /** Waits, without turning the event loop, until the thread is out of system calls. */
  join(timeoutMs: number): void {
    Atomics.wait(this.#control, ENDED, 0, timeoutMs);
  }
}

function tryOpenEventFd(groupFd: number): number {
  try {
    return openEventFd();
  } catch (error) {
    closeFd(groupFd);
    throw error;
  }
}

function failureOf({ syscall, errno, message }: Extract<StreamMessage, { kind: 'failed' }>): Error {
  return syscall === undefined ? new AppError('INTERNAL', message) : new SystemError(syscall, errno);
}
