// What a watch is told by signals, from before it is able to do anything about them.

/** SIGTERM is the service manager's clean stop; SIGINT is somebody's Ctrl-C. */
const STOP_CODES = { SIGTERM: 0, SIGINT: 130 } as const;

export interface WatchSignals {
  /** The exit status, once somebody asked for the end. */
  stop: number | undefined;
  /** Somebody asked for a reload before there was anything to reload. */
  mustReload: boolean;
  onStop: () => void;
  onReload: () => void;
}

/** From now on to the end of the process no signal is lost, and none ends it by itself. */
export function listenToSignals(): WatchSignals {
  const stop = (signal: keyof typeof STOP_CODES): void => {
    signals.stop = STOP_CODES[signal];
    signals.onStop();
  };
  const reload = (): void => signals.onReload();
  const signals: WatchSignals = {
    stop: undefined,
    mustReload: false,
    onStop() {},
    onReload() {
      signals.mustReload = true;
    },
  };
  process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', reload);
  return signals;
}
