import { expect, test } from 'vitest';
import { patternProblem } from '../../../src/domain/glob.ts';
import { compileScope, rootsFor } from '../../../src/domain/rule.ts';
import { path } from '../../fakes/entry.ts';
import { rule } from '../../fakes/rule.ts';

const scope = compileScope({
  rules: [
    rule('etc', ['/etc'], { exclude: ['/etc/mtab', '*.swp', '/etc/**/cache/*'] }),
    rule('ssh', ['/etc/ssh']),
    rule('srv', ['/srv/www']),
  ],
  ignore: ['/srv/www/tmp', 'core'],
  own: [path('/etc/driftline.db')],
});

test.each([
  ['/etc', 'etc'],
  ['/etc/passwd', 'etc'],
  ['/etcetera', undefined],
  ['/etc/ssh/sshd_config', 'ssh'],
  ['/etc/mtab', undefined],
  ['/etc/mtab/below', undefined],
  ['/etc/.passwd.swp', undefined],
  ['/etc/a/b/cache/x', undefined],
  ['/etc/a/b/cache', 'etc'],
  ['/etc/core', undefined],
  ['/etc/core/deep/file', undefined],
  ['/etc/corefile', 'etc'],
  ['/etc/driftline.db', undefined],
  ['/srv', undefined],
  ['/srv/www/index.html', 'srv'],
  ['/srv/www/tmp/x', undefined],
])('ruleOf(%s) is %s', (file, expected) => {
  expect(scope.ruleOf(path(file))?.name).toBe(expected);
});

test('explain says which pattern excludes, and where', () => {
  expect(scope.explain(path('/etc/core/deep'))).toMatchObject({ kind: 'excluded', by: 'core', at: '/etc/core' });
  expect(scope.explain(path('/etc/ssh/x'))).toMatchObject({ kind: 'rule', root: '/etc/ssh' });
  expect(scope.explain(path('/home'))).toEqual({ kind: 'outside' });
});

test('rootsFor finds the roots below a path that no rule covers itself', () => {
  expect(rootsFor(scope, path('/srv'))).toEqual(['/srv/www']);
  expect(rootsFor(scope, path('/etc/ssh/x'))).toEqual(['/etc/ssh/x']);
  expect(rootsFor(scope, path('/nowhere'))).toEqual([]);
});

test('childRule tests one step', () => {
  const [etc] = scope.rules;
  expect(scope.childRule(etc, path('/etc/ssh'), path('ssh'))?.name).toBe('ssh');
  expect(scope.childRule(etc, path('/etc/x.swp'), path('x.swp'))).toBeUndefined();
  expect(scope.childRule(undefined, path('/var'), path('var'))).toBeUndefined();
});

test('names that are not UTF-8 match byte by byte', () => {
  const latin = compileScope({ rules: [rule('r', ['/d'])], ignore: ['*.b\u00e4k'], own: [] });
  expect(latin.ruleOf(path('/d/x.bäk'))).toBeUndefined();
  expect(latin.ruleOf('/d/x\xff' as ReturnType<typeof path>)?.name).toBe('r');
});

test('patternProblem refuses what would surprise', () => {
  expect(patternProblem('/')).toBeDefined();
  expect(patternProblem('')).toBeDefined();
  expect(patternProblem('a/b')).toBeDefined();
  expect(patternProblem('*.swp')).toBeUndefined();
  expect(patternProblem('/var/cache/')).toBeUndefined();
});

test('a directory is uniform when nothing in it can have a rule of its own, or none', () => {
  const [plain, excluding] = [rule('etc', ['/etc']), rule('etc', ['/etc'], { exclude: ['/etc/mtab'] })];
  const compiled = compileScope({
    rules: [plain, rule('ssh', ['/etc/ssh'])],
    ignore: [],
    own: [path('/etc/own/x.db')],
  });
  expect(['/etc/apt', '/etc/ssh'].map((dir) => compiled.isUniform(plain, path(dir)))).toEqual([true, true]);
  expect(['', '/etc', '/etc/own'].map((dir) => compiled.isUniform(plain, path(dir)))).toEqual([true, false, false]);
  expect(compileScope({ rules: [plain], ignore: ['*.swp'], own: [] }).isUniform(plain, path('/etc/apt'))).toBe(false);
  expect(compileScope({ rules: [excluding], ignore: [], own: [] }).isUniform(excluding, path('/a'))).toBe(false);
});
