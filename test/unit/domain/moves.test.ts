import { expect, test } from 'vitest';
import type { Drift } from '../../../src/domain/drift.ts';
import type { Entry } from '../../../src/domain/entry.ts';
import { pairMoves } from '../../../src/domain/moves.ts';
import { compileScope } from '../../../src/domain/rule.ts';
import { digestOf, entry, path } from '../../fakes/entry.ts';
import { rule } from '../../fakes/rule.ts';

const scope = compileScope({ rules: [rule('all', ['/'])], ignore: [], own: [] });

function drift(kind: 'added' | 'removed', one: Entry, under = 'all'): Drift {
  const [before, after] = kind === 'added' ? [undefined, one] : [one, undefined];
  const fixed = { rule: under, severity: 'normal', changed: [], from: undefined, entries: undefined } as const;
  return { kind, path: one.path, before, after, ...fixed };
}

function brief(drifts: readonly Drift[]): unknown[] {
  return drifts.map(({ kind, path: at, from, changed, entries }) => [kind, from ?? null, at, changed, entries ?? null]);
}

test('the same inode with the same digest is a move', () => {
  const found = pairMoves([drift('removed', entry('/a')), drift('added', entry('/b', { ctimeNs: 9n }))], scope);
  expect(brief(found)).toEqual([['moved', '/a', '/b', [], null]]);
});

test('a move that also changed the mode says so', () => {
  const found = pairMoves([drift('removed', entry('/a')), drift('added', entry('/b', { mode: 0o600 }))], scope);
  expect(brief(found)).toEqual([['moved', '/a', '/b', ['mode'], null]]);
});

test('a reused inode number is no move', () => {
  const other = entry('/b', { digest: digestOf('other') });
  expect(brief(pairMoves([drift('removed', entry('/a')), drift('added', other)], scope))).toEqual([
    ['removed', null, '/a', [], null],
    ['added', null, '/b', [], null],
  ]);
  const empty = { sizeBytes: 0n, digest: digestOf('') };
  const found = pairMoves(
    [drift('removed', entry('/a', empty)), drift('added', entry('/b', { ...empty, mtimeNs: 7n }))],
    scope,
  );
  expect(found.map(({ kind }) => kind)).toEqual(['removed', 'added']);
});

const dir = (name: string, fields: Partial<Entry> = {}): Entry =>
  entry(name, { type: 'directory', inode: 7n, ...fields });

test('what came along with a directory is not also another new name of the file', () => {
  const found = pairMoves(
    [
      drift('removed', dir('/d')),
      drift('removed', entry('/d/f', { inode: 8n })),
      drift('added', entry('/b', { inode: 8n })),
      drift('added', dir('/e')),
      drift('added', entry('/e/f', { inode: 8n, mode: 0o600 })),
    ],
    scope,
  );
  expect(brief(found)).toEqual([
    ['added', null, '/b', [], null],
    ['moved', '/d', '/e', [], 0],
    ['changed', '/d/f', '/e/f', ['mode'], null],
  ]);
});

test('what moved out of a directory before it is not also what is in its place now', () => {
  const found = pairMoves(
    [
      drift('removed', dir('/d')),
      drift('removed', dir('/d/sub', { inode: 9n })),
      drift('added', dir('/a', { inode: 9n })),
      drift('added', dir('/e')),
      drift('added', dir('/e/sub', { inode: 10n })),
    ],
    scope,
  );
  expect(brief(found)).toEqual([
    ['moved', '/d/sub', '/a', [], 0],
    ['moved', '/d', '/e', [], 0],
    ['added', null, '/e/sub', [], null],
  ]);
});

test('what did not go along with a directory that moved out of another moved by itself', () => {
  const found = pairMoves(
    [
      drift('removed', dir('/d')),
      drift('removed', dir('/d/sub', { inode: 9n })),
      drift('removed', entry('/d/sub/x', { inode: 11n })),
      drift('added', dir('/a', { inode: 9n })),
      drift('added', dir('/e')),
      drift('added', dir('/e/sub', { inode: 10n })),
      drift('added', entry('/e/sub/x', { inode: 11n })),
    ],
    scope,
  );
  expect(brief(found)).toEqual([
    ['moved', '/d/sub', '/a', [], 0],
    ['moved', '/d', '/e', [], 0],
    ['added', null, '/e/sub', [], null],
    ['moved', '/d/sub/x', '/e/sub/x', [], null],
  ]);
});

