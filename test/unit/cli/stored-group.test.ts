// Which descriptors of a store a watch goes on with, and what it says to the store.
import { fstatSync, openSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { ServiceNotifier } from '../../../src/cli/service.ts';
import { openStoredGroups } from '../../../src/cli/stored-group.ts';
import type { BytePath } from '../../../src/domain/path.ts';
import type { Settings } from '../../../src/domain/settings.ts';
import type { HeldGroup } from '../../../src/watch/messages.ts';

function store() {
  const said: string[] = [];
  const nothing = (): void => {};
  const notifier: ServiceNotifier = {
    ready: nothing,
    status: nothing,
    reloading: nothing,
    stopping: nothing,
    alive: nothing,
    watchdogMs: undefined,
    storeFd: (name, fd) => said.push(`store ${name} ${fd}`),
    forgetFds: (name) => said.push(`forget ${name}`),
  };
  /** What was said since the last time, without the scopes. */
  const news = (): string[] => said.splice(0).map((line) => line.replace(/-[0-9a-f]{16}/, ''));
  return { said, news, notifier };
}

const settings = (ignore: readonly string[] = []): Settings =>
  ({ baseline: '/b.db' as BytePath, rules: [], ignore }) as unknown as Settings;

function source(...groups: readonly Partial<HeldGroup>[]) {
  let listener = (): void => {};
  const made = {
    now: groups.map((group) => ({ id: 0, fd: -1, former: undefined, ...group })),
    groups: (): readonly HeldGroup[] => made.now,
    onGroups: (called: () => void): void => {
      listener = called;
    },
    change: (...next: readonly HeldGroup[]): void => {
      made.now = [...next];
      listener();
    },
  };
  return made;
}

const descriptor = (): number => openSync('/dev/null', 'r');

/** The name under which a watch with these settings would have stored its n-th group. */
function nameOf(count: number, of: Settings): string {
  const { said, notifier } = store();
  openStoredGroups(notifier, [], of).follow(source({ id: 1, fd: 7 }), of);
  return said[0]?.split(' ')[1]?.replace('-1-', `-${count}-`) ?? '';
}

test('groups of the same scope are gone on with; what else is in the store is closed and forgotten', () => {
  const { news, said, notifier } = store();
  const mine = { name: nameOf(9, settings()), fd: descriptor() };
  const other = { name: nameOf(10, settings(['*.tmp'])), fd: descriptor() };
  const foreign = { name: 'other', fd: descriptor() };
  const groups = openStoredGroups(notifier, [mine, other, foreign], settings());
  expect(groups.stored).toEqual([mine]);
  for (const { fd } of [other, foreign]) expect(() => fstatSync(fd)).toThrow('EBADF');
  expect(said).toEqual(['forget other']);
  groups.follow(source({ id: 1, fd: mine.fd, former: mine.name }, { id: 2, fd: 40 }), settings());
  expect(said.slice(1)).toEqual([`store ${nameOf(11, settings())} 40`, `forget ${other.name}`]);
  expect(news()).toHaveLength(3);
});

test('an empty store: groups come and go, the new one is stored before the old one goes', () => {
  const { news, notifier } = store();
  const groups = openStoredGroups(notifier, [], settings());
  expect(groups.stored).toEqual([]);
  const first = source({ id: 1, fd: 20 });
  groups.follow(first, settings());
  expect(news()).toEqual(['store fanotify-1 20']);
  first.change({ id: 1, fd: 20, former: undefined }, { id: 2, fd: 21, former: undefined });
  expect(news()).toEqual(['store fanotify-2 21']);
  // A descriptor's number is used again, for another group.
  first.change({ id: 1, fd: 20, former: undefined }, { id: 3, fd: 21, former: undefined });
  expect(news()).toEqual(['store fanotify-3 21', 'forget fanotify-2']);
  groups.follow(source({ id: 1, fd: 30 }), settings());
  expect(news()).toEqual(['store fanotify-4 30', 'forget fanotify-1', 'forget fanotify-3']);
  first.change();
  expect(news()).toEqual([]);
});
