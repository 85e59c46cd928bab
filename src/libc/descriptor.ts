// What can be asked of any descriptor.
import { checked, declare } from './native.ts';

const fcntl = declare<(fd: number, command: number, argument: number) => number>(
  'int fcntl(int fd, int command, int argument)',
);
const ioctl = declare<(fd: number, request: number, into: Buffer) => number>(
  'int ioctl(int fd, unsigned long request, void *into)',
);

/** linux/fcntl.h, asm-generic/ioctls.h */
const F_DUPFD_CLOEXEC = 1030;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const FIONREAD = 0x541b;

/** Another descriptor of the same open file, close-on-exec; the caller closes it. Throws SystemError: EMFILE, EBADF. */
export function duplicateFd(fd: number): number {
  return checked(fcntl(fd, F_DUPFD_CLOEXEC, 0), 'fcntl');
}

/** Programs that are executed from now on do not inherit it. Throws SystemError: EBADF. */
export function closeOnExec(fd: number): void {
  checked(fcntl(fd, F_SETFD, FD_CLOEXEC), 'fcntl');
}

/** FIONREAD of ioctl(2): what could be read, in bytes. Throws SystemError. */
export function readableBytes(fd: number): number {
  const bytes = Buffer.alloc(4);
  checked(ioctl(fd, FIONREAD, bytes), 'ioctl');
  return bytes.readInt32LE(0);
}
