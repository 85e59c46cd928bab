// The fanotify group in the service manager's store: with it not even a kill loses an event, for its queue goes on filling.
import { closeFd } from '../libc/handle.ts';
import type { ServiceNotifier, StoredFd } from './service.ts';

/** Followed by a number that grows: names of one store must tell an old group from its successor. */
const PREFIX = 'fanotify-';

export interface StoredGroup {
  /** The group of the process before, to be owned by whoever goes on with it; undefined: there is none. */
  readonly stored: number | undefined;
  /** From now on this group is the one in the store, if it is not yet; the descriptor stays the caller's. */
  keep(fd: number): void;
}

/** Of several groups the last one counts; all other descriptors are closed. */
export function openStoredGroup(notifier: ServiceNotifier, stored: readonly StoredFd[]): StoredGroup {
  const groups = stored.filter(({ name }) => serialOf(name) !== undefined).sort((a, b) => serial(a) - serial(b));
  const last = groups.at(-1);
  for (const one of stored) {
    if (one === last) continue;
    closeFd(one.fd);
    if (one.name !== last?.name) notifier.forgetFds(one.name);
  }
  let kept = last?.fd;
  let name = last?.name;
  let next = last === undefined ? 1 : serial(last) + 1;
  return {
    stored: last?.fd,
    keep(fd) {
      if (fd === kept) return;
      kept = fd;
      const former = name;
      name = `${PREFIX}${next}`;
      next += 1;
      // The new one first: in between there are two, never none.
      notifier.storeFd(name, fd);
      if (former !== undefined) notifier.forgetFds(former);
    },
  };
}

function serial({ name }: StoredFd): number {
  return serialOf(name) ?? 0;
}

function serialOf(name: string): number | undefined {
  const digits = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : '';
  return /^\d+$/.test(digits) ? Number(digits) : undefined;
}
