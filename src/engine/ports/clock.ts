// Time.

export interface Clock {
  /** Milliseconds since the epoch: for what is written down. It steps when somebody sets it. */
  nowMs(): number;
  nowNs(): bigint;
  /** Milliseconds since some start: for waits and durations. Only ever grows. */
  monotonicMs(): number;
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
