import { expect, test } from 'vitest';
import { FAN_ALLOW, FAN_DENY } from '../../../../src/fanotify/abi.ts';
import { type PermissionOptions, settingsOf } from '../../../../src/fanotify/permission/options.ts';

const OPTIONS: PermissionOptions = {
  marks: [],
  decide: () => FAN_ALLOW,
  deadlineMs: 100,
  onDeadline: 'deny',
  failure: 'open',
};

test('defaults', () => {
  expect(settingsOf(OPTIONS)).toEqual({
    deadlineMs: 100,
    deadlineVerdict: FAN_DENY,
    failureVerdict: FAN_ALLOW,
    maxAsked: 256,
    cacheEntries: 65_536,
    audit: 'none',
    allowDescendants: false,
  });
});

test.for([
  { deadlineMs: 0 },
  { deadlineMs: Number.NaN },
  { deadlineMs: Number.POSITIVE_INFINITY },
  { maxAsked: 0 },
  { maxAsked: 1.5 },
  { cacheEntries: -1 },
])('%o is refused', (wrong) => {
  expect(() => settingsOf({ ...OPTIONS, ...wrong })).toThrow(
    expect.objectContaining({
      code: 'USAGE',
      message: `${Object.keys(wrong)[0]} cannot be ${Object.values(wrong)[0]}`,
    }),
  );
});
