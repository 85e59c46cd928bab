// sd_notify(3) without libsystemd: one datagram to the socket that systemd names. Node has no datagram AF_UNIX sockets.
import { closeSync } from 'node:fs';
import { checked, declare } from './native.ts';
import { socketAddress } from './socket.ts';

const socket = declare<(domain: number, type: number, protocol: number) => number>(
  'int socket(int domain, int type, int protocol)',
);
const sendto = declare<
  (fd: number, data: Buffer, length: number, flags: number, address: Buffer, addressLength: number) => number
>('long sendto(int fd, void *data, size_t length, int flags, void *address, unsigned int address_length)');

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const MSG_NOSIGNAL = 0x4000;

/** Sends a state such as "READY=1", or other bytes; `address` is $NOTIFY_SOCKET: a path, or '@name' in the abstract namespace. */
export function sendNotification(address: string, state: string | Uint8Array): void {
  const fd = checked(socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0), 'socket');
  try {
    const data = Buffer.from(state);
    const name = socketAddress(address);
    checked(sendto(fd, data, data.length, MSG_NOSIGNAL, name, name.length), 'sendto', { path: address });
  } finally {
    closeSync(fd);
  }
}
