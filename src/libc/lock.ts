// Advisory locks: flock(2). The kernel drops them with the process, however it ends.
import { closeSync, constants, fstatSync, futimesSync, openSync } from 'node:fs';
import { constants as os } from 'node:os';
import { type BytePath, pathToBytes } from '../domain/path.ts';
import { checked, declare, lastErrno } from './native.ts';

const flock = declare<(fd: number, operation: number) => number>('int flock(int fd, int operation)');
const LOCK_EX = 2;
const LOCK_NB = 4;

export interface Lock {
  /** When the file was made or last touched, by whoever had the lock then; milliseconds since the epoch. */
  touchedMs(): number;
  /** Throws an errno of utimensat(2). */
  touch(): void;
  release(): void;
}

/** Takes the lock, creating the file (mode 0600) when it is missing; undefined when another process has it. */
export function tryLock(path: BytePath): Lock | undefined {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
  const fd = openSync(pathToBytes(path), flags, 0o600);
  const result = flock(fd, LOCK_EX | LOCK_NB);
  if (result === -1) {
    const errno = lastErrno();
    closeSync(fd);
    if (errno === os.errno.EWOULDBLOCK) return undefined;
    checked(result, 'flock', { path });
  }
  return {
    touchedMs: () => fstatSync(fd).mtimeMs,
    touch() {
      const now = new Date();
      futimesSync(fd, now, now);
    },
    release: () => closeSync(fd),
  };
}
