// The engine's EventSource on fanotify: a reader thread fills it, the main thread takes batches out.

import { Worker } from 'node:worker_threads';
import { builtFile } from '../domain/built-file.ts';
import type { Coverage } from '../domain/coverage.ts';
import { AppError, errorMessage } from '../domain/errors.ts';
import { createInodeTable } from '../domain/inode-table.ts';
import type { EventSource, WatchEvent } from '../engine/ports/event-source.ts';
import { Answering } from '../fanotify/actors/strict/answering.ts';
import { closeFd } from '../libc/handle.ts';
import { openEventFd, wakeEventFd } from '../libc/poll.ts';
import {
  ASKED,
  type BatchMessage,
  CONTROL_BYTES,
  eventsOfBatch,
  failureOf,
  HELD,
  type HeldGroup,
  IN_FLIGHT,
  READ,
  READER_LIMITS,
  type ReaderMessage,
  type ReaderSettings,
  STOP,
  sizeOfBatch,
  TURNS,
  UNRESOLVED,
} from './messages.ts';
import type { FanotifySourceOptions } from './source-options.ts';

const VERIFY_MS = 60_000;

export interface FanotifySource extends EventSource {
  /** Events so far of which no path was left (the file was gone, or only its identity was reported). */
  unresolved(): number;
  /** Events that the kernel delivered so far, whether or not a rule has to do with them; wraps around at 2^32. */
  delivered(): number;
  /** How often the reader has gone round: once more after each call, as long as it works. */
  turns(): number;
  /** The groups that a later process may go on with; none once closed. */
  groups(): readonly HeldGroup[];
  /** Called whenever they are others; one listener. */
  onGroups(listener: () => void): void;
  /** Nothing was missed since the process before: its groups have been taken over, and they saw all that is watched. */
  isResumed(): boolean;
}

/**
 * Resolves when all marks are set: what changes from then on is reported. Throws AppError: NO_PERMISSION names the
 * missing capability, IO a kernel without fanotify.
 */
export async function openFanotifySource(options: FanotifySourceOptions): Promise<FanotifySource> {
  const { scope, marks, who, stored = [], onProblem } = options;
  const { inodes = createInodeTable(0).memory, verifyMs = VERIFY_MS, asks = true } = options;
  const answering = who === 'strict' ? await Answering.open(onProblem) : undefined;
  const control = new SharedArrayBuffer(CONTROL_BYTES);
  const wakeFd = openEventFd();
  const startsFd = answering?.fd;
  const workerData: ReaderSettings = { scope, marks, who, inodes, verifyMs, asks, wakeFd, startsFd, stored, control };
  const source = new Source(
    new Worker(builtFile('watch/reader'), { workerData, resourceLimits: READER_LIMITS, execArgv: [] }),
    wakeFd,
    new Int32Array(control),
    answering,
  );
  await source.start(options);
  return source;
}

class Source implements FanotifySource {
  readonly #worker: Worker;
  readonly #wakeFd: number;
  readonly #control: Int32Array;
  readonly #exited: Promise<void>;
  #ready: Extract<ReaderMessage, { kind: 'ready' }> | undefined;
  #coverage: readonly Coverage[] = [];
  #groups: readonly HeldGroup[] = [];
  #groupsChanged = (): void => {};
  #queue: (BatchMessage | (() => void))[] = [];
  readonly #questions = new Map<number, () => void>();
  #waiting: (() => void) | undefined;
  #failure: unknown;
  #isOver = false;

