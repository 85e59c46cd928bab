// Items from a Fanotify of another process.
import { setTimeout as delay } from 'node:timers/promises';
import { errorCode } from '../../domain/errors.ts';
import { closeFd } from '../../libc/handle.ts';
import type { Feed } from './client.ts';
import { Connection } from './connection.ts';
import { Mailbox } from './mailbox.ts';
import type { PlainRule } from './rules.ts';
import { decodeItems } from './wire.ts';

export interface RemoteOptions {
  /** Items that may wait for this client on the server's side; 1 to 65,536, default 16,384. */
  readonly capacity?: number;
  /**
   * true: when the server goes, connect again as soon as there is one, and yield an `overflow` item with `where:
   * 'connection'` then. Default false: the stream ends after the server's goodbye, and throws ECONNRESET without one.
   */
  readonly reconnect?: boolean;
  /** Users whose server is believed; default root and this process's user. */
  readonly serverUids?: readonly number[];
}

const CAPACITY = 16_384;
const RETRY_MS = 100;
const RETRY_MAX_MS = 5_000;

/** Throws as `FanotifyClient.connect`. */
export async function openRemoteFeed(address: string, rule: PlainRule, options: RemoteOptions): Promise<Feed> {
  const feed = new RemoteFeed(address, rule, options);
  await feed.open();
  return feed;
}

class RemoteFeed implements Feed {
  readonly mailbox: Mailbox;
  readonly #address: string;
  readonly #rule: PlainRule;
  readonly #options: RemoteOptions;
  readonly #closing = new AbortController();
  #connection: Connection | undefined;
  #reconnecting: Promise<void> | undefined;

  constructor(address: string, rule: PlainRule, options: RemoteOptions) {
    this.#address = address;
    this.#rule = rule;
    this.#options = options;
    this.mailbox = new Mailbox(() => this.#connection?.taken());
  }

  async open(): Promise<void> {
    const { capacity = CAPACITY, serverUids = [0, process.getuid?.() ?? 0] } = this.#options;
    const hello = { rule: this.#rule, capacity };
    this.#connection = await Connection.open(this.#address, hello, serverUids, {
      items: (bytes, fds) => this.#take(bytes, fds),
      ended: (error) => this.#ended(error),
    });
  }

  #take(bytes: Buffer, fds: readonly number[]): void {
    try {
      this.mailbox.push(decodeItems(bytes, fds));
    } catch (error) {
      for (const fd of fds) closeFd(fd);
      this.mailbox.end(error);
      void this.#connection?.close();
    }
  }

  #ended(error: unknown): void {
    // Before it was open its caller is told.
    if (this.#connection === undefined) return;
    this.#connection = undefined;
    if (this.#options.reconnect === true && !this.#closing.signal.aborted) this.#reconnecting = this.#reconnect();
    else this.mailbox.end(error);
  }

  /** Until it works, the stream is closed, or the server says that it never will. */
  async #reconnect(): Promise<void> {
    for (let waitMs = RETRY_MS; !this.#closing.signal.aborted; waitMs = Math.min(waitMs * 2, RETRY_MAX_MS)) {
      try {
        await delay(waitMs, undefined, { signal: this.#closing.signal });
        await this.open();
        this.mailbox.push([{ kind: 'overflow', where: 'connection', lost: undefined }]);
        return;
      } catch (error) {
        if (!PASSING.has(errorCode(error) ?? '')) {
          this.mailbox.end(error);
          return;
        }
      }
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#reconnecting;
    await this.#connection?.close();
  }
}

/** Nobody there yet, or full: worth another try. */
const PASSING = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EAGAIN', 'BUSY', 'ABORT_ERR']);
