// The responder's loop: answers from the cache, asks, and keeps the deadline. It waits for nothing but poll(2), and it
// opens no file: an open of a marked file here would wait for this very thread.
import { constants } from 'node:os';
import { SystemError } from '../../domain/errors.ts';
import { closeFd } from '../../libc/handle.ts';
import { type FileState, stateOfFd } from '../../libc/identity.ts';
import { POLLIN, pollOnce } from '../../libc/poll.ts';
import { readAvailable } from '../../libc/read.ts';
import { FAN_ALLOW } from '../abi.ts';
import { readBriefly } from '../actors/proc.ts';
import { decodeEvents, type FanotifyEvent } from '../decode.ts';
import { type Answer, Answers } from './answers.ts';
import {
  type Ask,
  CACHE_GENERATION,
  DONE,
  monotonicMs,
  type Reply,
  type ResponderMessage,
  type ResponderSettings,
  STOP,
} from './messages.ts';
import { VerdictCache } from './verdict-cache.ts';

/** At most 170 events, each with an open descriptor: the kernel denies by itself when there are no more (EMFILE). */
const BUFFER_BYTES = 4096;
/** In case that the main thread ends without a word. */
const POLL_MS = 200;

/** Of read(2) itself. */
const FATAL = [constants.errno.EBADF, constants.errno.EINVAL, constants.errno.EFAULT];

interface Asked {
  readonly fd: number;
  readonly deadlineMs: number;
  /** Where the verdict may be kept; undefined when the file is in the middle of changing. */
  readonly cacheKey: string | undefined;
}

export interface ResponderPort {
  post(message: ResponderMessage): void;
  /** The next reply of the main thread, without waiting. */
  receive(): Reply | undefined;
}

export class ResponderLoop {
  readonly #settings: ResponderSettings;
  readonly #port: ResponderPort;
  readonly #control: Int32Array;
  readonly #answers: Answers;
  readonly #cache: VerdictCache<Answer>;
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  readonly #wakeBuffer = Buffer.alloc(8);
  /** Processes that wait for the main thread; the deadline is the same for all, so the first is the next to expire. */
  readonly #waiting = new Map<number, Asked>();
  /** Answered at their deadline: the descriptors are still lent to `decide`, whose verdict is good for the next. */
  readonly #late = new Map<number, Asked>();
  #lastId = 0;
  #generation = 0;

  constructor(settings: ResponderSettings, port: ResponderPort) {
    this.#settings = settings;
    this.#port = port;
    this.#control = new Int32Array(settings.control);
    this.#answers = new Answers(settings, (errno, verdict) => port.post({ kind: 'refused', errno, verdict }));
    this.#cache = new VerdictCache(settings.cacheEntries);
  }

