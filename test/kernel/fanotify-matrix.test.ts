// That no constant is without a scenario: a new one fails here until something shows it, or says why nothing can.
import * as fan from 'driftline/fanotify';
import { expect, test } from 'vitest';
import * as abi from '../../src/fanotify/abi.ts';
import { CANNOT_SHOW } from './matrix/cannot-show.ts';
import { GROUP_FLAGS } from './matrix/group-flags.ts';
import { MARK_FLAGS } from './matrix/mark-flags.ts';
import { MASK_BITS } from './matrix/mask-bits.ts';
import { RECORDS } from './matrix/records.ts';
import { RESPONSES } from './matrix/responses.ts';

const SHOWN = [GROUP_FLAGS, MARK_FLAGS, MASK_BITS, RECORDS, RESPONSES].flatMap((table) => Object.keys(table));

test('every constant has a scenario or a reason, and not both', () => {
  const constants = Object.keys(abi);
  expect(constants.length).toBeGreaterThan(80);
  expect(constants.filter((name) => !SHOWN.includes(name) && !(name in CANNOT_SHOW))).toEqual([]);
  expect(SHOWN.filter((name) => name in CANNOT_SHOW)).toEqual([]);
});

test('no scenario is of a constant that is gone', () => {
  const named = SHOWN.filter((name) => /^(FAN|FANOTIFY|O)_\w+$/.test(name));
  expect(named.filter((name) => !(name in fan))).toEqual([]);
});

test('what cannot be shown has its reason', () => {
  for (const [what, why] of Object.entries(CANNOT_SHOW)) {
    expect(why.length, what).toBeGreaterThan(10);
    process.stdout.write(`cannot be shown: ${what}: ${why}\n`);
  }
});
