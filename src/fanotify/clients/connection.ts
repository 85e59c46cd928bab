// One connection of a remote client: the socket, and the thread that waits at it.

import { constants } from 'node:os';
import { Worker } from 'node:worker_threads';
import { builtFile } from '../../domain/built-file.ts';
import { AppError, errorMessage, SystemError } from '../../domain/errors.ts';
import { closeFd } from '../../libc/handle.ts';
import { openEventFd, wakeEventFd } from '../../libc/poll.ts';
import { connectTo, credentialsOf, sendMessage } from '../../libc/socket.ts';
import { ACCEPTED, BYE, encodeHello, type Hello, ITEMS, REFUSED } from './protocol.ts';
import { CONTROL_BYTES, IN_FLIGHT, type ReceiverMessage, type ReceiverSettings, STOP } from './remote-messages.ts';

export interface ConnectionEvents {
  /** Records of wire.ts and their descriptors, which now belong to the callee; call `taken` once there is room for more. */
  readonly items: (bytes: Buffer, fds: readonly number[]) => void;
  /** Once: `undefined` after the server's goodbye, else why. */
  readonly ended: (error: unknown) => void;
}

/** Owns both; closed by `close`, and by itself when the server is gone. */
export class Connection {
  readonly #fd: number;
  readonly #wakeFd = openEventFd();
  readonly #control = new SharedArrayBuffer(CONTROL_BYTES);
  readonly #slots = new Int32Array(this.#control);
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  #isOver = false;

  /** Resolves when the server has taken the rule. `serverUids`: whom we let tell us what happens. Throws as `connect`. */
  static async open(address: string, hello: Hello, serverUids: readonly number[], on: ConnectionEvents) {
    const fd = connectTo(address);
    try {
      const { uid } = credentialsOf(fd);
      if (!serverUids.includes(uid)) {
        throw new AppError('NO_PERMISSION', `${address} belongs to user ${uid}`, { hint: 'name it in serverUids' });
      }
      // Refused already, perhaps: the answer says why, and is there to be read.
      sendMessage(fd, encodeHello(hello), []);
    } catch (error) {
      closeFd(fd);
      throw error;
    }
    let connection: Connection | undefined;
    await new Promise<void>((resolve, reject) => {
      connection = new Connection(fd, on, resolve, reject);
    });
    return connection;
  }

  private constructor(fd: number, on: ConnectionEvents, accepted: () => void, refused: (error: unknown) => void) {
    this.#fd = fd;
    const workerData: ReceiverSettings = { socketFd: fd, wakeFd: this.#wakeFd, control: this.#control };
    this.#worker = new Worker(builtFile('fanotify/clients/receiver-thread'), { workerData, execArgv: [] });
    let end: { readonly error: unknown } | undefined;
    const finish = (error: unknown): void => {
      end ??= { error };
      this.#stop();
    };
    this.#worker.on('message', (message: ReceiverMessage) => {
      if (message.kind === 'gone') return finish(broken());
      const bytes = Buffer.from(message.bytes);
      const [kind] = bytes;
      if (kind === ITEMS) return on.items(bytes.subarray(1), message.fds);
      message.fds.forEach(closeFd);
      this.taken();
      if (kind === ACCEPTED) accepted();
      else if (kind === BYE) finish(undefined);
      else finish(kind === REFUSED ? refusal(bytes.toString('utf8', 1)) : broken());
    });
    this.#worker.once('error', (error) =>
      finish(new AppError('INTERNAL', `the receiving thread failed: ${errorMessage(error)}`, { cause: error })),
    );
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#isOver = true;
        closeFd(this.#fd);
        closeFd(this.#wakeFd);
        refused(end?.error ?? broken());
        on.ended(end === undefined ? undefined : end.error);
        resolve();
      });
    });
  }

  /** One message was dealt with. */
  taken(): void {
    Atomics.sub(this.#slots, IN_FLIGHT, 1);
    this.#wake();
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#stop();
    await this.#exited;
  }

  #stop(): void {
    Atomics.store(this.#slots, STOP, 1);
    this.#wake();
  }

  #wake(): void {
    if (!this.#isOver) wakeEventFd(this.#wakeFd);
  }
}

function broken(): SystemError {
  return new SystemError('recvmsg', constants.errno.ECONNRESET);
}

function refusal(reason: string): AppError {
  if (reason.includes('may not connect')) return new AppError('NO_PERMISSION', reason);
  return new AppError(reason.includes('too many') ? 'BUSY' : 'USAGE', reason);
}
