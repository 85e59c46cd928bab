// What is said of mounts that are not, or not wholly, seen.
import { expect, test } from 'vitest';
import { coverageWarnings } from '../../../src/cli/run-coverage.ts';
import type { Coverage, CoverageMode } from '../../../src/domain/coverage.ts';
import { path } from '../../fakes/entry.ts';

const mount = (at: string, mode: CoverageMode): Coverage => ({
  mount: path(at),
  mode,
  sinceMs: 0,
  gaps: 0,
  reason: `${mode} it is`,
});

test('nothing, as long as everything is seen, or what is not was not asked for', () => {
  expect(coverageWarnings([mount('/', 'filesystem')], false)).toEqual([]);
  expect(coverageWarnings([mount('/', 'mount')], true)).toEqual([]);
});

test('what is not seen, and of what no event tells', () => {
  const blind = ['/1', '/2', '/3', '/4', '/5', '/6', '/7'].map((at) => mount(at, 'sweep'));
  const warnings = coverageWarnings([mount('/', 'filesystem'), mount('/m', 'mount'), ...blind], false);
  expect(warnings).toEqual([
    'changes are not seen on /1, /2, /3, /4, /5 and 2 more',
    expect.stringMatching(/^no event tells of names, .* on \/m$/),
  ]);
});

test('where no event would ever come it ends', () => {
  expect(() => coverageWarnings([mount('/proc', 'sweep')], false)).toThrow(
    expect.objectContaining({ code: 'IO', message: 'changes on /proc cannot be seen: sweep it is' }),
  );
});
