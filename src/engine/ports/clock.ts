// Time.

export interface Clock {
  /** Milliseconds since the epoch: for what is written down. It steps when somebody sets it. */
  nowMs(): number;
  nowNs(): bigint;
  /** Milliseconds since some start: for waits and durations. Only ever grows. */
  monotonicMs(): number;
  /** Milliseconds since boot, those asleep included, as `Actor.startedMs`. */
  bootMs(): number;
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