test('a directory that moves is one record, with what changed inside it beside', () => {
  const found = pairMoves(
    [
      drift('removed', dir('/old')),
      drift('removed', entry('/old/same', { inode: 8n })),
      drift('removed', entry('/old/edited', { inode: 9n })),
      drift('removed', entry('/old/gone', { inode: 10n })),
      drift('added', dir('/new', { mtimeNs: 5n })),
      drift('added', entry('/new/same', { inode: 8n })),
      drift('added', entry('/new/edited', { inode: 9n, digest: digestOf('edited') })),
      drift('added', entry('/new/fresh', { inode: 11n, digest: digestOf('fresh') })),
    ],
    scope,
  );
  expect(brief(found)).toEqual([
    ['moved', '/old', '/new', [], 1],
    ['changed', '/old/edited', '/new/edited', ['digest'], null],
    ['added', null, '/new/fresh', [], null],
    ['removed', null, '/old/gone', [], null],
  ]);
});

test('a new directory on a freed inode is no move', () => {
  const found = pairMoves([drift('removed', dir('/old')), drift('added', dir('/new', { mtimeNs: 99n }))], scope);
  expect(found.map(({ kind }) => kind)).toEqual(['added', 'removed']);
});

test('every path of many hard links finds one partner at most', () => {
  const links = ['/a1', '/a2'].map((name) => drift('removed', entry(name)));
  const found = pairMoves([...links, drift('added', entry('/b1'))], scope);
  expect(found.map(({ kind }) => kind).sort()).toEqual(['moved', 'removed']);
  expect(found.every(({ path: at }) => at !== path('/nowhere'))).toBe(true);
});

test('what leaves one rule for another is no move: each rule judges its side', () => {
  const found = pairMoves([drift('removed', entry('/a'), 'critical'), drift('added', entry('/b'), 'noise')], scope);
  expect(found.map(({ kind, rule: name }) => `${kind} ${name}`)).toEqual(['removed critical', 'added noise']);
});

test('an entry of another rule inside a moved directory did not come along', () => {
  const found = pairMoves(
    [
      drift('removed', dir('/old')),
      drift('removed', entry('/old/same', { inode: 8n })),
      drift('removed', entry('/old/strict', { inode: 9n }), 'critical'),
      drift('added', dir('/new')),
      drift('added', entry('/new/same', { inode: 8n })),
      drift('added', entry('/new/strict', { inode: 9n })),
    ],
    scope,
  );
  expect(brief(found)).toEqual([
    ['moved', '/old', '/new', [], 1],
    ['added', null, '/new/strict', [], null],
    ['removed', null, '/old/strict', [], null],
  ]);
  expect(found[0]?.along).toMatchObject([{ from: '/old/same', after: { path: '/new/same' } }]);
});

test('of several namesakes the nearest moved: inode numbers repeat in other filesystems', () => {
  const found = pairMoves(
    [
      drift('removed', entry('/a/file')),
      drift('removed', entry('/b/file')),
      drift('removed', entry('/c/file')),
      drift('added', entry('/b/young')),
    ],
    scope,
  );
  expect(brief(found.filter(({ kind }) => kind === 'moved'))).toEqual([['moved', '/b/file', '/b/young', [], null]]);
});

test('10,000 renamed directories, and 10,000 names of one inode, are paired in reasonable time', {
  timeout: 5_000,
}, () => {
  const names = Array.from({ length: 10_000 }, (_, index) => String(index));
  const directories = names.flatMap((name, index) => {
    const inode = BigInt(index * 2 + 100);
    return [
      drift('removed', dir(`/old${name}`, { inode })),
      drift('removed', entry(`/old${name}/in`, { inode: inode + 1n })),
      drift('added', dir(`/new${name}`, { inode, mtimeNs: 5n })),
      drift('added', entry(`/new${name}/in`, { inode: inode + 1n })),
    ];
  });
  const links = names.flatMap((name) => [drift('removed', entry(`/was${name}`)), drift('added', entry(`/is${name}`))]);
  const found = pairMoves([...directories, ...links], scope);
  expect(found).toHaveLength(20_000);
  expect(found.every(({ kind }) => kind === 'moved')).toBe(true);
});
