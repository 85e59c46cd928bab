// Entry of the responder's thread: a worker of responder.ts.
import { setPriority } from 'node:os';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { ResponderLoop } from './loop.ts';
import type { Reply, ResponderMessage, ResponderSettings } from './messages.ts';

const NICE = -15;

/** Processes wait for this thread. For it alone: setpriority(2) with 0 means the caller. */
function hurry(): void {
  try {
    setPriority(0, NICE);
  } catch {
    // Not allowed (CAP_SYS_NICE): answers take longer on a busy machine, nothing else.
  }
}

if (parentPort !== null) {
  const port = parentPort;
  hurry();
  new ResponderLoop(workerData as ResponderSettings, {
    post: (message: ResponderMessage) => port.postMessage(message),
    receive: () => receiveMessageOnPort(port)?.message as Reply | undefined,
  }).run();
}
