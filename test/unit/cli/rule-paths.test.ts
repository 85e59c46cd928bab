// Needs root: links and directories that belong to somebody else cannot be made otherwise.
import { chmodSync, chownSync, lchownSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { canonicalPath, rulePathWarnings } from '../../../src/cli/rule-paths.ts';
import { implicitSettings } from '../../../src/config/implicit.ts';
import { pathFromText, ROOT } from '../../../src/domain/path.ts';

const NOBODY = 65534;

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'driftline-rules-'));
  mkdirSync(join(base, 'site/www'), { recursive: true });
  mkdirSync(join(base, 'evil/www'), { recursive: true });
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const canonical = (name: string): string => canonicalPath(pathFromText(join(base, name))).replace(`${base}/`, '');
const warnings = (name: string): string[] =>
  rulePathWarnings(implicitSettings({ baseline: ROOT, paths: [pathFromText(join(base, name))] }));

test('trusted links above a path are followed, its own name is not', () => {
  symlinkSync('site', join(base, 'link'));
  symlinkSync('../link/./www', join(base, 'evil/two'));
  expect(canonical('link/www')).toBe('site/www');
  expect(canonical('evil/two/file')).toBe('site/www/file');
  expect(canonical('evil/two')).toBe('evil/two');
  expect(canonical('link/gone/file')).toBe('site/gone/file');
  expect(canonicalPath(ROOT)).toBe('/');
});

test('a link that others own, or above which others can write, does not move a rule', () => {
  renameSync(join(base, 'site'), join(base, 'away'));
  symlinkSync('evil', join(base, 'site'));
  expect(canonical('site/www')).toBe('evil/www');
  lchownSync(join(base, 'site'), NOBODY, NOBODY);
  expect(canonical('site/www')).toBe('site/www');
  expect(warnings('site/www')).toEqual([
    `rule default: ${base}/site/www lies behind the symbolic link ${base}/site, which others can change: it is not followed`,
  ]);
  lchownSync(join(base, 'site'), 0, 0);
  for (const mode of [0o775, 0o757]) {
    chmodSync(base, mode);
    expect(canonical('site/www')).toBe('site/www');
  }
  chmodSync(base, 0o1777);
  expect(canonical('site/www')).toBe('evil/www');
  chownSync(base, NOBODY, NOBODY);
  expect(canonical('site/www')).toBe('site/www');
});

test('trust that is lost behind a trusted link does not come back', () => {
  symlinkSync('evil', join(base, 'link'));
  chownSync(join(base, 'evil'), NOBODY, NOBODY);
  symlinkSync('www', join(base, 'evil/inner'));
  expect(canonical('link/www')).toBe('evil/www');
  expect(canonical('link/inner/file')).toBe('evil/inner/file');
  symlinkSync('evil/inner/../www', join(base, 'dots'));
  expect(canonical('dots/file')).toBe('dots/file');
});

test('nothing that somebody puts there makes it fail', () => {
  symlinkSync('loop', join(base, 'loop'));
  expect(canonical('loop/www')).toBe('loop/www');
  const long = `site/${'n'.repeat(300)}/www`;
  expect(canonical(long)).toBe(long);
  expect(warnings(long)).toEqual([expect.stringContaining('cannot be looked at: ENAMETOOLONG')]);
  const deep = `site/${'d/'.repeat(2500)}www`;
  expect(canonical(deep)).toBe(deep);
});
