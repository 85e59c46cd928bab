import { expect, test } from 'vitest';
import * as abi from '../../../src/fanotify/abi.ts';
import { maskOfNames, namesOfMask } from '../../../src/fanotify/mask-names.ts';

test('names in bit order, unknown bits in hex, high bits included', () => {
  expect(namesOfMask(abi.FAN_CLOSE_WRITE | abi.FAN_MODIFY | abi.FAN_ONDIR)).toEqual([
    'FAN_MODIFY',
    'FAN_CLOSE_WRITE',
    'FAN_ONDIR',
  ]);
  expect(namesOfMask(0x2000 | abi.FAN_CREATE)).toEqual(['FAN_CREATE', '0x2000']);
  expect(namesOfMask(2 ** 40 + 1)).toEqual(['FAN_ACCESS', '0x10000000000']);
  expect(namesOfMask(0)).toEqual([]);
});

test('a mask survives the way there and back', () => {
  const mask = abi.FAN_RENAME | abi.FAN_ATTRIB | abi.FAN_ONDIR | abi.FAN_MOVE;
  expect(maskOfNames(namesOfMask(mask) as Parameters<typeof maskOfNames>[0])).toBe(mask);
});
