// Permission events: processes wait until a consumer has decided, or until a deadline decides for it.
import type { Worker } from 'node:worker_threads';
import { AppError, errorMessage, SystemError } from '../../domain/errors.ts';
import { type BytePath, pathFromLatin1 } from '../../domain/path.ts';
import { closeFd, pathOfFd } from '../../libc/handle.ts';
import { wakeEventFd } from '../../libc/poll.ts';
import { FAN_MARK_FILESYSTEM, FAN_MARK_INODE, FAN_MARK_MOUNT } from '../abi.ts';
import type { FanotifyGroup } from '../group.ts';
import {
  type Ask,
  CACHE_GENERATION,
  COUNTS,
  DONE,
  monotonicMs,
  type Reply,
  type ResponderCount,
  type ResponderMessage,
  STOP,
} from './messages.ts';
import type { PermissionOptions, PermissionProblem } from './options.ts';
import { type ResponderThread, startResponderThread } from './thread.ts';

/** The longest that an exiting process waits for its last answers. */
const EXIT_MS = 1_000;

/**
 * Answers permission events (FAN_OPEN_PERM, FAN_OPEN_EXEC_PERM, FAN_ACCESS_PERM, FAN_PRE_ACCESS) from a thread that does
 * nothing else: from its cache at once, else by `decide` on the thread that called `open`, else, at the deadline, by
 * default. Events of this process are always allowed, so any thread of it may open the very files that it guards.
 *
 * Cases in which a process gets access although nobody decided, whatever `failure` says; they are the kernel's:
 * - this process was killed, or its group closed: everything that waits is allowed, then nothing is asked any more;
 * - a mark is gone: `unmark`, an unmounted filesystem, an evicted evictable mark; the kernel does not tell;
 * - the queue is full: not here, the group has FAN_UNLIMITED_QUEUE; each waiting process costs kernel memory instead;
 * - FAN_ACCESS_PERM and FAN_PRE_ACCESS: the file was open before its mark was set;
 * - another path to the data: a mount that a mount mark does not cover, the block device, a server's own access.
 *
 * And in which it is denied: the event's descriptor could not be opened here (counted as `noDescriptor`: too many open
 * files, a file under a lease of fcntl(2) that is not given back at once), or a group of another program denied it.
 *
 * While this process is stopped (SIGSTOP, a debugger, a frozen cgroup) nobody answers: processes wait, beyond the
 * deadline, until it goes on; then the deadline's verdict is given. Only a fatal signal ends such a wait. While the main
 * thread alone is busy (also in spawnSync, or in spawn of a guarded program) the deadline holds.
 *
 * Do not guard filesystems whose server (FUSE, NFS on this host) needs guarded files itself.
 *
 * fanotify(7), "Dealing with permission events"; fanotify_init(2), FAN_CLASS_CONTENT.
 */
export class PermissionResponder {
  readonly #options: PermissionOptions;
  readonly #group: FanotifyGroup;
  readonly #wakeFd: number;
  readonly #control: Int32Array;
  readonly #counts: BigInt64Array;
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #deciding = new Set<number>();
  /** Descriptors that are ours to close once `decide` is through with them. */
  readonly #left = new Map<number, number>();
  readonly #onExit = (): void => {
    this.#stop();
    Atomics.wait(this.#control, DONE, 0, EXIT_MS);
  };
  #isOver = false;

