// Where the items of one client go, on the dispatcher's side.
import type { ClientQueue } from './client-queue.ts';

import type { FanotifyItem } from './data.ts';
import type { DispatcherMessage } from './messages.ts';
import type { Candidate } from './rules.ts';
import { encodeItem } from './wire.ts';

export interface Outlet {
  /** undefined as long as it has said no rule. */
  readonly matches: ((candidate: Candidate) => boolean) | undefined;
  readonly passFd: boolean;
  /** Takes over the item's descriptor. */
  offer(item: FanotifyItem): void;
  /** Passes on what there is room for; never waits. */
  flush(): void;
}

/** Items on their way to a client on the main thread; what comes beyond waits in its queue. */
const IN_FLIGHT_MAX = 4096;

/** A client of this process. */
export class LocalOutlet implements Outlet {
  readonly matches: (candidate: Candidate) => boolean;
  readonly passFd: boolean;
  readonly #id: number;
  readonly #queue: ClientQueue;
  readonly #post: (message: DispatcherMessage) => void;
  #inFlight = 0;

  constructor(
    id: number,
    rule: { readonly matches: (candidate: Candidate) => boolean; readonly passFd: boolean },
    queue: ClientQueue,
    post: (message: DispatcherMessage) => void,
  ) {
    this.#id = id;
    this.matches = rule.matches;
    this.passFd = rule.passFd;
    this.#queue = queue;
    this.#post = post;
  }

  offer(item: FanotifyItem): void {
    this.#queue.push(item);
  }

  /** The client has begun with that many items. */
  taken(count: number): void {
    this.#inFlight -= count;
  }

  flush(): void {
    const items = this.#queue.take(IN_FLIGHT_MAX - this.#inFlight);
    if (items.length === 0) return;
    this.#inFlight += items.length;
    this.#post({ kind: 'items', id: this.#id, count: items.length, bytes: Buffer.concat(items.map(encodeItem)) });
  }

  /** The rest, for a client that outlives the dispatcher. */
  finish(): void {
    this.#inFlight = Number.NEGATIVE_INFINITY;
    // Items first, then what was lost behind them.
    while (!this.#queue.isEmpty) this.flush();
  }

  close(): void {
    this.#queue.close();
  }
}
