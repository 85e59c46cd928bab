// The fanotify groups in the service manager's store: with them not even a kill loses an event, for their queues go on
// filling.
import type { Settings } from '../domain/settings.ts';
import { closeFd } from '../libc/handle.ts';
import type { FanotifySource } from '../watch/fanotify-source.ts';
import type { StoredGroup } from '../watch/resumption.ts';
import type { ServiceNotifier, StoredFd } from './service.ts';
import { hexDigest } from './state.ts';

/** Followed by a number that grows and by what is covered: names of one store must tell an old group from its successor. */
const NAME = /^fanotify-(\d+)-([0-9a-f]+)$/;

export interface StoredGroups {
  /** Those of the process before, to be owned by whoever goes on with them. */
  readonly stored: readonly StoredGroup[];
  /** From now on the groups of this watch are the ones in the store; their descriptors stay its own. */
  follow(source: Pick<FanotifySource, 'groups' | 'onGroups'>, settings: Settings): void;
}

/** Closes all descriptors but groups that were stored when the same paths were covered: the others did not see what is now. */
export function openStoredGroups(
  notifier: ServiceNotifier,
  stored: readonly StoredFd[],
  settings: Settings,
): StoredGroups {
  const groups = stored.filter(({ name }) => NAME.exec(name)?.[2] === scopeOf(settings));
  for (const one of stored) {
    if (groups.includes(one)) continue;
    closeFd(one.fd);
    if (!NAME.test(one.name)) notifier.forgetFds(one.name);
  }
  const former = stored.map(({ name }) => name).filter((name) => NAME.test(name));
  let next = 1 + Math.max(0, ...former.map((name) => Number(NAME.exec(name)?.[1])));
  let names = new Set(former);
  const keep = (source: Pick<FanotifySource, 'groups'>, scope: string, kept: Map<number, string>): void => {
    const present = source.groups();
    for (const { id, fd, former: inStore } of present) {
      if (kept.has(id)) continue;
      const name = inStore ?? `fanotify-${next++}-${scope}`;
      kept.set(id, name);
      // The new ones first: in between there are two, never none.
      if (inStore === undefined) notifier.storeFd(name, fd);
    }
    const after = new Set(present.flatMap(({ id }) => kept.get(id) ?? []));
    for (const name of names) if (!after.has(name)) notifier.forgetFds(name);
    names = after;
  };
  let followed: unknown;
  return {
    stored: groups,
    follow: (source, settings) => {
      const kept = new Map<number, string>();
      const scope = scopeOf(settings);
      followed = source;
      keep(source, scope, kept);
      source.onGroups(() => {
        if (followed === source) keep(source, scope, kept);
      });
    },
  };
}

/** Stands for the paths that are covered, and those that are not. */
function scopeOf({ baseline, rules, ignore }: Settings): string {
  const paths = rules.map(({ paths, exclude, oneFileSystem }) => [paths, exclude, oneFileSystem]);
  return hexDigest(Buffer.from(JSON.stringify([baseline, ignore, paths]))).slice(0, 16);
}
