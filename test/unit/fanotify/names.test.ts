// Names of bits: what is written can be read back, whatever the bits.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as abi from '../../../src/fanotify/abi.ts';
import * as names from '../../../src/fanotify/names.ts';

test('names in bit order, unknown bits in hex, high bits included', () => {
  expect(names.maskToString(abi.FAN_CLOSE_WRITE | abi.FAN_MODIFY | abi.FAN_ONDIR)).toBe(
    'FAN_MODIFY|FAN_CLOSE_WRITE|FAN_ONDIR',
  );
  expect(names.maskToString(0x2000 | abi.FAN_CREATE)).toBe('FAN_CREATE|0x2000');
  expect(names.maskToString(2 ** 40 + 1)).toBe('FAN_ACCESS|0x10000000000');
  expect(names.maskToString(2 ** 31)).toBe('0x80000000');
  expect(names.maskToString(0)).toBe('0');
});

test('what is made of several bits has the name of the whole', () => {
  expect(names.markFlagsToString(abi.FAN_MARK_MNTNS | abi.FAN_MARK_ADD)).toBe('FAN_MARK_ADD|FAN_MARK_MNTNS');
  expect(names.markFlagsToString(abi.FAN_MARK_FILESYSTEM | abi.FAN_MARK_IGNORE_SURV)).toBe(
    'FAN_MARK_FILESYSTEM|FAN_MARK_IGNORE|FAN_MARK_IGNORED_SURV_MODIFY',
  );
  expect(names.eventFlagsToString(abi.O_SYNC | abi.O_RDWR)).toBe('O_RDWR|O_SYNC');
});

test('nothing at all is the default', () => {
  expect(names.initFlagsToString(0)).toBe('FAN_CLASS_NOTIF');
  expect(names.markFlagsToString(0)).toBe('FAN_MARK_INODE');
  expect(names.eventFlagsToString(0)).toBe('O_RDONLY');
  expect(names.maskFromString('')).toBe(0);
  expect(names.initFlagsFromString('FAN_CLASS_NOTIF')).toBe(0);
});

test('unions, other separators and numbers are understood', () => {
  expect(names.maskFromString('FAN_CLOSE, FAN_MOVE 0x2000')).toBe(abi.FAN_CLOSE | abi.FAN_MOVE | 0x2000);
  expect(names.initFlagsFromString('FAN_REPORT_DFID_NAME_TARGET')).toBe(abi.FAN_REPORT_DFID_NAME_TARGET);
  expect(names.markFlagsFromString('FAN_MARK_IGNORE_SURV|FAN_MARK_INODE')).toBe(abi.FAN_MARK_IGNORE_SURV);
  expect(names.eventFlagsFromString('O_RDONLY|O_CLOEXEC')).toBe(abi.O_CLOEXEC);
});

test('a word that is none is refused by name', () => {
  for (const word of ['FAN_OPEN_', 'fan_open', '-1', '0x', '1e3', 'FAN_MARK_ADD', 'constructor'])
    expect(() => names.maskFromString(`FAN_OPEN|${word}`)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: `${word} is no event` }),
    );
});

test.each([
  ['mask', names.maskToString, names.maskFromString],
  ['group flags', names.initFlagsToString, names.initFlagsFromString],
  ['event flags', names.eventFlagsToString, names.eventFlagsFromString],
  ['mark flags', names.markFlagsToString, names.markFlagsFromString],
] as const)('a %s survives the way there and back', (_, write, read) => {
  fc.assert(fc.property(fc.maxSafeNat(), (bits) => read(write(bits)) === bits));
  fc.assert(fc.property(fc.nat(0x7fffffff), (bits) => read(write(bits)) === bits));
});

test('every constant of an argument has its name there', () => {
  for (const [name, value] of Object.entries(abi)) {
    if (/^FAN_(EVENT_INFO|RESPONSE|ALLOW|DENY|AUDIT|INFO|NOFD|NOPIDFD|EPIDFD)/.test(name) || !/^(FAN|O)_/.test(name))
      continue;
    const readers = [
      names.maskFromString,
      names.initFlagsFromString,
      names.eventFlagsFromString,
      names.markFlagsFromString,
    ];
    const values = readers.flatMap((read) => {
      try {
        return [read(name)];
      } catch {
        return [];
      }
    });
    expect([name, ...values]).toEqual([name, value]);
  }
});
