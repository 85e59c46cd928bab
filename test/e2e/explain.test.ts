// driftline explain: which rule a path has, and why.
import { join } from 'node:path';
import { expect } from 'vitest';
import { test } from './program.ts';

test('the rule with the longest path, what excludes, what lies outside', ({ scratch }) => {
  const { tree } = scratch;
  scratch.configure(`ignore: ['*.swp']
rules:
  - { name: outer, paths: [${tree}], exclude: [cache], attributes: owner }
  - { name: inner, paths: [${tree}/inner], severity: critical, hooks: [tell] }
hooks: { tell: { run: [cat] } }
`);
  const explain = (path: string): Record<string, unknown> => {
    const { status, stdout } = scratch.drive('explain', '--json', path);
    expect([path, status]).toEqual([path, 0]);
    return JSON.parse(stdout);
  };
  // Before there is a baseline, too.
  expect(explain(join(tree, 'a'))).toMatchObject({
    v: 1,
    covered: true,
    rule: 'outer',
    root: tree,
    attributes: ['type', 'mode', 'uid', 'gid'],
    inBaseline: null,
    coverage: null,
  });
  scratch.write('inner/there');
  scratch.init();
  expect(explain(join(tree, 'inner/there'))).toMatchObject({
    rule: 'inner',
    severity: 'critical',
    onDrift: 'report',
    hooks: ['tell'],
    inBaseline: true,
  });
  expect(explain(join(tree, 'cache/deep/x'))).toMatchObject({
    covered: false,
    rule: 'outer',
    excludedBy: 'cache',
    excludedAt: join(tree, 'cache'),
  });
  expect(explain(join(tree, 'inner/a.swp'))).toMatchObject({ covered: false, excludedBy: '*.swp' });
  expect(explain('/etc')).toMatchObject({ covered: false, rule: null });
  const { stdout } = scratch.drive('explain', join(tree, 'inner/\u001b[31m'));
  expect(stdout).toContain(`rule inner, which has ${tree}/inner`);
  expect(stdout).toContain('inner/\\e[31m\n');
  expect(stdout).toMatch(/hook +tell: cat \(paths0 on standard input\)/);
});
