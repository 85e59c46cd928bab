import { expect, test } from 'vitest';
import { pathFromText } from '../../../src/domain/path.ts';
import { compileFilter, cutComm, type Filter, type FilterOptions } from '../../../src/trace/filter.ts';
import { GONE, TOUCH } from './sample.ts';

const NONE: FilterOptions = { paths: [], pids: [], ignoredPids: [], comms: [], exes: [], uids: [] };
const filter = (options: Partial<FilterOptions>): Filter => compileFilter({ ...NONE, ...options });
const wantsPath = (patterns: string[], ...paths: string[]): boolean =>
  filter({ paths: patterns }).wantsPaths(paths.map(pathFromText));

test('without conditions everything is wanted, also what has no name and no known process', () => {
  const all = filter({});
  expect([all.wantsPid(1), all.wantsPaths([]), all.wantsProcess(GONE)]).toEqual([true, true, 'wanted']);
});

test('pids: one of those, and none of these', () => {
  const some = filter({ pids: [1, 2], ignoredPids: [2] });
  expect([1, 2, 3].map((pid) => some.wantsPid(pid))).toEqual([true, false, false]);
});

test.each([
  ['/srv/www', '/srv/www', true],
  ['/srv/www', '/srv/www/a/b', true],
  ['/srv/www', '/srv/wwwx', false],
  ['*.log', '/var/log/a.log', true],
  ['*.log', '/var/log/a.log/inside', true],
  ['*.log', '/var/log/a.txt', false],
  ['/srv/*', '/srv/a', true],
  ['/srv/*/b', '/srv/a/c/b', false],
  ['/srv/**/b', '/srv/a/c/b', true],
  ['.git', '/home/x/.git/objects/00', true],
])('--path %s: %s is wanted: %s', (pattern, path, wanted) => {
  expect(wantsPath([pattern], path)).toBe(wanted);
  // A second answer comes from memory.
  expect(wantsPath([pattern], path)).toBe(wanted);
});

test('one of several patterns, and one of two names, is enough; no name is not', () => {
  expect(wantsPath(['/a', '/b'], '/b/x')).toBe(true);
  expect(wantsPath(['/a'], '/elsewhere/x', '/a/x')).toBe(true);
  expect(filter({ paths: ['/a'] }).wantsPaths([])).toBe(false);
});

test.each(['src/*.ts', '/', ''])('--path "%s" is refused: it would not do what was meant', (pattern) => {
  expect(() => filter({ paths: [pattern] })).toThrow(expect.objectContaining({ code: 'USAGE' }));
  expect(() => filter({ exes: [pattern] })).toThrow(expect.objectContaining({ code: 'USAGE' }));
});

test.each([
  [{ comms: ['touch'] }, 'wanted'],
  [{ comms: ['cat', 'touch'] }, 'wanted'],
  [{ comms: ['touc'] }, 'unwanted'],
  [{ exes: ['/usr/bin/*'] }, 'wanted'],
  [{ exes: ['tou*'] }, 'wanted'],
  [{ exes: ['/bin/*'] }, 'unwanted'],
  [{ uids: [0, 1000] }, 'wanted'],
  [{ uids: [0] }, 'unwanted'],
  [{ comms: ['touch'], uids: [0] }, 'unwanted'],
  [{ comms: ['touch'], exes: ['touch'], uids: [1000] }, 'wanted'],
] as const)('%o is %s', (options, verdict) => {
  expect(filter(options).wantsProcess(TOUCH)).toBe(verdict);
});

test('a process that is gone is neither wanted nor unwanted, unless something known speaks against it', () => {
  expect(filter({ comms: ['touch'] }).wantsProcess(GONE)).toBe('unknown');
  expect(filter({ uids: [1] }).wantsProcess(GONE)).toBe('unknown');
  expect(filter({ comms: ['cat'], uids: [1] }).wantsProcess({ ...GONE, comm: 'touch' })).toBe('unwanted');
});

test('a name is compared as the kernel keeps it: 15 bytes', () => {
  expect(cutComm('systemd-journald')).toBe('systemd-journal');
  const journald = { ...TOUCH, comm: 'systemd-journal' };
  expect(filter({ comms: ['systemd-journald'] }).wantsProcess(journald)).toBe('wanted');
});
