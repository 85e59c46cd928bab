// What is accepted without the directory around it: it stays findable, whatever becomes of that directory.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { resolveAttributes } from '../../../src/domain/attribute.ts';
import { digestOf, entry, path } from '../../fakes/entry.ts';
import { rule } from '../../fakes/rule.ts';
import { dir, Ground } from './ground.ts';

let ground: Ground;

beforeEach(() => {
  ground = new Ground();
});
afterEach(() => ground.close());

/** mkdir new new/sub; touch new/sub/x; accept just the latter two. */
async function acceptInside(): Promise<void> {
  await ground.start(entry('/r/a'));
  ground.disk.set(dir('/r/new', 5n));
  ground.disk.set(dir('/r/new/sub', 6n));
  ground.disk.set(entry('/r/new/sub/x', { inode: 7n, digest: digestOf('x') }));
  await ground.dirty('/r/new');
  await ground.accept(['/r/new/sub']);
}

test('the directory around what was accepted stays drift, and is told once', async () => {
  await acceptInside();
  expect(ground.open()).toEqual(['/r/new']);
  expect((await ground.check()).found).toEqual(['added /r/new']);
  expect(await ground.dirty('/r/', '/r/new')).toEqual([]);
  await ground.accept(['/r/new']);
  expect((await ground.check()).found).toEqual([]);
  expect(ground.inBaseline('/r/new')).toMatchObject({ inode: 5n, incomplete: 0 });
});

test('when that directory goes, what was accepted in it is removed', async () => {
  await acceptInside();
  ground.disk.remove(path('/r/new'));
  const removed = ['removed /r/new/sub', 'removed /r/new/sub/x'];
  expect((await ground.check()).found).toEqual(removed);
  expect(await ground.dirty('/r/new')).toEqual([...removed.map((one) => `${one} #1`), 'resolved /r/new']);
  expect(await ground.dirty('/r/new', '/r/')).toEqual([]);
  await ground.accept([]);
  expect((await ground.check()).found).toEqual([]);
  // And nothing is left of the directory.
  expect(ground.inBaseline('/r/new')).toBeUndefined();
  expect(ground.store.baseline.info().entries).toBe(2);
});

test('when that directory becomes a file, it is added and what was accepted in it is removed', async () => {
  await acceptInside();
  ground.disk.remove(path('/r/new'));
  ground.disk.set(entry('/r/new', { inode: 8n }));
  const told = ['added /r/new #2', 'removed /r/new/sub #1', 'removed /r/new/sub/x #1'];
  expect(await ground.dirty('/r/new')).toEqual(told);
  expect((await ground.check()).found).toEqual(told.map((one) => one.slice(0, -3)));
});

test('when that directory is renamed, what was accepted moves along', async () => {
  await acceptInside();
  ground.disk.move(path('/r/new'), path('/r/other'));
  const told = ['added /r/other #1', 'moved /r/new/sub -> /r/other/sub #1', 'resolved /r/new'];
  expect(await ground.dirty('/r/new/', '/r/other/')).toEqual(told);
  await ground.accept(['/r/new/sub']);
  expect((await ground.check()).found).toEqual(['added /r/other']);
  ground.disk.move(path('/r/other'), path('/elsewhere'));
  expect(await ground.dirty('/r/other')).toEqual([
    'removed /r/other/sub #1',
    'removed /r/other/sub/x #1',
    'resolved /r/other',
  ]);
});

test('what was accepted under the new name of a moved directory is removed with it', async () => {
  await ground.start(dir('/r/d', 5n), entry('/r/d/x', { inode: 6n }));
  ground.disk.move(path('/r/d'), path('/r/e'));
  ground.disk.set(entry('/r/e/y', { inode: 7n, digest: digestOf('y') }));
  await ground.dirty('/r/d/', '/r/e/');
  await ground.accept(['/r/e/y']);
  expect((await ground.check()).found).toEqual(['moved /r/d -> /r/e']);
  ground.disk.remove(path('/r/e'));
  const removed = ['removed /r/d', 'removed /r/d/x', 'removed /r/e/y'];
  expect((await ground.check()).found).toEqual(removed);
  await ground.dirty('/r/e');
  expect(ground.open()).toEqual(['/r/d', '/r/d/x', '/r/e/y']);
});

