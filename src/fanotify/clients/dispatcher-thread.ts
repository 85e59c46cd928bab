// Entry of the dispatcher's thread: a worker of fanotify/clients/fanotify.ts.
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { errorMessage } from '../../domain/errors.ts';
import { Dispatcher } from './dispatcher.ts';
import type { DispatcherMessage, DispatcherSettings } from './messages.ts';

const post = (message: DispatcherMessage): void => parentPort?.postMessage(message);

/**
 * A short-lived writer should still be in /proc when its event is read; auditd raises itself for the same reason
 * (auditd.conf(5), priority_boost). For this thread alone: setpriority(2) with 0 means the caller.
 */
function hurry(): void {
  try {
    setPriority(0, NICE);
  } catch {
    // Not allowed (CAP_SYS_NICE): less is known of some processes, nothing else.
  }
}

const NICE = -15;

hurry();
try {
  new Dispatcher(workerData as DispatcherSettings, post).run();
} catch (error) {
  // Classes do not survive the way between threads: the main thread makes the error again.
  post({ kind: 'failed', message: errorMessage(error) });
}
