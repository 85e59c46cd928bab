// fanotify_init(2) and fanotify_mark(2), one function each.
import { checked, cString, declare } from './native.ts';

const init = declare<(flags: number, eventFlags: number) => number>(
  'int fanotify_init(unsigned int flags, unsigned int event_f_flags)',
);
const mark = declare<(fd: number, flags: number, mask: number, dirFd: number, path: Buffer | null) => number>(
  'int fanotify_mark(int fd, unsigned int flags, uint64_t mask, int dirfd, const void *path)',
);

/** Returns the group's descriptor. Throws SystemError. */
export function fanotifyInit(flags: number, eventFlags: number): number {
  return checked(init(flags, eventFlags), 'fanotify_init');
}

/** `path`: latin1; undefined for the object of `dirFd` itself, and for FAN_MARK_FLUSH. Throws SystemError with the path. */
export function fanotifyMark(fd: number, flags: number, mask: number, dirFd: number, path: string | undefined): void {
  const bytes = path === undefined ? null : cString(path);
  checked(mark(fd, flags, mask, dirFd, bytes), 'fanotify_mark', path === undefined ? {} : { path });
}
