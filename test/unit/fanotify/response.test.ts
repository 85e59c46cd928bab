import { expect, test } from 'vitest';
import { FAN_ALLOW, FAN_DENY } from '../../../src/fanotify/abi.ts';
import { encodeResponse, FAN_DENY_ERRNO, plainVerdict } from '../../../src/fanotify/response.ts';

test('a response is fd and verdict, eight bytes', () => {
  expect(encodeResponse(258, FAN_ALLOW).toString('hex')).toBe('0201000001000000');
  expect(encodeResponse(7, FAN_DENY, { audit: true }).toString('hex')).toBe('0700000012000000');
  expect(encodeResponse(7, FAN_DENY_ERRNO('EDQUOT')).toString('hex')).toBe('070000000200007a');
});

test('an audit rule follows as an info record', () => {
  const audit = { ruleNumber: 0xfffffffe, subjectTrust: 1, objectTrust: 2 } as const;
  expect(encodeResponse(7, FAN_ALLOW, { audit }).toString('hex')).toBe(
    `0700000031000000${'01001000'}${'feffffff'}${'01000000'}${'02000000'}`,
  );
});

test('a verdict without its errno', () => {
  expect(plainVerdict(FAN_DENY_ERRNO('EIO'))).toBe(FAN_DENY);
  expect(plainVerdict(FAN_ALLOW)).toBe(FAN_ALLOW);
  expect([0, 3, 7, 0x10].map(plainVerdict)).toEqual([undefined, undefined, undefined, undefined]);
});
