// SIGINT and SIGTERM end a command in order: the exit status is 128 + n, as a shell would report it.

export interface Interrupt {
  readonly signal: AbortSignal;
  /** No more patience with those who do not end. Only where a grace was given. */
  readonly kill: AbortSignal;
  /** 130, 143; undefined when nobody interrupted. */
  exitCode(): number | undefined;
  dispose(): void;
}

const NUMBERS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;
type Name = keyof typeof NUMBERS;

/**
 * `graceMs`: how long one who is asked to end may take. A second signal says `kill`, and so does twice the grace, for there may
 * be work after that one's end. Without it a second signal ends the process as if nobody listened.
 */
export function onInterrupt(graceMs?: number): Interrupt {
  const [controller, kill] = [new AbortController(), new AbortController()];
  let code: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  const stop = (name: Name): void => {
    if (controller.signal.aborted) {
      kill.abort();
      return;
    }
    code = 128 + NUMBERS[name];
    if (graceMs !== undefined) timer = setTimeout(() => kill.abort(), 2 * graceMs);
    controller.abort();
  };
  const names = Object.keys(NUMBERS) as Name[];
  for (const name of names) {
    if (graceMs === undefined) process.once(name, stop);
    else process.on(name, stop);
  }
  return {
    signal: controller.signal,
    kill: kill.signal,
    exitCode: () => code,
    dispose: () => {
      clearTimeout(timer);
      for (const name of names) process.off(name, stop);
    },
  };
}
