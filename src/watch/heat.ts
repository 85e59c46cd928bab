// Who has so many events in so short a time that it is worth a mark.

/** So many events in so long. */
const HOT_EVENTS = 256;
const WINDOW_MS = 10_000;
const COUNTED_MAX = 4_096;

export class Heat {
  readonly #counts = new Map<string, number>();
  #windowMs = 0;

  /** Counts one event; true with the one that makes it hot, and not before the next window again. */
  add(key: string, nowMs: number): boolean {
    if (Math.abs(nowMs - this.#windowMs) > WINDOW_MS || this.#counts.size >= COUNTED_MAX) {
      this.#windowMs = nowMs;
      this.#counts.clear();
    }
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    return count === HOT_EVENTS;
  }
}
