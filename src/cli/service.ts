// What a service manager needs and gives: sd_notify(3), and descriptors that outlive the process (sd_listen_fds(3)).
import { errorMessage } from '../domain/errors.ts';
import { closeOnExec } from '../libc/descriptor.ts';
import { sendDescriptor, sendNotification } from '../libc/notify.ts';

export interface ServiceNotifier {
  ready(status: string): void;
  status(text: string): void;
  /** `monotonicUs`: CLOCK_MONOTONIC, as RELOADING=1 wants it. */
  reloading(monotonicUs: bigint): void;
  stopping(): void;
  /** All that has something to do goes on. */
  alive(): void;
  /** Without `alive` for so long the service is restarted; undefined: it never is. */
  readonly watchdogMs: number | undefined;
  /** Keep a copy of the descriptor, whatever becomes of this process. */
  storeFd(name: string, fd: number): void;
  forgetFds(name: string): void;
}

/** Does nothing when no service manager asked for it. */
export function openNotifier(warn: (line: string) => void): ServiceNotifier {
  const address = process.env['NOTIFY_SOCKET'];
  const send = (state: string, fd?: number): void => {
    if (address === undefined || address === '') return;
    try {
      if (fd === undefined) sendNotification(address, state);
      else sendDescriptor(address, state, fd);
    } catch (error) {
      warn(`driftline: cannot notify the service manager: ${errorMessage(error)}`);
    }
  };
  return {
    ready: (status) => send(`READY=1\nSTATUS=${status}`),
    status: (text) => send(`STATUS=${text}`),
    reloading: (monotonicUs) => send(`RELOADING=1\nMONOTONIC_USEC=${monotonicUs}`),
    stopping: () => send('STOPPING=1'),
    alive: () => send('WATCHDOG=1'),
    watchdogMs: watchdogMs(process.env['WATCHDOG_USEC'], process.env['WATCHDOG_PID']),
    // FDPOLL=0: or systemd drops it at the first error that poll(2) reports (systemd 246).
    storeFd: (name, fd) => send(`FDSTORE=1\nFDNAME=${name}\nFDPOLL=0`, fd),
    forgetFds: (name) => send(`FDSTOREREMOVE=1\nFDNAME=${name}`),
  };
}

/** sd_watchdog_enabled(3). */
function watchdogMs(usec: string | undefined, pid: string | undefined): number | undefined {
  const ms = Number(usec) / 1000;
  return ms > 0 && (pid === undefined || Number(pid) === process.pid) ? ms : undefined;
}

export interface StoredFd {
  readonly name: string;
  readonly fd: number;
}

const FIRST_FD = 3;

/** What a process before this one had stored, close-on-exec from now on; the caller's to close. Gives nothing the second time. */
export function takeStoredFds(): StoredFd[] {
  const { LISTEN_PID: pid, LISTEN_FDS: count, LISTEN_FDNAMES: names } = process.env;
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete process.env[name];
  if (Number(pid) !== process.pid) return [];
  return Array.from({ length: Number(count) || 0 }, (_, index) => {
    const fd = FIRST_FD + index;
    closeOnExec(fd);
    return { name: names?.split(':')[index] ?? '', fd };
  });
}
