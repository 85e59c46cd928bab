// Needs root: files that belong to somebody else cannot be made otherwise.
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lockState, makeStateDirectory, openState } from '../../../src/cli/state.ts';
import { STATE_SUFFIXES } from '../../../src/cli/state-trust.ts';
import { implicitSettings } from '../../../src/config/implicit.ts';
import { pathFromText } from '../../../src/domain/path.ts';

const NOBODY = 65534;
let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'driftline-state-'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const refused = (code: string, message: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(message) });

function open(file: string, mode: 'read' | 'create' = 'create'): void {
  openState(implicitSettings({ baseline: pathFromText(file), paths: [] }), mode).close();
}

test.each(STATE_SUFFIXES)('a baseline%s that others own or can write to', (suffix) => {
  const file = join(base, 'b.db');
  open(file);
  if (suffix !== '') writeFileSync(`${file}${suffix}`, '', { mode: 0o600 });
  for (const mode of [0o620, 0o602]) {
    chmodSync(`${file}${suffix}`, mode);
    expect(() => open(file)).toThrow(refused('BASELINE_UNTRUSTED', `${file}${suffix} can be written by others`));
    expect(() => lockState(pathFromText(file))).toThrow(refused('BASELINE_UNTRUSTED', suffix));
  }
  chmodSync(`${file}${suffix}`, 0o600);
  chownSync(`${file}${suffix}`, NOBODY, NOBODY);
  expect(() => open(file, 'read')).toThrow(refused('BASELINE_UNTRUSTED', `${suffix} is owned by uid ${NOBODY}`));
});

describe('a directory that others can change', () => {
  const spoil: readonly (readonly [string, (dir: string) => void])[] = [
    ['is theirs', (dir) => chownSync(dir, NOBODY, NOBODY)],
    ['is writable for them', (dir) => chmodSync(dir, 0o777)],
    ['is writable for a group', (dir) => chmodSync(dir, 0o770)],
  ];
  test.each(spoil)('%s', (_, change) => {
    const file = join(base, 'outer/state/b.db');
    mkdirSync(dirname(file), { recursive: true });
    open(file);
    change(join(base, 'outer'));
    for (const mode of ['read', 'create'] as const) {
      expect(() => open(file, mode)).toThrow(refused('BASELINE_UNTRUSTED', `${base}/outer `));
    }
    const fresh = pathFromText(join(base, 'outer/new/b.db'));
    expect(() => makeStateDirectory(fresh)).toThrow(refused('CANNOT_CREATE', `${base}/outer `));
    expect(existsSync(dirname(fresh))).toBe(false);
  });
});

test('a sticky directory will do for files of our own, which are made for their owner alone', () => {
  chmodSync(base, 0o1777);
  const file = join(base, 'b.db');
  makeStateDirectory(pathFromText(file));
  open(file);
  lockState(pathFromText(file))?.release();
  for (const suffix of ['', '.lock']) expect(statSync(`${file}${suffix}`).mode & 0o777).toBe(0o600);
  // Somebody was there first, with a name that nobody had.
  const early = join(base, 'early.db');
  writeFileSync(`${early}-wal`, '');
  chownSync(`${early}-wal`, NOBODY, NOBODY);
  expect(() => open(early)).toThrow(refused('BASELINE_UNTRUSTED', 'early.db-wal is owned by'));
  expect(existsSync(early)).toBe(false);
  symlinkSync(join(base, 'target'), join(base, 'link.db'));
  expect(() => open(join(base, 'link.db'))).toThrow(refused('BASELINE_UNTRUSTED', 'not a regular file'));
  expect(existsSync(join(base, 'target'))).toBe(false);
});

test('what is missing is told as missing', () => {
  expect(() => open(join(base, 'none/b.db'), 'read')).toThrow(refused('BASELINE_MISSING', 'there is no baseline'));
  expect(() => lockState(pathFromText(join(base, 'none/b.db')))).toThrow(refused('BASELINE_MISSING', 'no baseline'));
});
