// Entry of the reader thread: a worker of watch/fanotify-source.ts.
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { AppError, errorMessage, SystemError } from '../domain/errors.ts';
import type { ReaderMessage, ReaderSettings } from './messages.ts';
import { Reader } from './reader-loop.ts';

const post = (message: ReaderMessage): void => parentPort?.postMessage(message);

function open(): Reader | undefined {
  try {
    return new Reader(workerData as ReaderSettings, post);
  } catch (error) {
    // Classes do not survive the way between threads: the main thread makes the error again.
    const code = error instanceof AppError ? error.code : 'IO';
    const hint = error instanceof AppError || error instanceof SystemError ? error.hint : undefined;
    post({ kind: 'failed', code, message: errorMessage(error), hint });
    return undefined;
  }
}

/**
 * A short-lived writer must still be in /proc when its event is read, on a busy machine too; auditd raises itself for
 * the same reason (auditd.conf(5), priority_boost). For this thread alone: setpriority(2) with 0 means the caller.
 */
function hurry(): void {
  try {
    setPriority(0, NICE);
  } catch {
    // Not allowed (CAP_SYS_NICE): fewer processes are known by their command line, nothing else.
  }
}

const NICE = -15;

hurry();
open()?.run();
