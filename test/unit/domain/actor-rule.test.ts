// What counts of a drift, by who made it.
import { expect, test } from 'vitest';
import type { Actor } from '../../../src/domain/actor.ts';
import { type ActorClause, rulingOf } from '../../../src/domain/actor-rule.ts';
import { rule } from '../../fakes/rule.ts';

const clause = (fields: Partial<ActorClause>): ActorClause => ({
  exe: undefined,
  user: undefined,
  uid: undefined,
  unit: undefined,
  severity: 'info',
  onDrift: undefined,
  ...fields,
});
const dpkg: Actor = { source: 'exec', pid: 7, exe: '/usr/bin/dpkg', uid: 0, unit: 'apt-daily-upgrade.service' };
const severity = (by: ActorClause[], actors: Actor[], hasOthers = false): string =>
  rulingOf(rule('all', ['/r'], { severity: 'critical', by }), actors, hasOthers).severity;

test('all that a clause names has to fit', () => {
  const by = [clause({ exe: '/usr/bin/dpkg', user: 'root', uid: 0, unit: 'apt-daily*.service' })];
  expect(severity(by, [dpkg])).toBe('info');
  expect(severity(by, [{ ...dpkg, exe: '/tmp/dpkg' }])).toBe('critical');
  expect(severity(by, [{ ...dpkg, uid: 1000 }])).toBe('critical');
  expect(severity(by, [{ ...dpkg, unit: 'ssh.service' }])).toBe('critical');
  const { unit: _, ...without } = dpkg;
  expect(severity(by, [without])).toBe('critical');
});

test('patterns', () => {
  expect(severity([clause({ exe: '/usr/{bin,sbin}/*' })], [dpkg])).toBe('info');
  expect(severity([clause({ exe: '/usr/*' })], [dpkg])).toBe('critical');
  expect(severity([clause({ unit: 'apt-*.service' })], [dpkg])).toBe('info');
  // Without wildcards a pattern is the whole name, and no directory above it.
  expect(severity([clause({ exe: '/usr/bin' })], [dpkg])).toBe('critical');
});

test('everybody has to fit, and to be known', () => {
  const by = [clause({ exe: '/usr/bin/dpkg' })];
  expect(severity(by, [dpkg, { ...dpkg, pid: 8 }])).toBe('info');
  expect(severity(by, [dpkg, { source: 'proc', pid: 9, exe: '/usr/bin/vi' }])).toBe('critical');
  expect(severity(by, [{ source: 'unknown' }])).toBe('critical');
  expect(severity(by, [])).toBe('critical');
  expect(severity(by, [dpkg], true)).toBe('critical');
});

test('a user that nobody is, and the first clause that fits', () => {
  expect(severity([clause({ user: 'nosuch' })], [dpkg])).toBe('critical');
  const by = [clause({ exe: '/usr/bin/dpkg', severity: 'normal', onDrift: 'accept' }), clause({ uid: 0, user: '0' })];
  expect(rulingOf(rule('all', ['/r'], { by }), [dpkg], false)).toEqual({ severity: 'normal', onDrift: 'accept' });
});
