// A fanotify group: one descriptor with its marks and its queue.
import { constants } from 'node:fs';
import { SystemError } from '../domain/errors.ts';
import type { BytePath } from '../domain/path.ts';
import { fanotifyInit, fanotifyMark } from '../libc/fanotify.ts';
import { closeFd } from '../libc/handle.ts';
import { readAvailable } from '../libc/read.ts';
import { FAN_CLOEXEC, FAN_MARK_ADD, FAN_MARK_FLUSH, FAN_MARK_REMOVE, FAN_NONBLOCK } from './abi.ts';
import { decodeEvents, type FanotifyEvent } from './decode.ts';
import { initHint, markHint } from './hints.ts';

export interface GroupOptions {
  /** fanotify_init(2) flags; FAN_CLOEXEC and FAN_NONBLOCK are always added. */
  readonly flags: number;
  /** open(2) flags of the descriptors in a group without FIDs; default O_RDONLY, large files, close-on-exec. */
  readonly eventFlags?: number;
  /** Size of one read; default 256 KiB. An event is at most about 1 KiB, and read(2) returns whole events only. */
  readonly bufferBytes?: number;
}

/** fcntl.h: O_LARGEFILE is a bit of its own in fanotify_init(2)'s check, though 64-bit open(2) implies it. */
const O_LARGEFILE = 0o100000;
const O_CLOEXEC = 0o2000000;
const EVENT_FLAGS = constants.O_RDONLY | O_LARGEFILE | O_CLOEXEC;
const BUFFER_BYTES = 256 * 1024;

/** Owns a group's descriptor; the kernel drops its marks and its queue at `close`. Non-blocking; one reader. */
export class FanotifyGroup {
  readonly #buffer: Buffer;
  #fd: number;

  private constructor(fd: number, bufferBytes: number) {
    this.#fd = fd;
    this.#buffer = Buffer.allocUnsafeSlow(bufferBytes);
  }

  /** Throws SystemError: EINVAL (flags that this kernel lacks or that exclude each other), EPERM, EMFILE, ENOSYS. */
  static open(options: GroupOptions): FanotifyGroup {
    const flags = options.flags | FAN_CLOEXEC | FAN_NONBLOCK;
    try {
      const fd = fanotifyInit(flags, options.eventFlags ?? EVENT_FLAGS);
      return new FanotifyGroup(fd, options.bufferBytes ?? BUFFER_BYTES);
    } catch (error) {
      throw withHint(error, initHint);
    }
  }

  /** The descriptor, for poll(2); -1 once closed. */
  get fd(): number {
    return this.#fd;
  }

  /** Adds `mask` to the mark of `path`; `flags`: object type and modifiers, without the command. Throws SystemError. */
  mark(flags: number, mask: number, path: BytePath): void {
    this.#change(FAN_MARK_ADD | flags, mask, path);
  }

  /** Takes `mask` away; the mark goes with its last bit. Throws SystemError: ENOENT when there is no mark. */
  unmark(flags: number, mask: number, path: BytePath): void {
    this.#change(FAN_MARK_REMOVE | flags, mask, path);
  }

  /** Removes all marks of one object type (FAN_MARK_INODE, _MOUNT or _FILESYSTEM). */
  flush(type: number): void {
    this.#change(FAN_MARK_FLUSH | type, 0, undefined);
  }

  #change(flags: number, mask: number, path: BytePath | undefined): void {
    try {
      fanotifyMark(this.#fd, flags, mask, path);
    } catch (error) {
      throw withHint(error, markHint);
    }
  }

  /**
   * The events of one read(2), none when the queue is empty or the group closed. Descriptors in them belong to the
   * caller. Throws SystemError.
   */
  read(): FanotifyEvent[] {
    if (this.#fd === -1) return [];
    return decodeEvents(this.#buffer, readAvailable(this.#fd, this.#buffer));
  }

  /** Idempotent. Waiting permission events are allowed by the kernel. */
  close(): void {
    const fd = this.#fd;
    this.#fd = -1;
    if (fd !== -1) closeFd(fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function withHint(error: unknown, hintOf: (code: string) => string | undefined): unknown {
  const hint = error instanceof SystemError ? hintOf(error.code) : undefined;
  if (!(error instanceof SystemError) || hint === undefined) return error;
  return new SystemError(error.syscall, error.errno, error.path === undefined ? { hint } : { path: error.path, hint });
}