test('what was accepted in a new directory of a moved one goes along when the move is accepted', async () => {
  await ground.start(dir('/r/d', 5n), entry('/r/d/x', { inode: 6n }));
  ground.disk.set(dir('/r/d/new', 7n));
  ground.disk.set(entry('/r/d/new/y', { inode: 8n, digest: digestOf('y') }));
  await ground.dirty('/r/d/new');
  await ground.accept(['/r/d/new/y']);
  ground.disk.move(path('/r/d'), path('/r/e'));
  await ground.dirty('/r/d/', '/r/e/');
  const move = [...ground.store.openDrift()].find(({ key }) => key === '/r/d');
  await ground.accept([], { report: move?.id });
  expect((await ground.check()).found).toEqual(['added /r/e/new']);
  expect(ground.open()).toEqual(['/r/e/new']);
  ground.disk.remove(path('/r/e/new'));
  expect((await ground.check()).found).toEqual(['removed /r/e/new/y']);
});

test('a rule that accepts below one that reports, and one that reports below one that ignores', async () => {
  ground.rules = [
    rule('all', ['/r']),
    rule('web', ['/r/new/web'], { onDrift: 'accept' }),
    rule('noise', ['/r/tmp'], { onDrift: 'ignore' }),
    rule('keys', ['/r/tmp/new/keys']),
  ];
  await ground.start(dir('/r/tmp', 4n));
  ground.disk.set(dir('/r/new', 5n));
  ground.disk.set(entry('/r/new/web', { inode: 6n, digest: digestOf('web') }));
  ground.disk.set(dir('/r/tmp/new', 7n));
  ground.disk.set(entry('/r/tmp/new/keys', { inode: 8n, digest: digestOf('keys') }));
  await ground.dirty('/r/');
  await ground.accept(['/r/tmp/new/keys']);
  expect(ground.open()).toEqual(['/r/new']);
  expect((await ground.check()).found).toEqual(['added /r/new']);
  ground.disk.remove(path('/r/new'));
  ground.disk.remove(path('/r/tmp/new'));
  expect((await ground.check()).found).toEqual(['removed /r/new/web', 'removed /r/tmp/new/keys']);
  expect(await ground.dirty('/r/new', '/r/tmp/new')).toEqual([
    'removed /r/new/web #1',
    'removed /r/tmp/new/keys #1',
    'resolved /r/new',
  ]);
  expect(ground.inBaseline('/r/new')).toBeUndefined();
});

test('below what is a file in the baseline nothing is accepted without its being a directory now', async () => {
  await ground.start(entry('/r/d'));
  ground.disk.set(dir('/r/d', 5n));
  ground.disk.set(entry('/r/d/x', { inode: 6n }));
  await ground.dirty('/r/d');
  const inside = [...ground.store.openDrift()].find(({ key }) => key === '/r/d/x');
  const refused = { code: 'USAGE', message: expect.stringContaining('/r/d is not a directory in the baseline') };
  await expect(ground.accept(['/r/d/x'])).rejects.toMatchObject(refused);
  await expect(ground.accept([], { report: inside?.id })).rejects.toMatchObject(refused);
  expect(ground.store.baseline.info().generation).toBe(1);
  await ground.accept(['/r/d']);
  expect((await ground.check()).found).toEqual([]);
});

test('a rule that accepts waits with what is below a file of the baseline', async () => {
  ground.rules = [rule('all', ['/r']), rule('web', ['/r/d/web'], { onDrift: 'accept' })];
  await ground.start(entry('/r/d'));
  ground.disk.set(dir('/r/d', 5n));
  ground.disk.set(dir('/r/d/web', 6n));
  ground.disk.set(entry('/r/d/web/x', { inode: 7n }));
  expect(await ground.dirty('/r/d')).toEqual(['changed /r/d #1', 'added /r/d/web #1', 'added /r/d/web/x #1']);
  expect(ground.open()).toEqual(['/r/d', '/r/d/web', '/r/d/web/x']);
  // The file comes back: nothing has forgotten what it was.
  ground.disk.remove(path('/r/d'));
  ground.disk.set(entry('/r/d', { digest: digestOf('other') }));
  await ground.dirty('/r/d/');
  expect(ground.open()).toEqual(['/r/d']);
  expect((await ground.check()).found).toEqual(['changed /r/d']);
});

