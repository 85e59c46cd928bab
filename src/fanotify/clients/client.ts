// A client: its own stream of what its rule lets through, from a Fanotify of this process or of another one.
import type { FanotifyItem } from './data.ts';
import type { Mailbox } from './mailbox.ts';
import { openRemoteFeed, type RemoteOptions } from './remote.ts';
import { type FanoRule, plainRule } from './rules.ts';

/** Where a client's items come from. */
export interface Feed {
  readonly mailbox: Mailbox;
  /** Tells the other side to stop; resolves when it has. Idempotent. */
  close(): Promise<void>;
}

export interface ClientOptions {
  /** Items that may wait for this client before the rest is dropped and counted; 1 to 65,536, default 16,384. */
  readonly capacity?: number;
}

/**
 * An endless stream of items, for one consumer: `for await (const item of client)`. A client that takes them slowly is
 * sent an `overflow` item with the number lost, and holds up nobody else. Leaving the loop closes the client.
 * The descriptors in its items (rule with `passFd`) are its own to close; those of items not taken are closed with it.
 */
export class FanotifyClient implements AsyncIterable<FanotifyItem> {
  readonly rule: FanoRule;
  readonly #feed: Feed;

  /** Not for callers: `Fanotify.connect` and `FanotifyClient.connect` make clients. */
  constructor(rule: FanoRule, feed: Feed) {
    this.rule = rule;
    this.#feed = feed;
  }

  /**
   * Connects to a socket that a Fanotify of another process listens on. Resolves when the rule is taken: what happens from
   * then on is reported. Throws AppError: NO_PERMISSION (the other side refuses this user, or is not whom we trust), USAGE
   * (the rule), BUSY (too many clients); SystemError of connect(2): ENOENT, ECONNREFUSED.
   */
  static async connect(address: string, rule: FanoRule, options: RemoteOptions = {}): Promise<FanotifyClient> {
    return new FanotifyClient(rule, await openRemoteFeed(address, plainRule(rule), options));
  }

  /** The next item; undefined at the end: closed, or the Fanotify has stopped. Throws when the connection broke. */
  next(): Promise<FanotifyItem | undefined> {
    return this.#feed.mailbox.next();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<FanotifyItem, void, undefined> {
    try {
      for (let item = await this.next(); item !== undefined; item = await this.next()) yield item;
    } finally {
      await this.close();
    }
  }

  /** Idempotent; a waiting `next` resolves with undefined. */
  async close(): Promise<void> {
    this.#feed.mailbox.close();
    await this.#feed.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
