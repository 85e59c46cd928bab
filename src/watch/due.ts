// Something that is to be done every so often.

/** Times are milliseconds of one clock, which may be set back. */
export class Due {
  readonly #everyMs: number;
  #lastMs: number;

  constructor(everyMs: number, nowMs: number) {
    this.#everyMs = everyMs;
    this.#lastMs = nowMs;
  }

  /** Whether it is time; then the next time is counted from now on. */
  takes(nowMs: number): boolean {
    if (this.leftMs(nowMs) > 0) return false;
    this.#lastMs = nowMs;
    return true;
  }

  leftMs(nowMs: number): number {
    // A clock that was set back must not end it.
    return Math.max(this.#everyMs - Math.abs(nowMs - this.#lastMs), 0);
  }
}
