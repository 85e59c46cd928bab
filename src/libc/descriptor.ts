// What can be asked of any descriptor.
import { checked, declare } from './native.ts';

const ioctl = declare<(fd: number, request: number, into: Buffer) => number>(
  'int ioctl(int fd, unsigned long request, void *into)',
);

/** asm-generic/ioctls.h */
const FIONREAD = 0x541b;

/** FIONREAD of ioctl(2): what could be read, in bytes. Throws SystemError. */
export function readableBytes(fd: number): number {
  const bytes = Buffer.alloc(4);
  checked(ioctl(fd, FIONREAD, bytes), 'ioctl');
  return bytes.readInt32LE(0);
}
