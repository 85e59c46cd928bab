// Prompt when little happens, thrifty in a storm: single events are read at once, but a queue that is never empty is
// left alone for some milliseconds at a time. Reading it event by event would cost the writers a processor.

/** Rounds of reading in one window before a pause. */
const ROUNDS_MAX = 4;
const WINDOW_MS = 20;
/** A storm of 300,000 events a second fills less than a tenth of the default queue meanwhile. */
const PAUSE_MS = 4;

export class Pace {
  #windowMs = 0;
  #rounds = 0;
  #resumeMs = 0;

  /** Something was read at `nowMs` (a monotonic or wall clock, milliseconds). */
  round(nowMs: number): void {
    if (Math.abs(nowMs - this.#windowMs) > WINDOW_MS) {
      this.#windowMs = nowMs;
      this.#rounds = 0;
    }
    this.#rounds += 1;
    if (this.#rounds >= ROUNDS_MAX) this.#resumeMs = nowMs + PAUSE_MS;
  }

  /** How long to leave the queues alone, in milliseconds; 0 for not at all. */
  pauseMs(nowMs: number): number {
    const leftMs = this.#resumeMs - nowMs;
    // A clock that was set back must not make it longer.
    return leftMs > 0 && leftMs <= PAUSE_MS ? leftMs : 0;
  }
}
