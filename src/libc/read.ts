// Plain reads without an exception for the answers that are no errors.
import { constants } from 'node:os';
import { SystemError } from '../domain/errors.ts';
import { cString, declare, lastErrno } from './native.ts';

const openCall = declare<(path: Buffer, flags: number) => number>('int open(const void *path, int flags)');
const readCall = declare<(fd: number, buffer: Buffer, size: number) => number>(
  'long read(int fd, void *buf, size_t count)',
);
const closeCall = declare<(fd: number) => number>('int close(int fd)');

const O_CLOEXEC = 0o2000000;

/** Bytes read into `buffer`, or 0 when a non-blocking descriptor has nothing (EAGAIN, EINTR). Throws SystemError. */
export function readAvailable(fd: number, buffer: Buffer): number {
  const length = readCall(fd, buffer, buffer.length);
  if (length !== -1) return length;
  const errno = lastErrno();
  if (errno === constants.errno.EAGAIN || errno === constants.errno.EINTR) return 0;
  throw new SystemError('read', errno);
}

/**
 * The beginning of a small file, at most `buffer.length` bytes, as latin1; undefined when it cannot be read, which for
 * /proc/PID means that the process is gone or not ours to look at.
 */
export function readStart(path: string, buffer: Buffer): string | undefined {
  const fd = openCall(cString(path), O_CLOEXEC);
  if (fd === -1) return undefined;
  const length = readCall(fd, buffer, buffer.length);
  closeCall(fd);
  return length === -1 ? undefined : buffer.toString('latin1', 0, length);
}

const readlinkCall = declare<(path: Buffer, target: Buffer, size: number) => number>(
  'long readlink(const void *path, void *buf, size_t size)',
);

/** The target of a symbolic link as latin1, at most `buffer.length` bytes; undefined when it cannot be read. */
export function readLink(path: string, buffer: Buffer): string | undefined {
  const length = readlinkCall(cString(path), buffer, buffer.length);
  return length === -1 ? undefined : buffer.toString('latin1', 0, length);
}
