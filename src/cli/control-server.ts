// The control socket of a running watch: mode 0600 in the state directory.
import { chmodSync, unlinkSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { AppError, errorCode } from '../domain/errors.ts';
import { type BytePath, pathToBytes } from '../domain/path.ts';
import { credentialsOf } from '../libc/socket.ts';
import { openAddress } from './control-address.ts';
import { type ControlRequest, encodeFailure, LINE_MAX_BYTES, parseRequest } from './control-protocol.ts';
import { socketPath } from './state.ts';

export interface ControlServer {
  close(): void;
}

/** `answer` gives the result, plain JSON; what it throws goes to the asker. The caller holds the lock of the state. */
export async function serveControl(
  baseline: BytePath,
  answer: (request: ControlRequest) => Promise<unknown>,
): Promise<ControlServer> {
  const path = socketPath(baseline);
  removeSocket(path);
  const address = openAddress(path);
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    void serve(socket, answer);
  });
  const umask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(address.text, resolve);
    });
  } finally {
    process.umask(umask);
  }
  chmodSync(pathToBytes(path), 0o600);
  return {
    close() {
      server.close();
      address.close();
      removeSocket(path);
    },
  };
}

/** What a killed watch left behind. */
function removeSocket(path: BytePath): void {
  try {
    unlinkSync(pathToBytes(path));
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

async function serve(socket: Socket, answer: (request: ControlRequest) => Promise<unknown>): Promise<void> {
  // Who asked may be gone before the answer is written (EPIPE), which must not end the watch.
  socket.on('error', () => undefined);
  try {
    assertAllowed(peerUid(socket));
    const request = parseRequest(await readLine(socket));
    socket.end(`${JSON.stringify({ ok: true, result: await answer(request) })}\n`);
  } catch (error) {
    if (!socket.destroyed) socket.end(`${encodeFailure(error)}\n`);
  }
}

/** Whoever could open the socket all the same (a descriptor that was handed on, a mode that somebody changed) gets no answer. */
export function assertAllowed(uid: number | undefined): void {
  if (uid === 0 || uid === process.geteuid?.()) return;
  throw new AppError('NO_PERMISSION', `user ${uid ?? 'unknown'} may not ask this watch`);
}

/** SO_PEERCRED of unix(7): who connected. Node keeps the descriptor to itself, in an object without a type. */
function peerUid(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  const fd: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined;
  return typeof fd === 'number' && fd >= 0 ? credentialsOf(fd).uid : undefined;
}

async function readLine(socket: Socket): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  return await new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('end', () => reject(new AppError('USAGE', 'the request ended before its line did')));
    socket.on('data', (chunk: Buffer) => {
      parts.push(chunk);
      length += chunk.length;
      if (length > LINE_MAX_BYTES) {
        socket.removeAllListeners('data').pause();
        reject(new AppError('USAGE', 'the request is too long'));
      }
      if (chunk.includes(0x0a)) resolve(Buffer.concat(parts).toString('utf8').split('\n', 1)[0] ?? '');
    });
  });
}