test('a rule that accepts takes a large directory in place of a file, in several transactions', async () => {
  ground.rules = [rule('web', ['/r'], { onDrift: 'accept' })];
  await ground.start(entry('/r/d'));
  ground.disk.set(dir('/r/d', 5n));
  for (let n = 0; n < 2_000; n += 1) ground.disk.set(entry(`/r/d/${n}`, { inode: BigInt(100 + n) }));
  expect(await ground.dirty('/r/d')).toHaveLength(2_001);
  expect(ground.open()).toEqual([]);
  expect((await ground.check()).found).toEqual([]);
});

test('what was in a directory that became a file is removed, though the rule does not look at the type', async () => {
  const attributes = resolveAttributes(['uid'], new Map());
  if ('unknown' in attributes) throw new Error(attributes.unknown);
  ground.rules = [rule('all', ['/r'], { attributes })];
  await ground.start(dir('/r/d', 5n), entry('/r/d/x', { inode: 6n }));
  ground.disk.remove(path('/r/d'));
  ground.disk.set(entry('/r/d', { inode: 7n }));
  expect((await ground.check()).found).toEqual(['removed /r/d/x']);
  expect(await ground.dirty('/r/d')).toEqual(['removed /r/d/x #1']);
});

/** The removal of `key`, or what else is open there, by its id. */
async function acceptJust(key: string): Promise<void> {
  const open = [...ground.store.openDrift()].find((one) => one.key === key);
  await ground.accept([], { report: open?.id });
}

test('accepting the removal of a directory alone accepts nothing that was in it', async () => {
  const keep = entry('/r/d/s/keep', { inode: 8n, digest: digestOf('keep') });
  await ground.start(dir('/r/d', 5n), dir('/r/d/s', 6n), entry('/r/d/s/x', { inode: 7n }), keep);
  ground.disk.move(path('/r/d/s/keep'), path('/r/keep'));
  ground.disk.remove(path('/r/d'));
  await ground.dirty('/r/');
  await acceptJust('/r/d');
  const left = ['moved /r/d/s/keep -> /r/keep', 'removed /r/d/s', 'removed /r/d/s/x'];
  expect((await ground.check()).found).toEqual(left);
  expect(ground.open()).toEqual(['/r/d/s', '/r/d/s/keep -> /r/keep', '/r/d/s/x']);
  expect(await ground.dirty('/r/')).toEqual([]);
  await ground.accept(['/r/d/s']);
  expect((await ground.check()).found).toEqual([]);
  expect(ground.store.baseline.info().entries).toBe(2);
});

test('that a directory became a file is not accepted before what was in it', async () => {
  await ground.start(dir('/r/d', 5n), entry('/r/d/x', { inode: 6n, digest: digestOf('x') }));
  ground.disk.move(path('/r/d/x'), path('/r/x'));
  ground.disk.remove(path('/r/d'));
  ground.disk.set(entry('/r/d', { inode: 7n }));
  await ground.dirty('/r/');
  await expect(acceptJust('/r/d')).rejects.toMatchObject({
    code: 'USAGE',
    message: '/r/d cannot be accepted alone: /r/d/x was in it',
  });
  await acceptJust('/r/d/x');
  await acceptJust('/r/d');
  expect((await ground.check()).found).toEqual([]);
});

test('what was accepted at the new place of a directory is not undone by accepting its move', async () => {
  await ground.start(dir('/r/d', 5n), dir('/r/d/new', 6n), entry('/r/d/new/x', { inode: 7n }), entry('/r/d/y'));
  ground.disk.move(path('/r/d'), path('/r/e'));
  ground.disk.remove(path('/r/e/new'));
  ground.disk.set(entry('/r/e/new', { inode: 8n, digest: digestOf('new') }));
  await ground.dirty('/r/');
  await acceptJust('/r/e/new');
  await acceptJust('/r/d');
  expect((await ground.check()).found).toEqual([]);
  expect(ground.open()).toEqual([]);
});