  /** Returns once it is told to stop and everything that waited has its answer. */
  run(): void {
    this.#port.post({ kind: 'ready' });
    try {
      while (Atomics.load(this.#control, STOP) === 0) this.#turn();
    } finally {
      this.#leave();
    }
  }

  #turn(): void {
    const { wakeFd, groupFd } = this.#settings;
    const entries = [
      { fd: wakeFd, events: POLLIN },
      { fd: groupFd, events: POLLIN },
    ];
    const [wake, group] = pollOnce(entries, this.#timeoutMs());
    if (wake !== 0) readAvailable(wakeFd, this.#wakeBuffer);
    this.#takeReplies();
    if (group !== 0) this.#takeEvents((event) => this.#ask(event));
    this.#expire();
  }

  #timeoutMs(): number {
    for (const { deadlineMs } of this.#waiting.values()) {
      return Math.max(0, Math.min(POLL_MS, Math.ceil(deadlineMs - monotonicMs())));
    }
    return POLL_MS;
  }

  #refreshCache(): void {
    const generation = Atomics.load(this.#control, CACHE_GENERATION);
    if (generation === this.#generation) return;
    this.#generation = generation;
    this.#cache.clear();
  }

  #takeReplies(): void {
    for (let reply = this.#port.receive(); reply !== undefined; reply = this.#port.receive()) this.#takeReply(reply);
  }

  #takeReply({ id, verdict, auditRule, cacheGeneration }: Reply): void {
    // Too late for the main thread to decide is a deadline, not a failure.
    if (verdict === undefined) this.#expire();
    const waiting = this.#waiting.get(id);
    const asked = waiting ?? this.#late.get(id);
    this.#waiting.delete(id);
    this.#late.delete(id);
    if (asked === undefined) return;
    if (waiting !== undefined && verdict === undefined) {
      this.#answers.give(asked.fd, this.#answers.failure, 'failed');
    } else if (waiting !== undefined && verdict !== undefined) {
      this.#answers.give(asked.fd, { verdict, auditRule }, 'asked');
    }
    closeFd(asked.fd);
    this.#refreshCache();
    if (asked.cacheKey === undefined || verdict === undefined || cacheGeneration !== this.#generation) return;
    this.#cache.set(asked.cacheKey, { verdict, auditRule });
  }

  /** Answers the events of one read as far as that needs no `decide`; returns whether there were any. */
  #takeEvents(ask: (event: FanotifyEvent) => Ask | undefined): boolean {
    const events = this.#read();
    // After the read: whoever opens a file after `forget` gets no verdict from before it.
    this.#refreshCache();
    const asks: Ask[] = [];
    for (const event of events ?? []) {
      const asked = this.#answerAtOnce(event) ? undefined : ask(event);
      if (asked !== undefined) asks.push(asked);
    }
    if (asks.length > 0) this.#port.post({ kind: 'ask', asks });
    return events !== undefined;
  }

  /** undefined when the queue is empty. */
  #read(): FanotifyEvent[] | undefined {
    try {
      const length = readAvailable(this.#settings.groupFd, this.#buffer);
      return length === 0 ? undefined : decodeEvents(this.#buffer, length);
    } catch (error) {
      if (!(error instanceof SystemError) || FATAL.includes(error.errno)) throw error;
      // Without FAN_REPORT_FD_ERROR, that of opening an event's object: the kernel has denied and dropped the event.
      this.#answers.count('noDescriptor');
      return [];
    }
  }

  #answerAtOnce(event: FanotifyEvent): boolean {
    if (event.fd < 0) {
      // The kernel could not open the object for us and has denied by itself.
      this.#answers.count('noDescriptor');
      return true;
    }
    if (!this.#isOwn(event.pid)) return false;
    this.#answers.giveAndClose(event.fd, { verdict: FAN_ALLOW, auditRule: undefined }, 'own');
    return true;
  }

  #isOwn(pid: number): boolean {
    return pid === process.pid || (this.#settings.allowDescendants && isDescendant(pid));
  }

  #ask(event: FanotifyEvent): Ask | undefined {
    const { fd, pid, mask } = event;
    const { maxAsked, cacheEntries, deadlineMs: waitMs } = this.#settings;
    const state = cacheEntries > 0 ? stateOfFd(fd) : undefined;
    const range = rangeOf(event);
    const key = state === undefined ? undefined : cacheKey(state, mask, range);
    const kept = key === undefined ? undefined : this.#cache.get(key);
    if (kept !== undefined) {
      this.#answers.giveAndClose(fd, kept, 'cached');
      return undefined;
    }
    if (this.#waiting.size + this.#late.size >= maxAsked) {
      this.#answers.giveAndClose(fd, this.#answers.failure, 'full');
      return undefined;
    }
    this.#lastId += 1;
    const deadlineMs = monotonicMs() + waitMs;
    this.#waiting.set(this.#lastId, { fd, deadlineMs, cacheKey: state?.isSettled ? key : undefined });
    return { id: this.#lastId, fd, pid, mask, range, deadlineMs };
  }

  #expire(): void {
    const nowMs = monotonicMs();
    for (const [id, asked] of this.#waiting) {
      if (asked.deadlineMs > nowMs) return;
      this.#waiting.delete(id);
      this.#late.set(id, asked);
      this.#answers.give(asked.fd, { verdict: this.#settings.deadlineVerdict, auditRule: undefined }, 'deadline');
    }
  }

  /** What waits, and what is queued. At an ordinary stop the marks are gone, so nothing follows. */
  #answerAll(): void {
    this.#takeReplies();
    for (const [id, asked] of this.#waiting) {
      this.#late.set(id, asked);
      this.#answers.give(asked.fd, this.#answers.failure, 'failed');
    }
    this.#waiting.clear();
    const fail = ({ fd }: FanotifyEvent): undefined =>
      void this.#answers.giveAndClose(fd, this.#answers.failure, 'failed');
    while (this.#takeEvents(fail));
  }

  #leave(): void {
    try {
      this.#answerAll();
    } finally {
      this.#port.post({ kind: 'left', asked: [...this.#late].map(([id, { fd }]) => ({ id, fd })) });
      Atomics.store(this.#control, DONE, 1);
      Atomics.notify(this.#control, DONE);
    }
  }
}

/** By /proc: permission events on procfs do not exist, so this open waits for nobody. */
function isDescendant(pid: number): boolean {
  const owner = readBriefly(pid, (at) => (at === process.pid ? [] : undefined));
  return owner?.ppids.includes(process.pid) ?? false;
}

function rangeOf({ records }: FanotifyEvent): Ask['range'] {
  const record = records.find(({ kind }) => kind === 'range');
  return record?.kind === 'range' ? { offsetBytes: record.offsetBytes, countBytes: record.countBytes } : undefined;
}

function cacheKey({ key }: FileState, mask: number, range: Ask['range']): string {
  return range === undefined ? `${mask} ${key}` : `${mask} ${range.offsetBytes}+${range.countBytes} ${key}`;
}
