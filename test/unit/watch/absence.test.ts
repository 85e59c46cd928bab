// What others put above a rule path never ends the watch: the path counts as missing, and the reason says why.
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { pathFromText } from '../../../src/domain/path.ts';
import { absenceOf, isLostCoverage } from '../../../src/watch/absence.ts';

function site() {
  const base = mkdtempSync(join(tmpdir(), 'driftline-absence-'));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  mkdirSync(join(base, 'site/www'), { recursive: true });
  const reason = (name = 'site/www') => absenceOf(pathFromText(join(base, name)));
  return { site: join(base, 'site'), elsewhere: join(base, 'elsewhere'), reason };
}

test.each(['site', 'n'.repeat(300), 'elsewhere'])('a link to %s instead of a directory above a rule path', (target) => {
  const { site: at, elsewhere, reason } = site();
  expect(reason()).toBeUndefined();
  renameSync(at, elsewhere);
  expect(reason()).toBe('does not exist');
  symlinkSync(target.slice(0, 255), at);
  expect(reason()).toBe(`${at} is a symbolic link`);
  unlinkSync(at);
  renameSync(elsewhere, at);
  expect(reason()).toBeUndefined();
});

test('a rule path that is a link itself is there; names that cannot be are not', () => {
  const { elsewhere, reason } = site();
  symlinkSync('elsewhere', elsewhere);
  expect(reason('elsewhere')).toBeUndefined();
  expect(reason(`site/${'n'.repeat(300)}`)).toBe('cannot be reached: ENAMETOOLONG');
  expect(reason(`site/${'d/'.repeat(2500)}`)).toBe('does not exist');
  expect(absenceOf(pathFromText('/dev/null/www'))).toBe('cannot be reached: ENOTDIR');
});

test('coverage is lost of what is there, and not of a rule path that does not exist', () => {
  const { site: at } = site();
  const coverage = { sinceMs: 0, gaps: 0, reason: undefined };
  expect(isLostCoverage({ ...coverage, mount: pathFromText(at), mode: 'none' })).toBe(true);
  expect(isLostCoverage({ ...coverage, mount: pathFromText(at), mode: 'sweep' })).toBe(false);
  expect(isLostCoverage({ ...coverage, mount: pathFromText(`${at}/later`), mode: 'none' })).toBe(false);
  expect(isLostCoverage({ ...coverage, mount: pathFromText('/dev/null/www'), mode: 'none' })).toBe(false);
});
