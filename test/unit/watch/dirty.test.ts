import { expect, test } from 'vitest';
import type { Actor } from '../../../src/domain/actor.ts';
import { pathFromText } from '../../../src/domain/path.ts';
import { compileScope, type Rule } from '../../../src/domain/rule.ts';
import { DirtySet } from '../../../src/watch/dirty-set.ts';
import { eventsOfBatch, sizeOfBatch } from '../../../src/watch/messages.ts';
import { compileRelevance } from '../../../src/watch/relevance.ts';

const [CP, RM]: [Actor, Actor] = [
  { source: 'exec', pid: 1, exe: '/bin/cp' },
  { source: 'proc', pid: 2, exe: '/bin/rm' },
];
const [F, G] = [pathFromText('/f'), pathFromText('/g')];

test('a path is listed once per writer in a row, in order, and a subtree stays one', () => {
  const dirty = new DirtySet();
  dirty.add(F, false, CP);
  dirty.add(F, true, CP);
  dirty.add(G, false, CP);
  dirty.add(F, false, CP);
  dirty.add(F, false, RM);
  expect(dirty.size).toBe(3);
  const batch = {
    kind: 'batch',
    coverage: undefined,
    events: [{ kind: 'overflow', sinceMs: 1 }],
    dirty: dirty.take(),
  } as const;
  expect(sizeOfBatch(batch)).toBe(4);
  expect(eventsOfBatch(structuredClone(batch))).toEqual([
    { kind: 'overflow', sinceMs: 1 },
    { kind: 'dirty', path: '/f', subtree: true, actor: CP },
    { kind: 'dirty', path: '/g', subtree: false, actor: CP },
    { kind: 'dirty', path: '/f', subtree: false, actor: RM },
  ]);
  expect(dirty.size).toBe(0);
  dirty.add(F, false, RM);
  expect(dirty.take()).toEqual({
    paths: ['/f'],
    subtree: [false],
    actorOf: [0],
    actors: [RM],
    renames: [],
    links: [],
    linkActorOf: [],
  });
});

test('an inode is told once, with its last writer', () => {
  const dirty = new DirtySet();
  dirty.link(7, CP);
  dirty.link(8, CP);
  dirty.link(9, CP);
  dirty.link(7, RM);
  expect(dirty.size).toBe(3);
  const batch = { kind: 'batch', coverage: undefined, events: [], dirty: dirty.take() } as const;
  expect(sizeOfBatch(batch)).toBe(3);
  expect(eventsOfBatch(structuredClone(batch))).toEqual([
    { kind: 'linked', inodeKeys: [7], actor: RM },
    { kind: 'linked', inodeKeys: [8, 9], actor: CP },
  ]);
  expect(dirty.size).toBe(0);
});

test('the names of a rename follow the paths, those that nobody watches left out', () => {
  const dirty = new DirtySet();
  dirty.add(F, false, CP);
  dirty.add(G, false, CP);
  dirty.join([F, G, F]);
  dirty.join([F, pathFromText('/outside')]);
  expect(dirty.size).toBe(3);
  const batch = { kind: 'batch', coverage: undefined, events: [], dirty: dirty.take() } as const;
  expect(sizeOfBatch(batch)).toBe(3);
  expect(eventsOfBatch(structuredClone(batch)).slice(2)).toEqual([{ kind: 'renamed', paths: ['/f', '/g'] }]);
  expect(dirty.size).toBe(0);
});

test('relevance to the rules', () => {
  const rule: Rule = {
    name: 'r',
    paths: [pathFromText('/srv/www')],
    exclude: ['*.tmp'],
    attributes: { names: new Set(), growing: false },
    severity: 'normal',
    onDrift: 'report',
    hooks: [],
    oneFileSystem: false,
  };
  const own = [pathFromText('/srv/www/own.db')];
  const relevance = compileRelevance(compileScope({ rules: [rule], ignore: ['/srv/www/cache'], own }));
  const paths = '/srv/www /srv/www/f /srv / /srv/ww /srv/www/x.tmp /srv/www/cache/f /srv/www/own.db'.split(' ');
  const expected = 'root covered above above outside outside outside outside'.split(' ');
  for (const _ of [1, 2]) expect(paths.map((path) => relevance(pathFromText(path)))).toEqual(expected);
});
