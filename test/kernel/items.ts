// What tests of clients wait for.
import type { FanotifyClient, FanotifyData, FanotifyItem } from '../../src/fanotify/index.ts';

/** All items up to the first event that passes, that one included. */
export async function until(client: FanotifyClient, passes: (data: FanotifyData) => boolean): Promise<FanotifyItem[]> {
  const items: FanotifyItem[] = [];
  for (let item = await client.next(); item !== undefined; item = await client.next()) {
    items.push(item);
    if (item.kind === 'event' && passes(item)) return items;
  }
  throw new Error(`the stream ended after ${JSON.stringify(items)}`);
}

export function eventsIn(items: readonly FanotifyItem[]): FanotifyData[] {
  return items.filter((item) => item.kind === 'event');
}
