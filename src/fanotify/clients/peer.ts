// One client of another process, on the dispatcher's side of its socket.
import { AppError } from '../../domain/errors.ts';
import { closeFd } from '../../libc/handle.ts';
import { MESSAGE_BYTES_MAX, MESSAGE_FDS_MAX, receiveBytes, sendMessage } from '../../libc/socket.ts';
import { ClientQueue, closeItem } from './client-queue.ts';
import type { FanotifyItem } from './data.ts';
import type { Outlet } from './outlet.ts';
import { ACCEPTED, BYE, ITEMS, parseHello, REFUSED } from './protocol.ts';
import { type Candidate, compileRule } from './rules.ts';
import { encodeItem } from './wire.ts';

/** Items that go into one message, unless their bytes or descriptors fill it before. */
const ITEMS_MAX = MESSAGE_FDS_MAX;

/** Owns the socket. It is never waited for: what it cannot take stays in its queue, and overflows there. */
export class Peer implements Outlet {
  readonly fd: number;
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
  matches: ((candidate: Candidate) => boolean) | undefined;
  passFd = false;
  #queue = new ClientQueue(1);
  /** Taken from the queue and not sent yet. */
  #next: FanotifyItem[] = [];
  /** The beginning of that, as it is to be sent. */
  #packet: Packet | undefined;
  #isOpen = true;

  constructor(fd: number, sinceMs: number) {
    this.fd = fd;
    this.sinceMs = sinceMs;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get hasMore(): boolean {
    return this.#next.length > 0 || !this.#queue.isEmpty;
  }

  /** Takes the greeting; anything that it says beyond that, and its end, closes the connection. */
  receive(): void {
    const bytes = receiveBytes(this.fd);
    if (bytes === undefined) return;
    if (bytes === 'gone' || this.matches !== undefined) this.close();
    else this.#greet(bytes);
  }

  #greet(bytes: Buffer): void {
    try {
      const { rule, capacity } = parseHello(bytes);
      this.#queue = new ClientQueue(capacity);
      this.matches = compileRule(rule);
      this.passFd = rule.passFd;
      this.#say(ACCEPTED);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.refuse(error.message);
    }
  }

  refuse(reason: string): void {
    this.#say(REFUSED, reason);
    this.close();
  }

  offer(item: FanotifyItem): void {
    this.#queue.push(item);
  }

  flush(): void {
    while (this.#isOpen && this.hasMore) {
      if (this.#next.length === 0) this.#next = this.#queue.take(ITEMS_MAX);
      this.#packet ??= pack(this.#next);
      const result = sendMessage(this.fd, this.#packet.bytes, this.#packet.fds);
      if (result === 'full') return;
      if (result === 'gone') {
        this.close();
        return;
      }
      this.#next.splice(0, this.#packet.count).forEach(closeItem);
      this.#packet = undefined;
    }
  }

  /** Sends what fits and says goodbye. */
  finish(): void {
    this.flush();
    if (!this.hasMore) this.#say(BYE);
    this.close();
  }

  #say(kind: number, text = ''): void {
    sendMessage(this.fd, Buffer.from([kind, ...Buffer.from(text)]), []);
  }

  /** Idempotent. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#next.forEach(closeItem);
    this.#next = [];
    this.#queue.close();
    closeFd(this.fd);
  }
}

interface Packet {
  readonly bytes: Buffer;
  readonly fds: readonly number[];
  readonly count: number;
}

/** As many of the items as one message holds. */
function pack(items: FanotifyItem[]): Packet {
  const parts: Buffer[] = [Buffer.of(ITEMS)];
  const fds: number[] = [];
  let length = 1;
  let count = 0;
  for (const item of items) {
    const record = fitting(encodeItem(item), item);
    if (length + record.length > MESSAGE_BYTES_MAX) break;
    parts.push(record);
    length += record.length;
    count += 1;
    if (item.kind === 'event' && item.fd >= 0) fds.push(item.fd);
  }
  return { bytes: Buffer.concat(parts), fds, count };
}

/** Directories may be so deep that a path fills more than a message (path_resolution(7) limits only what is passed at once). */
function fitting(record: Buffer, item: FanotifyItem): Buffer {
  if (record.length < MESSAGE_BYTES_MAX || item.kind !== 'event') return record;
  return encodeItem({ ...item, cwd: undefined, path: undefined, oldPath: undefined });
}
