// How the threads next door are woken.
import { writeSync } from 'node:fs';

const ONE = Buffer.from(new BigUint64Array([1n]).buffer);

/** Makes an eventfd readable. */
export function wake(eventFd: number): void {
  writeSync(eventFd, ONE);
}
