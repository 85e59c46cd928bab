// What a service manager needs: readiness and state by sd_notify(3).
import { errorMessage } from '../domain/errors.ts';
import { sendNotification } from '../libc/notify.ts';

export interface ServiceNotifier {
  ready(status: string): void;
  /** `monotonicUs`: CLOCK_MONOTONIC, as RELOADING=1 wants it. */
  reloading(monotonicUs: bigint): void;
  stopping(): void;
}

/** Does nothing when no service manager asked for it. */
export function openNotifier(warn: (line: string) => void): ServiceNotifier {
  const address = process.env['NOTIFY_SOCKET'];
  const send = (state: string): void => {
    if (address === undefined || address === '') return;
    try {
      sendNotification(address, state);
    } catch (error) {
      warn(`driftline: cannot notify the service manager: ${errorMessage(error)}`);
    }
  };
  return {
    ready: (status) => send(`READY=1\nSTATUS=${status}`),
    reloading: (monotonicUs) => send(`RELOADING=1\nMONOTONIC_USEC=${monotonicUs}`),
    stopping: () => send('STOPPING=1'),
  };
}