  constructor(worker: Worker, wakeFd: number, control: Int32Array, answering: Answering | undefined) {
    this.#worker = worker;
    this.#wakeFd = wakeFd;
    this.#control = control;
    const stop = (): void => this.#stop();
    // The end of the process waits for the thread, and it for events.
    process.once('exit', stop);
    this.#exited = new Promise((resolve) => {
      worker.once('exit', () => {
        process.off('exit', stop);
        closeFd(wakeFd);
        this.#end();
        resolve(answering?.close());
      });
    });
  }

  start({ onProblem, onCoverage }: Pick<FanotifySourceOptions, 'onProblem' | 'onCoverage'>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#worker.once('error', (error) => {
        this.#failure = new AppError('INTERNAL', `the reader thread failed: ${errorMessage(error)}`, { cause: error });
        reject(this.#failure);
      });
      this.#worker.on('message', (message: ReaderMessage) => {
        switch (message.kind) {
          case 'ready':
            this.#coverage = message.coverage;
            this.#ready = message;
            return resolve();
          case 'failed':
            return reject(failureOf(message));
          case 'problem':
            return onProblem(message.message);
          case 'groups':
            this.#groups = message.groups;
            return this.#groupsChanged();
          case 'settled':
            return this.#settle(message.question);
          case 'batch':
            this.#receive(message);
            return message.coverage === undefined ? undefined : onCoverage?.();
        }
      });
      // Whatever else ends the thread before it was ready; without effect afterwards.
      void this.#exited.then(() => reject(new AppError('INTERNAL', 'the reader thread ended by itself')));
    });
  }

  #receive(batch: BatchMessage): void {
    if (batch.coverage !== undefined) this.#coverage = batch.coverage;
    this.#queue.push(batch);
    this.#notify();
  }

  /** Resolved in its turn, when what came before has been taken. An answer to a later question answers those before. */
  #settle(last: number): void {
    for (const [question, resolve] of this.#questions) {
      if (question > last) continue;
      this.#questions.delete(question);
      this.#queue.push(resolve);
    }
    this.#notify();
  }

  #end(): void {
    this.#isOver = true;
    for (const resolve of this.#questions.values()) resolve();
    this.#notify();
  }

  #notify(): void {
    this.#waiting?.();
    this.#waiting = undefined;
  }

  coverage(): readonly Coverage[] {
    return this.#coverage;
  }

  settled(): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    return new Promise((resolve) => {
      this.#questions.set(Atomics.add(this.#control, ASKED, 1) + 1, resolve);
      this.#wake();
    });
  }

  backlog(): number {
    return Atomics.load(this.#control, IN_FLIGHT) + Atomics.load(this.#control, HELD);
  }

  unresolved(): number {
    return Atomics.load(this.#control, UNRESOLVED);
  }

  delivered(): number {
    return Atomics.load(this.#control, READ) >>> 0;
  }

  turns(): number {
    const turns = Atomics.load(this.#control, TURNS);
    this.#wake();
    return turns;
  }

  groups(): readonly HeldGroup[] {
    return this.#isOver ? [] : this.#groups;
  }

  onGroups(listener: () => void): void {
    this.#groupsChanged = listener;
  }

  isResumed(): boolean {
    return this.#ready?.isResumed ?? false;
  }

  async *events(): AsyncIterable<readonly WatchEvent[]> {
    for (;;) {
      const batch = this.#queue.shift();
      if (typeof batch === 'function') {
        batch();
      } else if (batch !== undefined) {
        this.#taken(batch);
        yield eventsOfBatch(batch);
      } else if (this.#failure !== undefined) {
        throw this.#failure;
      } else if (this.#isOver) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#waiting = resolve;
        });
      }
    }
  }

  #taken(batch: BatchMessage): void {
    Atomics.sub(this.#control, IN_FLIGHT, sizeOfBatch(batch));
    // The reader holds paths back and sleeps: tell it that there is room.
    if (Atomics.load(this.#control, HELD) > 0) this.#wake();
  }

  #wake(): void {
    if (!this.#isOver) wakeEventFd(this.#wakeFd);
  }

  #stop(): void {
    Atomics.store(this.#control, STOP, 1);
    this.#wake();
  }

  async close(): Promise<void> {
    this.#stop();
    await this.#exited;
  }
}
