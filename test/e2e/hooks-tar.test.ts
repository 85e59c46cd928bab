// tar-snapshot with the real tar.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { filesBelow, HOSTILE, isInstalled, Place, type Ran, runHook, system } from './shipped.ts';

let place: Place;
let target: string;

beforeEach(() => {
  place = new Place();
  target = place.aside('snapshots');
  mkdirSync(target);
});
afterEach(() => place[Symbol.dispose]());

const snapshot = (input: string, more: Record<string, string | string[]> = {}): Ran =>
  runHook('tar-snapshot', input, { TARGET: target, KEY: 'k1', ...more });

test.each(['gzip', 'xz', 'none', ...(isInstalled('zstd') ? ['zstd'] : [])])(
  '%s: hostile names come back as they were, and what is gone is listed',
  (compress) => {
    const paths = HOSTILE.flatMap((name) => [name, `d/${name}`]);
    for (const path of [...paths, 'd/unlisted']) place.write(path);
    mkdirSync(place.aside('tree/empty'));
    const input = place.paths0('', ...paths, 'd', 'empty', 'gone', 'gone/\x1b\n');
    expect(snapshot(input, { COMPRESS: compress })).toMatchObject({ status: 0, stderr: '' });
    expect(snapshot(input, { COMPRESS: compress })).toMatchObject({ status: 0, stderr: '' });
    const [archive = '', gone = '', ...more] = readdirSync(target).sort().reverse();
    expect(more).toEqual([]);
    expect(gone.replace(/\.gone$/, '')).toBe(archive.replace(/\.tar(\.\w+)?$/, ''));
    expect(archive).toMatch(/^driftline-\d{8}T\d{6}Z-k1\.tar/);
    expect(statSync(`${target}/${archive}`).mode & 0o777).toBe(0o600);
    expect(readFileSync(`${target}/${gone}`, 'latin1')).toBe(place.paths0('gone', 'gone/\x1b\n'));
    const back = place.aside('back');
    mkdirSync(back);
    system('tar', ['-xf', `${target}/${archive}`, '-C', back]);
    expect(filesBelow(back + place.tree)).toEqual([...paths].sort());
    expect(system('find', [back, '-empty', '-type', 'd'])).toBe(`${back}${place.tree}/empty\n`);
  },
);

test('only so many are kept, and nothing else there is touched', () => {
  place.write('file');
  for (const name of ['driftline-notes.tar', 'other.tar.gz']) writeFileSync(`${target}/${name}`, '');
  for (const day of ['01', '02', '03']) {
    for (const ending of ['tar.gz', 'gone']) writeFileSync(`${target}/driftline-202601${day}T000000Z-x.${ending}`, '');
  }
  expect(snapshot(place.paths0('file'), { KEEP: '2' }).status).toBe(0);
  expect(readdirSync(target).sort()).toEqual([
    'driftline-20260103T000000Z-x.gone',
    'driftline-20260103T000000Z-x.tar.gz',
    expect.stringMatching(/^driftline-.*-k1\.tar\.gz$/),
    'driftline-notes.tar',
    'other.tar.gz',
  ]);
});

test('options are passed on, one argument each', () => {
  place.write('file');
  place.write('a  $(touch pwn)');
  const input = place.paths0('file', 'a  $(touch pwn)');
  expect(snapshot(input, { OPTIONS: ['--exclude=*a  $(touch*'], COMPRESS: 'none' }).status).toBe(0);
  const [archive] = readdirSync(target);
  expect(system('tar', ['-tf', `${target}/${archive}`])).toBe(`.${place.tree}/file\n`);
});

test.each([
  ['no target', { TARGET: '' }],
  ['a target that is not there', { TARGET: '/nonexistent' }],
  ['a count that is none', { KEEP: '0' }],
  ['a compression that is none', { COMPRESS: 'rar' }],
  ['a key that leaves the target', { KEY: '../../x' }],
])('wrong use: %s', (_case, settings) => {
  expect(snapshot('', settings).status).toBe(64);
  expect(readdirSync(target)).toEqual([]);
});
