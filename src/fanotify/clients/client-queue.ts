// What waits for one client: bounded, in order, and with its losses counted where they happened.
import { closeFd } from '../../libc/handle.ts';
import type { FanotifyItem } from './data.ts';

/** Owns the descriptors in its items until they are taken. */
export class ClientQueue {
  readonly #capacity: number;
  #items: FanotifyItem[] = [];
  #lost = 0;

  /** `capacity`: items held before what comes is dropped and counted. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get isEmpty(): boolean {
    return this.#items.length === 0 && this.#lost === 0;
  }

  push(item: FanotifyItem): void {
    // Half of it has to be free again: one gap of many items and not many of one.
    if (this.#lost > 0 && this.#items.length <= this.#capacity / 2) this.#tellLoss();
    if (this.#lost === 0 && this.#items.length < this.#capacity) {
      this.#items.push(item);
      return;
    }
    this.#lost += 1;
    closeItem(item);
  }

  /** The next items, `limit` at most; the caller owns their descriptors. */
  take(limit: number): FanotifyItem[] {
    if (this.#items.length === 0 && this.#lost > 0 && limit > 0) this.#tellLoss();
    if (limit >= this.#items.length) {
      const all = this.#items;
      this.#items = [];
      return all;
    }
    return this.#items.splice(0, limit);
  }

  #tellLoss(): void {
    this.#items.push({ kind: 'overflow', where: 'client', lost: this.#lost });
    this.#lost = 0;
  }

  /** Idempotent; closes what was not taken. */
  close(): void {
    this.#items.forEach(closeItem);
    this.#items = [];
    this.#lost = 0;
  }
}

export function closeItem(item: FanotifyItem): void {
  if (item.kind === 'event' && item.fd >= 0) closeFd(item.fd);
}
