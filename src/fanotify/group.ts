// A fanotify group: one descriptor with its marks and its queue.
import { readFileSync } from 'node:fs';
import { AppError, SystemError } from '../domain/errors.ts';
import type { BytePath } from '../domain/path.ts';
import { readableBytes } from '../libc/descriptor.ts';
import { fanotifyInit, fanotifyMark } from '../libc/fanotify.ts';
import { closeFd } from '../libc/handle.ts';
import { readAvailable } from '../libc/read.ts';
import * as abi from './abi.ts';
import { decodeEvents, type FanotifyEvent } from './decode.ts';
import { type MarkInfo, parseMarks } from './fdinfo.ts';
import { initHint, markHint } from './hints.ts';
import { eventFlagsToString, initFlagsToString, markFlagsToString, maskToString } from './names.ts';

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
const COMMANDS = abi.FAN_MARK_ADD | abi.FAN_MARK_REMOVE | abi.FAN_MARK_FLUSH;

/** Owns a group's descriptor; the kernel drops its marks and its queue at `close`. Non-blocking; one reader. */
export class FanotifyGroup {
  readonly #buffer: Buffer;
  #fd: number;

  private constructor(fd: number, bufferBytes: number) {
    this.#fd = fd;
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
      return new FanotifyGroup(fanotifyInit(flags, eventFlags), options.bufferBytes ?? BUFFER_BYTES);
    } catch (error) {
      throw explained(error, initHint, `${initFlagsToString(flags)}, ${eventFlagsToString(eventFlags)}`);
    }
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
      throw explained(error, markHint, `${markFlagsToString(flags)}, ${maskToString(mask)}`);
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

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

/** sizeof(struct fanotify_event_metadata) */
const METADATA_BYTES = 24;

/** C would take a shorter path for a zero byte, and another one for what is no byte. */
function checkedPath(path: BytePath): BytePath {
  if (path !== '' && !/[\0\u0100-\uffff]/.test(path)) return path;
  throw new AppError('USAGE', `${JSON.stringify(path)} is no path of bytes`, {
    hint: 'make it with pathFromText or pathFromBytes',
  });
}

function explained(error: unknown, hintOf: (code: string) => string | undefined, flags: string): unknown {
  if (!(error instanceof SystemError)) return error;
  const hint = hintOf(error.code);
  return new SystemError(error.syscall, error.errno, {
    flags,
    ...(error.path === undefined ? {} : { path: error.path }),
    ...(hint === undefined ? {} : { hint }),
  });
}