  private constructor(options: PermissionOptions, thread: ResponderThread) {
    this.#options = options;
    this.#group = thread.group;
    this.#wakeFd = thread.wakeFd;
    this.#control = thread.control;
    this.#counts = thread.counts;
    this.#worker = thread.worker;
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#end();
        resolve();
      });
    });
    process.once('exit', this.#onExit);
  }

  /**
   * Resolves when the thread is ready and all marks are set. Rejects with SystemError of fanotify_init(2) (EPERM without
   * CAP_SYS_ADMIN, or without CAP_AUDIT_WRITE for `audit`) or fanotify_mark(2), or AppError USAGE for a wrong option.
   */
  static async open(options: PermissionOptions): Promise<PermissionResponder> {
    const responder = new PermissionResponder(options, startResponderThread(options));
    try {
      await responder.#start();
      for (const { flags, mask, path } of options.marks) responder.mark(flags, mask, path);
    } catch (error) {
      await responder.close();
      throw error;
    }
    return responder;
  }

  #start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#worker.on('message', (message: ResponderMessage) => {
        switch (message.kind) {
          case 'ready':
            return resolve();
          case 'ask':
            for (const ask of message.asks) void this.#take(ask);
            return;
          case 'refused':
            return this.#report({ ...message, error: new SystemError('write', message.errno) });
          case 'left':
            return this.#inherit(message.asked);
        }
      });
      this.#worker.once('error', (cause) => {
        const error = new AppError('INTERNAL', `the responder's thread failed: ${errorMessage(cause)}`, { cause });
        reject(error);
        this.#report({ kind: 'stopped', error });
      });
      void this.#exited.then(() => reject(new AppError('INTERNAL', "the responder's thread ended by itself")));
    });
  }

  /** Adds a mark; flags and mask as of fanotify_mark(2), without the command. Throws SystemError. */
  mark(flags: number, mask: number, path: BytePath): void {
    this.#group.mark(flags, mask, path);
  }

  /** Takes mask bits from a mark. Throws SystemError: ENOENT when there is no such mark. */
  unmark(flags: number, mask: number, path: BytePath): void {
    this.#group.unmark(flags, mask, path);
  }

  /** Forgets all verdicts, also those that are being decided: for a policy that has changed. */
  forget(): void {
    Atomics.add(this.#control, CACHE_GENERATION, 1);
  }

  /** Answers so far, by reason. */
  counts(): Readonly<Record<ResponderCount, number>> {
    const counts = COUNTS.map((reason, index) => [reason, Number(Atomics.load(this.#counts, index))]);
    return Object.fromEntries(counts) as Record<ResponderCount, number>;
  }

  /**
   * Removes the marks, answers what waits by `failure`, and resolves when all is closed; idempotent. A descriptor that
   * `decide` still holds is closed when it settles.
   */
  async close(): Promise<void> {
    this.#stop();
    await this.#exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #stop(): void {
    if (this.#isOver) return;
    for (const type of [FAN_MARK_INODE, FAN_MARK_MOUNT, FAN_MARK_FILESYSTEM]) this.#group.flush(type);
    Atomics.store(this.#control, STOP, 1);
    this.#wake();
  }

  #wake(): void {
    wakeEventFd(this.#wakeFd);
  }

  /** However the thread ended: the kernel allows what it may have left unanswered. */
  #end(): void {
    this.#isOver = true;
    process.off('exit', this.#onExit);
    this.#group.close();
    closeFd(this.#wakeFd);
  }

  async #take(ask: Ask): Promise<void> {
    const { id } = ask;
    // Nobody waits for these any more.
    if (Atomics.load(this.#control, STOP) !== 0 || monotonicMs() >= ask.deadlineMs) return this.#reply(failed(id));
    this.#deciding.add(id);
    const reply = await this.#decide(ask);
    this.#deciding.delete(id);
    this.#reply(reply);
  }

  async #decide({ id, fd, pid, mask, range }: Ask): Promise<Reply> {
    const generation = Atomics.load(this.#control, CACHE_GENERATION);
    try {
      const path = pathOfFd(fd);
      const said = await this.#options.decide({
        fd,
        pid,
        mask,
        range,
        path: path === undefined ? undefined : pathFromLatin1(path),
      });
      const { verdict, cache = true, auditRule } = typeof said === 'number' ? { verdict: said } : said;
      return { id, verdict, auditRule, cacheGeneration: cache ? generation : undefined };
    } catch (error) {
      this.#report({ kind: 'failed', error });
      return failed(id);
    }
  }

  #reply(reply: Reply): void {
    const fd = this.#left.get(reply.id);
    this.#left.delete(reply.id);
    if (fd !== undefined) closeFd(fd);
    else if (!this.#isOver) {
      this.#worker.postMessage(reply);
      this.#wake();
    }
  }

  #inherit(asked: readonly { readonly id: number; readonly fd: number }[]): void {
    for (const { id, fd } of asked) {
      if (this.#deciding.has(id)) this.#left.set(id, fd);
      else closeFd(fd);
    }
  }

  #report(problem: PermissionProblem): void {
    this.#options.onProblem?.(problem);
  }
}

function failed(id: number): Reply {
  return { id, verdict: undefined, auditRule: undefined, cacheGeneration: undefined };
}
