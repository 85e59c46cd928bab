import { expect, test } from 'vitest';
import { openSlots } from '../../../src/engine/slots.ts';

test('so many at the same time, then first come, first served', async () => {
  const slots = openSlots(2);
  const never = new AbortController().signal;
  const order: string[] = [];
  const take = async (name: string): Promise<() => void> => {
    const release = await slots.take(never);
    order.push(name);
    return release ?? expect.unreachable();
  };
  const [a, b] = [await take('a'), await take('b')];
  const [c, d] = [take('c'), take('d')];
  expect(order).toEqual(['a', 'b']);
  a();
  (await c)();
  b();
  (await d)();
  expect(order).toEqual(['a', 'b', 'c', 'd']);
});

test('who gives up leaves the queue', async () => {
  const slots = openSlots(1);
  const leaving = new AbortController();
  const release = await slots.take(new AbortController().signal);
  const waiting = slots.take(leaving.signal);
  leaving.abort();
  expect(await waiting).toBeUndefined();
  release?.();
  expect(await slots.take(new AbortController().signal)).toBeDefined();
  expect(await slots.take(leaving.signal)).toBeUndefined();
});
