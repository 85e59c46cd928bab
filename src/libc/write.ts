// A write whose bytes are one request to the kernel: it takes all of them or none.
import { checked, declare } from './native.ts';

const writeCall = declare<(fd: number, bytes: Buffer, length: number) => number>(
  'long write(int fd, const void *buf, size_t count)',
);

/** write(2). Throws SystemError. */
export function writeRequest(fd: number, bytes: Buffer): void {
  checked(writeCall(fd, bytes, bytes.length), 'write');
}
