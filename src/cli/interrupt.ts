// SIGINT and SIGTERM end a command in order: the exit status is 128 + n, as a shell would report it.

export interface Interrupt {
  readonly signal: AbortSignal;
  /** 130, 143; undefined when nobody interrupted. */
  exitCode(): number | undefined;
  dispose(): void;
}

const NUMBERS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;
type Name = keyof typeof NUMBERS;

export function onInterrupt(): Interrupt {
  const controller = new AbortController();
  let code: number | undefined;
  const stop = (name: Name): void => {
    code = 128 + NUMBERS[name];
    controller.abort();
  };
  const names = Object.keys(NUMBERS) as Name[];
  for (const name of names) process.once(name, stop);
  return {
    signal: controller.signal,
    exitCode: () => code,
    dispose: () => {
      for (const name of names) process.off(name, stop);
    },
  };
}
