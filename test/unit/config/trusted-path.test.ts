// Needs root: components that belong to somebody else cannot be made otherwise.
import { chmodSync, chownSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { assertTrusted } from '../../../src/config/trusted-path.ts';
import { AppError } from '../../../src/domain/errors.ts';
import { pathFromLatin1, pathFromText } from '../../../src/domain/path.ts';
import { temporaryDirectory } from './fixture.ts';

const NOBODY = 65534;
const DEPTHS = ['a', 'a/b', 'a/b/c', 'a/b/c/file'];

function tree(): string {
  const root = temporaryDirectory();
  mkdirSync(join(root, 'a/b/c'), { recursive: true, mode: 0o755 });
  writeFileSync(join(root, 'a/b/c/file'), '', { mode: 0o644 });
  return root;
}

function judged(path: string, euid?: number): string {
  try {
    assertTrusted(pathFromText(path), 'file', euid === undefined ? {} : { euid });
    return 'trusted';
  } catch (error) {
    if (error instanceof AppError && error.code === 'CONFIG') return error.message;
    throw error;
  }
}

// Mode, and whether it is trusted for a directory on the way and for the file at the end.
const MODES: readonly (readonly [number, boolean, boolean])[] = [
  [0o755, true, true],
  [0o700, true, true],
  [0o000, true, true],
  [0o4755, true, true],
  [0o775, false, false],
  [0o757, false, false],
  [0o722, false, false],
  [0o2775, false, false],
  [0o1777, true, false],
  [0o1775, true, false],
  [0o1755, true, true],
];

test.each(MODES)('mode %o at every depth', (mode, asDirectory, asFile) => {
  for (const component of DEPTHS) {
    const root = tree();
    const path = join(root, 'a/b/c/file');
    chmodSync(join(root, component), mode);
    const trusted = component.endsWith('file') ? asFile : asDirectory;
    const octal = `0${mode.toString(8)}`;
    expect(judged(path)).toBe(
      trusted ? 'trusted' : `file ${path}: ${join(root, component)} can be written by others (mode ${octal}, uid 0)`,
    );
  }
});

test.each(DEPTHS)('%s owned by somebody else', (component) => {
  const root = tree();
  const path = join(root, 'a/b/c/file');
  chownSync(join(root, component), NOBODY, 0);
  expect(judged(path)).toBe(
    `file ${path}: ${join(root, component)} is owned by uid ${NOBODY} (mode ${component.endsWith('file') ? '0644' : '0755'})`,
  );
  expect(judged(path, NOBODY)).toBe('trusted');
});

test('a sticky directory protects only what we own in it', () => {
  const root = tree();
  chmodSync(join(root, 'a'), 0o1777);
  expect(judged(join(root, 'a/b'))).toBe('trusted');
  expect(judged(join(root, 'a'))).toContain('can be written by others (mode 01777, uid 0)');
  chownSync(join(root, 'a/b'), NOBODY, 0);
  expect(judged(join(root, 'a/b/c/file'))).toContain('is owned by uid 65534');
});

// The link's own directory, the link and everything on the way of its target count.
const LINKS: readonly (readonly [string, string])[] = [
  ['absolute', '/real/dir'],
  ['relative', '../real/dir'],
  ['through dots', './../real/./extra/../dir'],
  ['chain', '../links/second'],
];

test.each(LINKS)('a symlink, %s', (_, target) => {
  const root = temporaryDirectory();
  for (const directory of ['links', 'real/dir', 'real/extra']) mkdirSync(join(root, directory), { recursive: true });
  writeFileSync(join(root, 'real/dir/file'), '');
  symlinkSync('../real/dir', join(root, 'links/second'));
  const link = join(root, 'links/first');
  symlinkSync(target.startsWith('/') ? root + target : target, link);
  const path = join(link, 'file');

  expect(assertTrusted(pathFromText(path), 'file')).toBe(join(root, 'real/dir/file'));
  for (const component of ['links', 'real', 'real/dir', 'real/dir/file']) {
    chmodSync(join(root, component), 0o777);
    expect(judged(path)).toContain(`${join(root, component)} can be written by others`);
    chmodSync(join(root, component), 0o755);
  }
  chmodSync(join(root, 'links'), 0o1777);
  expect(judged(path)).toBe('trusted');
  lchownSync(link, NOBODY, 0);
  expect(judged(path)).toContain(`${link} is owned by uid ${NOBODY}`);
});

test('loops, missing components and strange names are named', () => {
  const root = temporaryDirectory();
  symlinkSync('b', join(root, 'a'));
  symlinkSync('a', join(root, 'b'));
  expect(judged(join(root, 'a'))).toMatch(/too many symlinks at .*\/[ab]$/);
  expect(judged(join(root, 'gone/file'))).toBe(`file ${root}/gone/file: ENOENT at ${root}/gone`);
  writeFileSync(join(root, 'plain'), '');
  expect(judged(join(root, 'plain/file'))).toBe(`file ${root}/plain/file: ENOTDIR at ${root}/plain/file`);
  const strange = Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0x0a])]);
  writeFileSync(strange, '');
  expect(assertTrusted(pathFromLatin1(strange.toString('latin1')), 'file')).toBe(strange.toString('latin1'));
  chmodSync(strange, 0o666);
  expect(() => assertTrusted(pathFromLatin1(strange.toString('latin1')), 'file')).toThrow('\\xff\\n can be written');
  expect(judged('/')).toBe('trusted');
});
