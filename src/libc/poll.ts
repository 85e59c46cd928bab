// poll(2) over a few descriptors, and eventfd(2) to end such a wait from another thread.
import { constants } from 'node:os';
import { SystemError } from '../domain/errors.ts';
import { checked, declare, lastErrno } from './native.ts';
import { writeRequest } from './write.ts';

const pollCall = declare<(fds: Buffer, count: number, timeoutMs: number) => number>(
  'int poll(void *fds, unsigned long nfds, int timeout)',
);
const eventfdCall = declare<(value: number, flags: number) => number>('int eventfd(unsigned int initval, int flags)');

/** poll.h */
export const POLLIN = 0x1;
export const POLLPRI = 0x2;
export const POLLOUT = 0x4;

/** sizeof(struct pollfd): int fd @0, short events @4, short revents @6. */
const POLLFD_BYTES = 8;

/** eventfd(2): EFD_CLOEXEC is O_CLOEXEC, EFD_NONBLOCK is O_NONBLOCK on every architecture that Node runs on. */
const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;

export interface PollEntry {
  readonly fd: number;
  readonly events: number;
}

/**
 * Waits until a descriptor is ready or `timeoutMs` is over; returns what happened to each entry, in order, 0 for
 * nothing. A signal ends the wait like the time-out. Throws SystemError.
 */
export function pollOnce(entries: readonly PollEntry[], timeoutMs: number): number[] {
  const fds = Buffer.alloc(entries.length * POLLFD_BYTES);
  entries.forEach(({ fd, events }, index) => {
    fds.writeInt32LE(fd, index * POLLFD_BYTES);
    fds.writeInt16LE(events, index * POLLFD_BYTES + 4);
  });
  if (pollCall(fds, entries.length, timeoutMs) === -1) {
    const errno = lastErrno();
    if (errno !== constants.errno.EINTR) throw new SystemError('poll', errno);
    return entries.map(() => 0);
  }
  return entries.map((_, index) => fds.readInt16LE(index * POLLFD_BYTES + 6));
}

/** A counter that polls readable once it was written to; non-blocking, close-on-exec. Throws SystemError. */
export function openEventFd(): number {
  return checked(eventfdCall(0, EFD_CLOEXEC | EFD_NONBLOCK), 'eventfd');
}

const ONE = Buffer.from(new BigUint64Array([1n]).buffer);

/** Makes such a counter readable. Throws SystemError: EBADF. */
export function wakeEventFd(fd: number): void {
  writeRequest(fd, ONE);
}
