// A fanotify group: one descriptor with its marks and its queue.
import { readFileSync } from 'node:fs';
import { AppError, SystemError } from '../domain/errors.ts';
import type { BytePath } from '../domain/path.ts';
import { readableBytes } from '../libc/descriptor.ts';
import { fanotifyInit, fanotifyMark } from '../libc/fanotify.ts';
import { closeFd } from '../libc/handle.ts';
import { readAvailable } from '../libc/read.ts';
import * as abi from './abi.ts';
import { decodeEvents, type FanotifyEvent, METADATA_BYTES } from './decode.ts';
import type { EventBatch } from './event-batch.ts';
import { EventQueue } from './event-queue.ts';
import { type MarkInfo, parseGroupFlags, parseMarks } from './fdinfo.ts';
import { initHint } from './init-hints.ts';
import { markHint } from './mark-hints.ts';
import { eventFlagsToString, initFlagsToString, markFlagsToString, maskToString } from './names.ts';
import { type ResponseOptions, type Verdict, writeResponse } from './response.ts';
import { defaultHeldEvents, EventStream, type StreamOptions } from './stream.ts';

export interface GroupOptions {
  /** fanotify_init(2) flags; FAN_CLOEXEC and FAN_NONBLOCK are always added. */
  readonly flags: number;
  /** open(2) flags of the descriptors in a group without file ids; default O_RDONLY, O_LARGEFILE, O_CLOEXEC. */
  readonly eventFlags?: number;
  /** Size of one read; default 256 KiB. An event is at most about 1 KiB, and read(2) returns whole events only. */
  readonly bufferBytes?: number;
}

/** linux/fcntl.h: relative paths start at the working directory. */
const AT_FDCWD = -100;
const EVENT_FLAGS = abi.O_RDONLY | abi.O_LARGEFILE | abi.O_CLOEXEC;
const BUFFER_BYTES = 256 * 1024;
const BATCH_EVENTS = 4096;
const FILE_IDS = abi.FAN_REPORT_FID | abi.FAN_REPORT_DIR_FID | abi.FAN_REPORT_MNT;
const COMMANDS = abi.FAN_MARK_ADD | abi.FAN_MARK_REMOVE | abi.FAN_MARK_FLUSH;

/** Owns a group's descriptor; the kernel drops its marks and its queue at `close`. Non-blocking; one reader. */
export class FanotifyGroup {
  readonly #flags: number;
  readonly #buffer: Buffer;
  /** What a loop over `events()` left behind. */
  readonly #queue = new EventQueue();
  #stream: EventStream | undefined;
  #fd: number;

  private constructor(fd: number, flags: number, bufferBytes: number) {
    this.#fd = fd;
    this.#flags = flags;
    this.#buffer = Buffer.allocUnsafeSlow(bufferBytes);
  }

  /**
   * fanotify_init(2). Throws SystemError: EINVAL (flags that this kernel lacks or that exclude each other), EPERM, EMFILE,
   * ENOMEM, ENOSYS.
   */
  static open(options: GroupOptions): FanotifyGroup {
    const flags = options.flags | abi.FAN_CLOEXEC | abi.FAN_NONBLOCK;
    const eventFlags = options.eventFlags ?? EVENT_FLAGS;
    try {
      return new FanotifyGroup(fanotifyInit(flags, eventFlags), flags, options.bufferBytes ?? BUFFER_BYTES);
    } catch (error) {
      const call = `${initFlagsToString(flags)}, ${eventFlagsToString(eventFlags)}`;
      throw explained(error, call, (code) => initHint(code, flags, eventFlags));
    }
  }

