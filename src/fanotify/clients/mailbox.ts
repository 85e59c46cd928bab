// Items as a client takes them: one at a time, in order, until the end.
import { closeItem } from './client-queue.ts';
import type { FanotifyItem } from './data.ts';

/** How the iteration ends when nothing is left. */
type End = { readonly error: unknown } | { readonly error: undefined };

/** Owns the descriptors of its items until they are taken. For one consumer. */
export class Mailbox {
  readonly #begun: (count: number) => void;
  #batches: (readonly FanotifyItem[])[] = [];
  #current: readonly FanotifyItem[] = [];
  #at = 0;
  #end: End | undefined;
  #waiting: (() => void)[] = [];

  /** `begun` is told of each batch as its first item is taken: then there is room for another. */
  constructor(begun: (count: number) => void) {
    this.#begun = begun;
  }

  push(items: readonly FanotifyItem[]): void {
    if (this.#end === undefined) this.#batches.push(items);
    else items.forEach(closeItem);
    this.#wake();
  }

  /** What was pushed before is still taken. Only the first end counts. */
  end(error?: unknown): void {
    this.#end ??= { error };
    this.#wake();
  }

  /** The next item; undefined at the end. Throws what it ended with. */
  async next(): Promise<FanotifyItem | undefined> {
    for (;;) {
      const item = this.#take();
      if (item !== undefined) return item;
      if (this.#end?.error !== undefined) throw this.#end.error;
      if (this.#end !== undefined) return undefined;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #take(): FanotifyItem | undefined {
    while (this.#at >= this.#current.length) {
      const batch = this.#batches.shift();
      if (batch === undefined) return undefined;
      this.#current = batch;
      this.#at = 0;
      this.#begun(batch.length);
    }
    this.#at += 1;
    return this.#current[this.#at - 1];
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Ends at once; closes what was not taken. Idempotent. */
  close(): void {
    this.#end = { error: undefined };
    this.#current.slice(this.#at).forEach(closeItem);
    this.#batches.flat().forEach(closeItem);
    this.#current = [];
    this.#batches = [];
    this.#wake();
  }
}
