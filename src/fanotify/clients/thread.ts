// Threads next door: where they are, and how they are woken.
import { writeSync } from 'node:fs';

/** Node 20 runs no TypeScript: from the sources (tests) the built thread is used. `url`: import.meta.url of who asks. */
export function threadUrl(url: string, name: 'dispatcher-thread' | 'receiver-thread'): URL {
  return new URL(url.replace(/src\/fanotify\/clients\/[^/]*\.ts.*$|[^/]*\.js.*$/, (own) => fileOf(own, name)));
}

function fileOf(own: string, name: string): string {
  return own.startsWith('src/') ? `dist/fanotify/clients/${name}.js` : `${name}.js`;
}

const ONE = Buffer.from(new BigUint64Array([1n]).buffer);

/** Makes an eventfd readable. */
export function wake(eventFd: number): void {
  writeSync(eventFd, ONE);
}
