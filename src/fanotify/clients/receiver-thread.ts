// Entry of the thread that waits at a remote client's socket: a worker of fanotify/clients/remote.ts.
import { parentPort, workerData } from 'node:worker_threads';
import { POLLIN, pollOnce } from '../../libc/poll.ts';
import { readAvailable } from '../../libc/read.ts';
import { receiveMessage } from '../../libc/socket.ts';
import { IN_FLIGHT, type ReceiverMessage, type ReceiverSettings, STOP } from './remote-messages.ts';

/** The longest that a process which exits without `close` waits for this thread. */
const POLL_MS = 200;
const IN_FLIGHT_MAX = 16;

const { socketFd, wakeFd, control } = workerData as ReceiverSettings;
const slots = new Int32Array(control);
const wakeBuffer = Buffer.alloc(8);
const post = (message: ReceiverMessage): void => parentPort?.postMessage(message);

/** Returns false at the end of the connection. */
function receiveSome(): boolean {
  while (Atomics.load(slots, IN_FLIGHT) < IN_FLIGHT_MAX) {
    const received = receiveMessage(socketFd);
    if (received === undefined) return true;
    if (received === 'gone') return false;
    Atomics.add(slots, IN_FLIGHT, 1);
    post({ kind: 'message', bytes: received.bytes, fds: received.fds });
  }
  return true;
}

while (Atomics.load(slots, STOP) === 0) {
  const hasRoom = Atomics.load(slots, IN_FLIGHT) < IN_FLIGHT_MAX;
  const entries = [
    { fd: wakeFd, events: POLLIN },
    { fd: hasRoom ? socketFd : -1, events: POLLIN },
  ];
  const [wake, socket] = pollOnce(entries, POLL_MS);
  if (wake !== 0) readAvailable(wakeFd, wakeBuffer);
  if (socket !== 0 && !receiveSome()) {
    post({ kind: 'gone' });
    break;
  }
}
