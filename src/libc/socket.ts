// Unix sockets of whole messages that carry descriptors: unix(7), SOCK_SEQPACKET, SCM_RIGHTS, SO_PEERCRED. Node has none of
// the three. All descriptors are non-blocking and close-on-exec. 64-bit Linux only (struct msghdr).
import { constants } from 'node:os';
import { allocateMemory } from './file.ts';
import { closeFd } from './handle.ts';
import { checked, declare, lastErrno } from './native.ts';

const c = {
  socket: declare<(domain: number, type: number, protocol: number) => number>(
    'int socket(int domain, int type, int protocol)',
  ),
  bind: declare<(fd: number, address: Buffer, length: number) => number>(
    'int bind(int fd, void *address, unsigned int length)',
  ),
  listen: declare<(fd: number, backlog: number) => number>('int listen(int fd, int backlog)'),
  accept4: declare<(fd: number, address: null, length: null, flags: number) => number>(
    'int accept4(int fd, void *address, void *length, int flags)',
  ),
  connect: declare<(fd: number, address: Buffer, length: number) => number>(
    'int connect(int fd, void *address, unsigned int length)',
  ),
  socketpair: declare<(domain: number, type: number, protocol: number, pair: Buffer) => number>(
    'int socketpair(int domain, int type, int protocol, void *pair)',
  ),
  setsockopt: declare<(fd: number, level: number, name: number, value: Buffer, length: number) => number>(
    'int setsockopt(int fd, int level, int name, void *value, unsigned int length)',
  ),
  getsockopt: declare<(fd: number, level: number, name: number, value: Buffer, length: Buffer) => number>(
    'int getsockopt(int fd, int level, int name, void *value, void *length)',
  ),
  recv: declare<(fd: number, into: Buffer, length: number, flags: number) => number>(
    'long recv(int fd, void *into, size_t length, int flags)',
  ),
  sendmsg: declare<(fd: number, message: number, flags: number) => number>(
    'long sendmsg(int fd, long message, int flags)',
  ),
  recvmsg: declare<(fd: number, message: number, flags: number) => number>(
    'long recvmsg(int fd, long message, int flags)',
  ),
};

const AF_UNIX = 1;
/** SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK */
const FLAGS = 0o2000000 | 0o4000;
const SEQPACKET = 5 | FLAGS;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_SNDBUFFORCE = 32;
const SCM_RIGHTS = 1;
const MSG_TRUNC = 0x20;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
const BACKLOG = 64;

/** The longest message, and the most descriptors in one, that are sent or received here; the kernel allows 253. */
export const MESSAGE_BYTES_MAX = 64 * 1024;
export const MESSAGE_FDS_MAX = 64;

/** sizeof(struct msghdr), and where its members are: unistd's iovec, then control data. */
const HEADER_BYTES = 56;
const IOV_AT = HEADER_BYTES;
const CONTROL_HEADER_BYTES = 16;
const CONTROL_BYTES = CONTROL_HEADER_BYTES + MESSAGE_FDS_MAX * 4;

const data = allocateMemory(MESSAGE_BYTES_MAX);
const control = allocateMemory(CONTROL_BYTES);
const header = allocateMemory(HEADER_BYTES + 16);
header.bytes.writeBigUInt64LE(BigInt(header.address + IOV_AT), 16);
header.bytes.writeBigUInt64LE(1n, 24);
header.bytes.writeBigUInt64LE(BigInt(data.address), IOV_AT);

/** struct sockaddr_un: u16 family, then the path; `@name` is in the abstract namespace. */
export function socketAddress(address: string): Buffer {
  const path = Buffer.from(address.startsWith('@') ? `\0${address.slice(1)}` : `${address}\0`);
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  return Buffer.concat([family, path]);
}

/** Throws SystemError: EADDRINUSE, EINVAL for an address of more than 107 bytes. */
export function listenAt(address: string): number {
  return opened((fd) => {
    const name = socketAddress(address);
    checked(c.bind(fd, name, name.length), 'bind', { path: address });
    checked(c.listen(fd, BACKLOG), 'listen', { path: address });
  });
}

/** Throws SystemError: ENOENT, ECONNREFUSED (nobody listens), EACCES, EAGAIN (too many wait to be accepted). */
export function connectTo(address: string): number {
  return opened((fd) => {
    const name = socketAddress(address);
    checked(c.connect(fd, name, name.length), 'connect', { path: address });
  });
}

/** Two ends, connected; each may have `bufferBytes` under way (without CAP_NET_ADMIN the kernel's default). Throws SystemError: EMFILE. */
export function openSocketPair(bufferBytes: number): readonly [number, number] {
  const pair = Buffer.alloc(8);
  checked(c.socketpair(AF_UNIX, SEQPACKET, 0, pair), 'socketpair');
  const ends = [pair.readInt32LE(0), pair.readInt32LE(4)] as const;
  const value = Buffer.from(Int32Array.of(bufferBytes).buffer);
  for (const end of ends) c.setsockopt(end, SOL_SOCKET, SO_SNDBUFFORCE, value, value.length);
  return ends;
}

