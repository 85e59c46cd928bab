// Who closes the descriptors that come with events. An event's descriptors are those of its object (groups without file
// ids) and of its process (FAN_REPORT_PIDFD); the kernel opened them in this process, so somebody has to close them.
import { closeFd } from '../libc/handle.ts';
import type { FanotifyEvent } from './decode.ts';

/** Events whose descriptors are closed: by a second close(2) somebody else would lose what has the number by then. */
const closed = new WeakSet<FanotifyEvent>();

/** The descriptors of an event: none, one or two. */
export function descriptorsOf(event: FanotifyEvent): number[] {
  const fds = event.fd >= 0 ? [event.fd] : [];
  for (const record of event.records) if (record.kind === 'pidfd' && record.pidfd >= 0) fds.push(record.pidfd);
  return fds;
}

/** Closes the descriptors of an event that is the caller's (from `read()`, or kept from a batch). Idempotent. */
export function closeEvent(event: FanotifyEvent): void {
  if (!hasDescriptor(event) || closed.has(event)) return;
  closed.add(event);
  for (const fd of descriptorsOf(event)) closeFd(fd);
}

/** Most events have none, and all of a batch are asked. */
function hasDescriptor({ fd, records }: FanotifyEvent): boolean {
  if (fd >= 0) return true;
  for (const record of records) if (record.kind === 'pidfd' && record.pidfd >= 0) return true;
  return false;
}