  /**
   * A group that another process made, with its marks and what is queued; it is owned from now on. undefined when the
   * descriptor is no group; then it stays the caller's.
   */
  static adopt(fd: number): FanotifyGroup | undefined {
    const flags = parseGroupFlags(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'));
    return flags === undefined ? undefined : new FanotifyGroup(fd, flags, BUFFER_BYTES);
  }

  /** Its fanotify_init(2) flags. */
  get flags(): number {
    return this.#flags;
  }

  /** The descriptor, for poll(2); -1 once closed. It stays the group's own. */
  get fd(): number {
    return this.#fd;
  }

  /**
   * fanotify_mark(2): adds `mask` to the mark of an object. `flags`: object type and modifiers; FAN_MARK_ADD unless they
   * name another command. `target`: a path, relative ones below `dirFd` (default: the working directory), or a descriptor
   * of the object itself. Throws SystemError (its `hint` names the likely cause), AppError USAGE for a path that is none.
   */
  mark(flags: number, mask: number, target: BytePath | number, dirFd?: number): void {
    this.#change((flags & COMMANDS) === 0 ? flags | abi.FAN_MARK_ADD : flags, mask, target, dirFd);
  }

  /** Takes `mask` away; the mark goes with its last bit. Throws as `mark`; ENOENT when there is no mark. */
  unmark(flags: number, mask: number, target: BytePath | number, dirFd?: number): void {
    this.#change(flags | abi.FAN_MARK_REMOVE, mask, target, dirFd);
  }

  /** Removes all marks of one object type: FAN_MARK_INODE, _MOUNT, _FILESYSTEM or _MNTNS. Throws SystemError. */
  flush(type: number): void {
    this.#change(abi.FAN_MARK_FLUSH | type, 0, AT_FDCWD, undefined);
  }

  #change(flags: number, mask: number, target: BytePath | number, dirFd = AT_FDCWD): void {
    const path = typeof target === 'number' ? undefined : checkedPath(target);
    try {
      fanotifyMark(this.#fd, flags, mask, typeof target === 'number' ? target : dirFd, path);
    } catch (error) {
      const call = `${markFlagsToString(flags)}, ${maskToString(mask)}`;
      throw explained(error, call, (code) => markHint(code, { groupFlags: this.#flags, flags, mask }));
    }
  }

  /**
   * The marks as the kernel has them now: those of a filesystem that was unmounted and evicted ones are gone without an
   * event (fanotify_mark(2), FAN_MARK_EVICTABLE). None when the group is closed.
   */
  marks(): MarkInfo[] {
    return this.#fd === -1 ? [] : parseMarks(readFileSync(`/proc/self/fdinfo/${this.#fd}`, 'latin1'));
  }

  /**
   * How many events wait in the kernel, 0 when the group is closed. Linux up to 6.18 answers FIONREAD with 24 bytes an
   * event, whatever its size, which makes this exact; 7.x with true sizes, which makes it an upper bound.
   */
  queueDepth(): number {
    return this.#fd === -1 ? 0 : readableBytes(this.#fd) / METADATA_BYTES;
  }

  /**
   * The events of one read(2), none when the queue is empty or the group closed. The descriptors in them are the caller's:
   * `closeEvent`. Throws SystemError: EMFILE and what opening an event's object says (EROFS, ETXTBSY), with that event
   * lost unless the group has FAN_REPORT_FD_ERROR; EINVAL when `bufferBytes` is too small for the first event. AppError
   * BUSY while `events()` reads.
   */
  read(): FanotifyEvent[] {
    if (this.#fd === -1) return [];
    this.#mustBeFree();
    const lost = this.#queue.takeLost();
    if (lost !== undefined) throw lost;
    const left = this.#queue.take(BATCH_EVENTS);
    if (left !== undefined) return [...left.events];
    return decodeEvents(this.#buffer, readAvailable(this.#fd, this.#buffer));
  }

  /**
   * Batches of events, read on a thread of their own, until the group is closed or `signal` aborts. A batch's descriptors
   * are closed when the loop goes on or ends, however it ends; `batch.keep(event)` takes them over. A consumer that is
   * behind makes reading pause (`onStall` tells) and the kernel's queue fill, which ends in an event of kind `overflow`:
   * nothing is lost silently. Leaving the loop loses nothing either: what was read ahead comes with the next `events()` or
   * `read()`. One loop at a time: AppError BUSY. A loop that waits keeps the process alive, and the end of the process ends it.
   * Throws SystemError and AppError INTERNAL when the thread cannot be started or read(2) fails for good.
   */
  async *events(options: StreamOptions = {}): AsyncGenerator<EventBatch, void, undefined> {
    if (this.#fd === -1 || options.signal?.aborted) return;
    this.#mustBeFree();
    const stream = this.#startStream(options);
    const stop = (): void => stream.stop();
    options.signal?.addEventListener('abort', stop);
    try {
      for (;;) {
        const batch = await stream.next(options.batchEvents ?? BATCH_EVENTS);
        if (batch === undefined) return;
        try {
          yield batch;
        } finally {
          stream.done(batch);
        }
      }
    } finally {
      options.signal?.removeEventListener('abort', stop);
      stream.stop();
      await stream.ended;
      this.#stream = undefined;
    }
  }

  #mustBeFree(): void {
    if (this.#stream !== undefined) throw new AppError('BUSY', 'the group is being read by events()');
  }

  #startStream({ maxHeldEvents, onStall, resolver }: StreamOptions): EventStream {
    const hasDescriptors = (this.#flags & FILE_IDS) === 0 || (this.#flags & abi.FAN_REPORT_PIDFD) !== 0;
    this.#stream = new EventStream({
      groupFd: this.#fd,
      queue: this.#queue,
      bufferBytes: this.#buffer.length,
      maxHeldEvents: maxHeldEvents ?? defaultHeldEvents(hasDescriptors),
      onStall,
      resolver,
    });
    return this.#stream;
  }

  /**
   * Answers a permission event, given as such or by its descriptor, which stays open and its owner's. Throws SystemError:
   * EINVAL (a verdict or option that this group or kernel does not take; the event can be answered again), ENOENT
   * (answered already).
   */
  respond(event: Pick<FanotifyEvent, 'fd'> | number, verdict: Verdict, options: ResponseOptions = {}): void {
    writeResponse(this.#fd, typeof event === 'number' ? event : event.fd, verdict, options);
  }

  /**
   * Ends a loop over `events()`, and drops marks, queue and the descriptors of events that nobody took. Permission events
   * that wait for an answer are allowed by the kernel. Idempotent. The reading thread leaves a moment later:
   * `await group[Symbol.asyncDispose]()` waits for it.
   */
  close(): void {
    const fd = this.#fd;
    this.#fd = -1;
    this.#stream?.stop();
    this.#queue.close();
    if (fd !== -1) closeFd(fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#stream?.ended;
  }
}

/** C would take a shorter path for a zero byte, and another one for what is no byte. */
function checkedPath(path: BytePath): BytePath {
  if (path !== '' && !/[\0\u0100-\uffff]/.test(path)) return path;
  throw new AppError('USAGE', `${JSON.stringify(path)} is no path of bytes`, {
    hint: 'make it with pathFromText or pathFromBytes',
  });
}

function explained(error: unknown, flags: string, hintOf: (code: string) => string | undefined): unknown {
  if (!(error instanceof SystemError)) return error;
  const hint = hintOf(error.code);
  return new SystemError(error.syscall, error.errno, {
    flags,
    ...(error.path === undefined ? {} : { path: error.path }),
    ...(hint === undefined ? {} : { hint }),
  });
}
