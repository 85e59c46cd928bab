// Verdicts that need no asking: the least recently used ones go first.

export class VerdictCache<Kept> {
  readonly #maxEntries: number;
  readonly #kept = new Map<string, Kept>();

  /** `maxEntries` 0 keeps nothing. */
  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  get(key: string): Kept | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    // A Map iterates in the order of insertion: to the end with what was used.
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    return kept;
  }

  set(key: string, kept: Kept): void {
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    if (this.#kept.size <= this.#maxEntries) return;
    for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest);
      return;
    }
  }

  clear(): void {
    this.#kept.clear();
  }
}
