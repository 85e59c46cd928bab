// The reading thread of a stream (stream.ts): it does nothing but empty the kernel's queue, so that a consumer that is
// busy for a while costs no events, and it leaves them in the kernel once too many are held.
import { constants } from 'node:os';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { errorMessage, SystemError } from '../domain/errors.ts';
import { readableBytes } from '../libc/descriptor.ts';
import { allocateMemory } from '../libc/file.ts';
import { closeFd } from '../libc/handle.ts';
import { POLLIN, pollOnce } from '../libc/poll.ts';
import { readAvailable } from '../libc/read.ts';
import { METADATA_BYTES, measureEvents } from './decode.ts';
import { EarlyFinder, type EarlyPaths, isSameEarly } from './early-paths.ts';
import type { MountPoints } from './path-resolver.ts';
import { ENDED, HELD, STALLED, STOP, type StreamMessage, type StreamSettings } from './stream-messages.ts';

/** A wait ends by the wake descriptor; this is for a process that is torn down without a word. */
const POLL_MS = 1_000;
/** An event after a pause is read at once, those of a storm together: a wake-up each would cost the writers a processor. */
const PACE_MS = 0.5;
/** Whatever is missing (descriptors, most likely) does not come back at once, and each attempt costs an event. */
const LOSS_PAUSE_MS = 5;
/** Room for any event (fanotify(7): two names, two handles, a pidfd). */
const EVENT_BYTES_MAX = 4096;

/** Of read(2) itself, which leaves the queue as it is; any other error is that of opening an event's object. */
const FATAL = [constants.errno.EBADF, constants.errno.EINVAL, constants.errno.EFAULT];

const { groupFd, wakeFd, bufferBytes, maxHeldEvents, control: shared } = workerData as StreamSettings;
const control = new Int32Array(shared);
const buffer = allocateMemory(bufferBytes).bytes;
const wakeBuffer = Buffer.alloc(8);
let readMs = 0;
let finder: EarlyFinder | undefined;
let posted: EarlyPaths | undefined;

try {
  while (Atomics.load(control, STOP) === 0) turn();
} catch (error) {
  const [syscall, errno] = error instanceof SystemError ? [error.syscall, error.errno] : [undefined, 0];
  post({ kind: 'failed', syscall, errno, message: errorMessage(error) });
} finally {
  closeFd(groupFd);
  Atomics.store(control, ENDED, 1);
  Atomics.notify(control, ENDED);
}

function turn(): void {
  const room = maxHeldEvents - Atomics.load(control, HELD);
  if (room <= 0) {
    waitForRoom();
    return;
  }
  const [wake, ready] = pollOnce(
    [
      { fd: wakeFd, events: POLLIN },
      { fd: groupFd, events: POLLIN },
    ],
    POLL_MS,
  );
  if (wake !== 0) hear();
  if (ready !== 0) readEvents(room);
}

/** Empties the wake descriptor first: what is said afterwards wakes again. */
function hear(): void {
  readAvailable(wakeFd, wakeBuffer);
  if (parentPort === null) return;
  for (let heard = receiveMessageOnPort(parentPort); heard !== undefined; heard = receiveMessageOnPort(parentPort))
    follow(heard.message as MountPoints);
}

function follow(mounts: MountPoints): void {
  finder ??= new EarlyFinder();
  finder.mounts = mounts;
}

function waitForRoom(): void {
  Atomics.store(control, STALLED, 1);
  // Asked again: what the consumer finished before it could see that this thread waits wakes nobody.
  const heldEvents = Atomics.load(control, HELD);
  if (heldEvents < maxHeldEvents) {
    Atomics.store(control, STALLED, 0);
    return;
  }
  post({ kind: 'stalled', heldEvents, queuedEvents: readableBytes(groupFd) / METADATA_BYTES });
  // The stream clears it when half of the room is free again.
  while (Atomics.load(control, STALLED) === 1 && Atomics.load(control, STOP) === 0) {
    const [wake] = pollOnce([{ fd: wakeFd, events: POLLIN }], POLL_MS);
    if (wake !== 0) hear();
  }
}

function readEvents(room: number): void {
  pause(readMs + PACE_MS - performance.now());
  // No more events than there is room for, by their least size.
  const into = buffer.subarray(0, Math.max(room * METADATA_BYTES, EVENT_BYTES_MAX));
  const length = tryRead(into);
  readMs = performance.now();
  if (length === 0) return;
  const bytes = new Uint8Array(length);
  bytes.set(into.subarray(0, length));
  const { count } = measureEvents(into, length);
  const paths = finder?.find(into, length);
  Atomics.add(control, HELD, count);
  post({ kind: 'events', bytes, paths: news(paths) }, [bytes.buffer]);
}

/** Under load one read is as the other, and what need not be copied costs the consumer nothing. */
function news(paths: EarlyPaths | undefined): EarlyPaths | 'same' | undefined {
  if (paths !== undefined && posted !== undefined && isSameEarly(paths, posted)) return 'same';
  posted = paths;
  return paths;
}

function tryRead(into: Buffer): number {
  try {
    return readAvailable(groupFd, into);
  } catch (error) {
    if (!(error instanceof SystemError) || FATAL.includes(error.errno)) throw error;
    post({ kind: 'lost', errno: error.errno });
    pause(LOSS_PAUSE_MS);
    return 0;
  }
}

/** Ends early when the stream is to stop. */
function pause(ms: number): void {
  if (ms > 0) Atomics.wait(control, STOP, 0, ms);
}

function post(message: StreamMessage, transfer: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}
