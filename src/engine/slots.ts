// How many runs there are at the same time, over all hooks.

export interface Slots {
  /** Waits for its turn; gives what ends it, or undefined when the signal aborts first. */
  take(signal: AbortSignal): Promise<(() => void) | undefined>;
}

/** First come, first served. */
export function openSlots(count: number): Slots {
  let free = count;
  const queue: (() => void)[] = [];
  const release = (): void => {
    const next = queue.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return {
    async take(signal) {
      if (signal.aborted) return undefined;
      if (free > 0) {
        free -= 1;
        return release;
      }
      return await new Promise((resolve) => {
        const giveUp = (): void => {
          queue.splice(queue.indexOf(mine), 1);
          resolve(undefined);
        };
        const mine = (): void => {
          signal.removeEventListener('abort', giveUp);
          resolve(release);
        };
        queue.push(mine);
        signal.addEventListener('abort', giveUp, { once: true });
      });
    },
  };
}
