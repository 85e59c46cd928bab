import { expect, test } from 'vitest';
import * as abi from '../../../src/fanotify/abi.ts';
import { DEFAULT_EVENTS, eventWords, loudWords, parseEvents } from '../../../src/trace/event-names.ts';

test.each([
  ['open', abi.FAN_OPEN],
  ['open,close-write', abi.FAN_OPEN | abi.FAN_CLOSE_WRITE],
  ['CLOSE_WRITE', abi.FAN_CLOSE_WRITE],
  ['FAN_OPEN_EXEC', abi.FAN_OPEN_EXEC],
  ['IN_MODIFY', abi.FAN_MODIFY],
  ['exec', abi.FAN_OPEN_EXEC],
  ['close', abi.FAN_CLOSE_WRITE | abi.FAN_CLOSE_NOWRITE],
  ['move', abi.FAN_RENAME],
  ['moved-from, moved-to', abi.FAN_MOVED_FROM | abi.FAN_MOVED_TO],
])('%s', (text, mask) => {
  expect(parseEvents([text])).toBe(mask);
});

test('lists add up', () => {
  expect(parseEvents(['open', 'create,delete'])).toBe(abi.FAN_OPEN | abi.FAN_CREATE | abi.FAN_DELETE);
});

test.each(['', 'opne', 'open,', 'constructor', 'unmount'])('"%s" names no event', (text) => {
  expect(() => parseEvents([text])).toThrow(
    expect.objectContaining({ code: 'USAGE', hint: expect.stringContaining('close-write') }),
  );
});

test('every word leads to its bit and back', () => {
  const words = eventWords(parseEvents(['all']));
  expect(words.length).toBeGreaterThan(14);
  for (const word of words) expect(eventWords(parseEvents([word]))).toEqual([word]);
});

test('what is shown by default has no event twice under two names', () => {
  expect(eventWords(DEFAULT_EVENTS)).not.toContain('moved-from');
  expect(eventWords(DEFAULT_EVENTS)).toContain('rename');
});

test('bits without a word are shown as a number, also the highest', () => {
  expect(eventWords(abi.FAN_OPEN | abi.FAN_ONDIR | 0x2000)).toEqual(['open', '0x2000']);
  expect(eventWords(0x8000_0000)).toEqual(['0x80000000']);
});

test('as inotifywait(1) has them', () => {
  expect(loudWords(abi.FAN_CLOSE_NOWRITE | abi.FAN_OPEN | abi.FAN_ONDIR)).toEqual([
    'CLOSE_NOWRITE',
    'OPEN',
    'CLOSE',
    'ISDIR',
  ]);
});
