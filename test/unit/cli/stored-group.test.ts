// Which descriptor of a store a watch goes on with, and what it says to the store.
import { openSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { ServiceNotifier } from '../../../src/cli/service.ts';
import { openStoredGroup } from '../../../src/cli/stored-group.ts';

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
  return { said, notifier };
}

const descriptor = (): number => openSync('/dev/null', 'r');

test('the last group counts; what else is in the store is closed and forgotten', () => {
  const { said, notifier } = store();
  const last = descriptor();
  const stored = [
    { name: 'fanotify-9', fd: descriptor() },
    { name: 'fanotify-10', fd: last },
    { name: 'other', fd: descriptor() },
  ];
  const group = openStoredGroup(notifier, stored);
  expect(group.stored).toBe(last);
  expect(said).toEqual(['forget fanotify-9', 'forget other']);
  group.keep(last);
  expect(said).toHaveLength(2);
  group.keep(1000);
  expect(said.slice(2)).toEqual(['store fanotify-11 1000', 'forget fanotify-10']);
});

test('an empty store', () => {
  const { said, notifier } = store();
  const group = openStoredGroup(notifier, []);
  expect(group.stored).toBeUndefined();
  group.keep(20);
  group.keep(21);
  expect(said).toEqual(['store fanotify-1 20', 'store fanotify-2 21', 'forget fanotify-1']);
});
