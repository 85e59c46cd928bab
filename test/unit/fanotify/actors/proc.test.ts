import { expect, test } from 'vitest';
import {
  parseCgroup,
  parseCmdline,
  parseField,
  parseLoginUid,
  parseStat,
  parseUnit,
} from '../../../../src/fanotify/actors/proc.ts';

test('stat: the name may hold parentheses, spaces and newlines', () => {
  const rest = `S 12 ${Array.from({ length: 17 }, (_, index) => index).join(' ')} 4242 9 9`;
  expect(parseStat(`7 (a) b\n(c)) ${rest}`)).toEqual({ comm: 'a) b\n(c)', ppid: 12, startTime: '4242' });
  expect(parseStat('7 (cut) S')).toBeUndefined();
  expect(parseStat(undefined)).toBeUndefined();
});

test('cmdline: arguments as text, what is not UTF-8 escaped', () => {
  expect(parseCmdline('cp\0\0caf\xc3\xa9\0\xff\0')).toEqual(['cp', '', 'caf\u00e9', '\\xff']);
});

test('status and loginuid', () => {
  const status = 'Name:\tUid: 5\nPPid:\t12\nUid:\t1000\t0\t0\t0\n';
  expect([parseField(status, 'Uid'), parseField(status, 'PPid'), parseField('Name:\tx\n', 'Uid')]).toEqual([
    1000,
    12,
    undefined,
  ]);
  expect(parseField(undefined, 'Uid')).toBeUndefined();
  expect([parseLoginUid('1000'), parseLoginUid('4294967295'), parseLoginUid(undefined)]).toEqual([
    1000,
    undefined,
    undefined,
  ]);
});

test.each([
  ['0::/system.slice/nginx.service\n', 'nginx.service'],
  ['0::/user.slice/user-0.slice/user@0.service/app.slice/app-x.scope/inner\n', 'app-x.scope'],
  ['5:cpu:/system.slice/wrong.service\n1:name=systemd:/system.slice/cron.service\n0::/\n', 'cron.service'],
  ['0::/\n', undefined],
  ['5:cpu:/a.service\n', undefined],
  [undefined, undefined],
])('the unit of %j is %j', (cgroup, unit) => {
  expect(parseUnit(cgroup)).toBe(unit);
});

test.each([
  ['0::/system.slice/a.service\n', '/system.slice/a.service'],
  ['12:cpu:/x\n1:name=systemd:/user.slice\n0::/\n', '/user.slice'],
  ['12:cpu:/x\n0::/\n', '/'],
  ['12:cpu:/x\n', undefined],
  [undefined, undefined],
])('cgroup %j: %j', (text, path) => {
  expect(parseCgroup(text)).toBe(path);
});
