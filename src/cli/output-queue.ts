// Output of a command that must not stand still, or end, because of whoever reads it. Kept in memory, up to a bound, and
// written when the kernel takes it; the journal has everything anyway.
import { writeSync } from 'node:fs';
import { errorCode } from '../domain/errors.ts';
import { POLLOUT, pollOnce } from '../libc/poll.ts';
import type { Output } from './output.ts';

export interface QueuedOutput extends Output {
  /** Writes what is left, waiting `patienceMs` at most for a reader that is slow. */
  close(patienceMs: number): void;
}

const QUEUE_MAX_BYTES = 4 * 1024 * 1024;
/** PIPE_BUF, pipe(7): when poll(2) says that a pipe takes data, it takes this much without blocking. */
const PIECE_BYTES = 4096;
const RETRY_MS = 20;
/** The same while there is more to write: a busy process comes late to its timers, and a pipe holds 64 KiB. */
const RETRY_BUSY_MS = 5;

/** The same output, without waiting. The descriptors are those of `fds`, standard output and standard error. */
export function queueOutput(output: Output, fds: readonly [number, number] = [1, 2]): QueuedOutput {
  const errors = openQueue(fds[1], { onDropped: () => {}, onGone: () => {} });
  const warn = (line: string): void => errors.write(`${line}\n`);
  const data = openQueue(fds[0], {
    onDropped: (count) =>
      warn(`driftline: standard output was not read in time: ${count} lines are in the journal alone`),
    onGone: () => warn('driftline: standard output was closed: drift is told in the journal alone'),
  });
  return {
    ...output,
    data: data.write,
    note: (line) => {
      if (!output.quiet) warn(line);
    },
    warn,
    close(patienceMs) {
      const deadlineMs = performance.now() + patienceMs;
      for (const queue of [data, errors]) queue.close(deadlineMs);
    },
  };
}

interface Queue {
  write(text: string | Buffer): void;
  close(deadlineMs: number): void;
}

interface QueueEvents {
  /** `count` texts were dropped since the queue was full; it is not any more. */
  onDropped(count: number): void;
  /** Nobody will ever read (EPIPE): everything from here on is dropped. */
  onGone(): void;
}

function openQueue(fd: number, { onDropped, onGone }: QueueEvents): Queue {
  let pending: Buffer[] = [];
  let bytes = 0;
  let dropped = 0;
  let isGone = false;
  let timer: NodeJS.Timeout | undefined;
  let triedMs = 0;

  /** Returns whether everything was written; waits for the reader until `deadlineMs`. */
  const pump = (deadlineMs: number): boolean => {
    for (let head = pending[0]; head !== undefined; head = pending[0]) {
      const written = writePiece(fd, head, Math.max(0, Math.ceil(deadlineMs - performance.now())));
      if (written === 'gone') {
        [pending, bytes, isGone] = [[], 0, true];
        onGone();
        return true;
      }
      if (written === 0) return false;
      bytes -= written;
      if (written === head.length) pending.shift();
      else pending[0] = head.subarray(written);
    }
    if (dropped > 0) onDropped(dropped);
    dropped = 0;
    return true;
  };
  const tryPump = (): void => {
    const isEmpty = pump(0);
    triedMs = performance.now();
    if (!isEmpty) pumpLater();
  };
  const pumpLater = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      tryPump();
    }, RETRY_MS).unref();
  };
  return {
    write(text) {
      if (isGone) return;
      const piece = typeof text === 'string' ? Buffer.from(text) : text;
      if (timer !== undefined && performance.now() - triedMs >= RETRY_BUSY_MS) tryPump();
      if (bytes > 0 && bytes + piece.length > QUEUE_MAX_BYTES) {
        dropped += 1;
        return;
      }
      pending.push(piece);
      bytes += piece.length;
      if (timer === undefined) tryPump();
    },
    close(deadlineMs) {
      clearTimeout(timer);
      pump(deadlineMs);
    },
  };
}

/** How many bytes the kernel took within `waitMs`; never blocks for longer. */
function writePiece(fd: number, bytes: Buffer, waitMs: number): number | 'gone' {
  const [ready = 0] = pollOnce([{ fd, events: POLLOUT }], waitMs);
  if (ready === 0) return 0;
  try {
    return writeSync(fd, bytes, 0, Math.min(bytes.length, PIECE_BYTES));
  } catch (error) {
    // A file on a full disk, a terminal that hung up (EIO): as good as closed.
    return errorCode(error) === 'EAGAIN' ? 0 : 'gone';
  }
}
