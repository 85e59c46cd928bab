// Time.

export interface Clock {
  nowMs(): number;
  nowNs(): bigint;
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
