// sd_notify(3) without libsystemd: one datagram to the socket that systemd names. Node has no datagram AF_UNIX sockets.
import { closeSync } from 'node:fs';
import { AppError } from '../domain/errors.ts';
import { checked, declare } from './native.ts';
import { sendMessage, socketAddress } from './socket.ts';

const socket = declare<(domain: number, type: number, protocol: number) => number>(
  'int socket(int domain, int type, int protocol)',
);
const connect = declare<(fd: number, address: Buffer, length: number) => number>(
  'int connect(int fd, void *address, unsigned int length)',
);
const sendto = declare<
  (fd: number, data: Buffer, length: number, flags: number, address: Buffer, addressLength: number) => number
>('long sendto(int fd, void *data, size_t length, int flags, void *address, unsigned int address_length)');

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const MSG_NOSIGNAL = 0x4000;

/** Sends a state such as "READY=1", or other bytes; `address` is $NOTIFY_SOCKET: a path, or '@name' in the abstract namespace. */
export function sendNotification(address: string, state: string | Uint8Array): void {
  withSocket((fd) => {
    const data = Buffer.from(state);
    const name = socketAddress(address);
    checked(sendto(fd, data, data.length, MSG_NOSIGNAL, name, name.length), 'sendto', { path: address });
  });
}

/** The same with a copy of a descriptor, as FDSTORE=1 wants it. Throws SystemError (nobody listens there), AppError IO. */
export function sendDescriptor(address: string, state: string, descriptor: number): void {
  withSocket((fd) => {
    const name = socketAddress(address);
    checked(connect(fd, name, name.length), 'connect', { path: address });
    if (sendMessage(fd, Buffer.from(state), [descriptor]) === 'sent') return;
    throw new AppError('IO', `${address} does not take a descriptor`);
  });
}

function withSocket(use: (fd: number) => void): void {
  const fd = checked(socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0), 'socket');
  try {
    use(fd);
  } finally {
    closeSync(fd);
  }
}
