import { expect, test } from 'vitest';
import { ClientQueue } from '../../../../src/fanotify/clients/client-queue.ts';
import type { FanotifyItem } from '../../../../src/fanotify/clients/data.ts';
import type { DispatcherMessage } from '../../../../src/fanotify/clients/messages.ts';
import { LocalOutlet } from '../../../../src/fanotify/clients/outlet.ts';
import { decodeItems } from '../../../../src/fanotify/clients/wire.ts';

const NOBODY = { exe: undefined, cwd: undefined, uid: undefined, comm: undefined, cgroup: undefined };
const EVENT: FanotifyItem = {
  kind: 'event',
  fd: -1,
  pid: 1,
  evTypes: 8,
  ...NOBODY,
  path: undefined,
  oldPath: undefined,
};

test('the rest of a client is what waits and what was lost behind it', () => {
  const items: FanotifyItem[] = [];
  const post = (message: DispatcherMessage): void => {
    if (message.kind === 'items') items.push(...decodeItems(Buffer.from(message.bytes)));
  };
  const outlet = new LocalOutlet(1, { matches: () => true, passFd: false }, new ClientQueue(3), post);
  for (let count = 0; count < 5; count += 1) outlet.offer(EVENT);
  outlet.finish();
  expect(items.map((item) => (item.kind === 'event' ? 'event' : item.lost))).toEqual(['event', 'event', 'event', 2]);
});