function opened(prepare: (fd: number) => void): number {
  const fd = checked(c.socket(AF_UNIX, SEQPACKET, 0), 'socket');
  try {
    prepare(fd);
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

/** The next connection; undefined when there is none, or when it is gone again or descriptors have run out. */
export function acceptFrom(fd: number): number | undefined {
  const peer = c.accept4(fd, null, null, FLAGS);
  return peer === -1 ? undefined : peer;
}

/** Who made the other end: of a listening socket who called listen(2), else who connected. */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** SO_PEERCRED; the kernel vouches for it. Throws SystemError. */
export function credentialsOf(fd: number): PeerCredentials {
  const value = Buffer.alloc(12);
  const length = Buffer.from(Uint32Array.of(value.length).buffer);
  checked(c.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, value, length), 'getsockopt');
  return { pid: value.readInt32LE(0), uid: value.readUInt32LE(4), gid: value.readUInt32LE(8) };
}

/** `full`: the other end has to read first. `gone`: it has closed, or the message could never be sent. */
export type SendResult = 'sent' | 'full' | 'gone';

/** Sends one message with copies of `fds`; the caller keeps its own. */
export function sendMessage(fd: number, bytes: Buffer, fds: readonly number[]): SendResult {
  bytes.copy(data.bytes);
  header.bytes.writeBigUInt64LE(BigInt(bytes.length), IOV_AT + 8);
  const controlBytes = fds.length === 0 ? 0 : CONTROL_HEADER_BYTES + fds.length * 4;
  control.bytes.writeBigUInt64LE(BigInt(controlBytes), 0);
  control.bytes.writeInt32LE(SOL_SOCKET, 8);
  control.bytes.writeInt32LE(SCM_RIGHTS, 12);
  for (const [index, each] of fds.entries()) control.bytes.writeInt32LE(each, CONTROL_HEADER_BYTES + index * 4);
  setControl(controlBytes);
  if (c.sendmsg(fd, header.address, MSG_NOSIGNAL) !== -1) return 'sent';
  const errno = lastErrno();
  const { EAGAIN, EINTR, ENOBUFS, ENOMEM } = constants.errno;
  // ETOOMANYREFS: too many descriptors of this user are on their way (unix(7)); they arrive as the other end reads.
  return [EAGAIN, EINTR, ENOBUFS, ENOMEM, ETOOMANYREFS].includes(errno) ? 'full' : 'gone';
}

const ETOOMANYREFS = 109;

function setControl(lengthBytes: number): void {
  // CMSG_SPACE: the kernel wants the length rounded up to 8 on sending.
  const space = Math.ceil(lengthBytes / 8) * 8;
  header.bytes.writeBigUInt64LE(lengthBytes === 0 ? 0n : BigInt(control.address), 32);
  header.bytes.writeBigUInt64LE(BigInt(space), 40);
  header.bytes.writeInt32LE(0, 48);
}

export interface Received {
  readonly bytes: Buffer;
  /** The receiver's to close. Fewer than were sent when descriptors ran out here. */
  readonly fds: readonly number[];
}

/** One message; undefined when none is there yet, `gone` when the other end has closed. A message that is too long is `gone`. */
export function receiveMessage(fd: number): Received | 'gone' | undefined {
  header.bytes.writeBigUInt64LE(BigInt(MESSAGE_BYTES_MAX), IOV_AT + 8);
  setControl(CONTROL_BYTES);
  const length = c.recvmsg(fd, header.address, MSG_CMSG_CLOEXEC);
  if (length === -1) {
    const errno = lastErrno();
    // Says once that the other end did not read everything; what it sent before is still there (unix_release_sock).
    if (errno === constants.errno.ECONNRESET) return receiveMessage(fd);
    return isPassing(errno) ? undefined : 'gone';
  }
  const fds = receivedFds();
  if (length > 0 && (header.bytes.readInt32LE(48) & MSG_TRUNC) === 0) return { bytes: copyOf(length), fds };
  fds.forEach(closeFd);
  return 'gone';
}

/** As `receiveMessage`; the kernel drops descriptors that come with it. */
export function receiveBytes(fd: number): Buffer | 'gone' | undefined {
  const length = c.recv(fd, data.bytes, data.bytes.length, MSG_TRUNC);
  if (length === -1) return isPassing(lastErrno()) ? undefined : 'gone';
  return length === 0 || length > data.bytes.length ? 'gone' : copyOf(length);
}

function copyOf(length: number): Buffer {
  return Buffer.from(data.bytes.subarray(0, length));
}

function isPassing(errno: number): boolean {
  return errno === constants.errno.EAGAIN || errno === constants.errno.EINTR;
}

/** MSG_CTRUNC leaves the descriptors that did fit. */
function receivedFds(): number[] {
  const fds: number[] = [];
  const end = Number(header.bytes.readBigUInt64LE(40));
  for (let at = 0; at + CONTROL_HEADER_BYTES <= end; ) {
    const length = Number(control.bytes.readBigUInt64LE(at));
    if (length < CONTROL_HEADER_BYTES) break;
    const isRights =
      control.bytes.readInt32LE(at + 8) === SOL_SOCKET && control.bytes.readInt32LE(at + 12) === SCM_RIGHTS;
    for (let next = at + CONTROL_HEADER_BYTES; isRights && next + 4 <= Math.min(at + length, end); next += 4) {
      fds.push(control.bytes.readInt32LE(next));
    }
    at += Math.ceil(length / 8) * 8;
  }
  return fds;
}
