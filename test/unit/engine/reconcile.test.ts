// Dirty paths to drift, over a disk in memory and a real baseline.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { digestOf, entry, path } from '../../fakes/entry.ts';
import { rule } from '../../fakes/rule.ts';
import { dir, Ground } from './ground.ts';

let ground: Ground;

beforeEach(() => {
  ground = new Ground();
});
afterEach(() => ground.close());

test('one path: changed, changed again, back again', async () => {
  await ground.start(entry('/r/a'));
  expect(await ground.dirty('/r/a')).toEqual([]);
  ground.disk.set(entry('/r/a', { digest: digestOf('2') }));
  expect(await ground.dirty('/r/a')).toEqual(['changed /r/a #1']);
  expect(await ground.dirty('/r/a')).toEqual([]);
  ground.disk.set(entry('/r/a', { digest: digestOf('3') }));
  expect(await ground.dirty('/r/a')).toEqual(['changed /r/a #2']);
  ground.disk.set(entry('/r/a'));
  expect(ground.outboxPaths()).toEqual(['/r/a']);
  expect(await ground.dirty('/r/a')).toEqual(['resolved /r/a']);
  expect(ground.outboxPaths()).toEqual(['/r/a']);
  expect([...ground.store.openDrift()]).toEqual([]);
});

test('what came and went again is not left open', async () => {
  await ground.start();
  ground.disk.set(entry('/r/new'));
  expect(await ground.dirty('/r/new')).toEqual(['added /r/new #1']);
  ground.disk.remove(path('/r/new'));
  expect(await ground.dirty('/r/new')).toEqual(['resolved /r/new']);
});

test('a directory that appears brings its contents, one record each', async () => {
  await ground.start();
  ground.disk.set(dir('/r/d', 5n));
  ground.disk.set(entry('/r/d/x', { inode: 6n }));
  expect(await ground.dirty('/r/d')).toEqual(['added /r/d #1', 'added /r/d/x #1']);
});

test('a directory that goes takes its contents along', async () => {
  await ground.start(dir('/r/d', 5n), entry('/r/d/x', { inode: 6n }));
  ground.disk.remove(path('/r/d'));
  expect(await ground.dirty('/r/d')).toEqual(['removed /r/d #1', 'removed /r/d/x #1']);
  expect(ground.outboxPaths()).toEqual(['/r/d', '/r/d/x']);
});

test('a moved directory is one record; hooks hear both names of everything in it', async () => {
  await ground.start(dir('/r/d', 5n), entry('/r/d/x', { inode: 6n }));
  ground.disk.move(path('/r/d'), path('/r/e'));
  expect(await ground.dirty('/r/d/', '/r/e/')).toEqual(['moved /r/d -> /r/e #1']);
  expect(ground.outboxPaths()).toEqual(['/r/d', '/r/d/x', '/r/e', '/r/e/x']);
});

test('a directory that took the place of a file is looked at again: what moved along with it stays moved', async () => {
  await ground.start(entry('/r/f', { inode: 4n }), dir('/r/d', 5n), entry('/r/d/x', { inode: 6n }));
  ground.disk.move(path('/r/f'), path('/r/t'));
  ground.disk.move(path('/r/d'), path('/r/f'));
  ground.disk.move(path('/r/t'), path('/r/d'));
  const told = ['changed /r/d #1', 'changed /r/f #1', 'moved /r/d/x -> /r/f/x #1'];
  expect(await ground.dirty('/r/d/', '/r/f/')).toEqual(told);
  expect(await ground.dirty('/r/f')).toEqual([]);
});

test('a file that took the place of a directory is looked at again: what moved along with it stays moved', async () => {
  await ground.start(dir('/r/d', 5n), entry('/r/d/x', { inode: 6n }));
  ground.disk.move(path('/r/d'), path('/r/e'));
  ground.disk.set(entry('/r/d', { inode: 7n }));
  const told = ['changed /r/d #1', 'added /r/e #1', 'moved /r/d/x -> /r/e/x #1'];
  expect(await ground.dirty('/r/d/', '/r/e/')).toEqual(told);
  ground.disk.set(entry('/r/d', { inode: 7n, digest: digestOf('2') }));
  expect(await ground.dirty('/r/d')).toEqual(['changed /r/d #2']);
});

test('what was told of an entry before its directory moved is over when the entry came along', async () => {
  await ground.start(dir('/r/d', 5n), entry('/r/d/x', { inode: 6n }), entry('/r/d/y', { inode: 7n }));
  ground.disk.remove(path('/r/d/x'));
  expect(await ground.dirty('/r/d/x')).toEqual(['removed /r/d/x #1']);
  ground.disk.move(path('/r/d'), path('/r/e'));
  ground.disk.set(entry('/r/e/x', { inode: 8n }));
  expect(await ground.dirty('/r/d', '/r/e')).toEqual(['moved /r/d -> /r/e #1', 'resolved /r/d/x']);
});

test('moved, and moved on: the same drift says where it is now', async () => {
  await ground.start(entry('/r/a', { inode: 6n }));
  ground.disk.move(path('/r/a'), path('/r/b'));
  expect(await ground.dirty('/r/a', '/r/b')).toEqual(['moved /r/a -> /r/b #1']);
  ground.disk.move(path('/r/b'), path('/r/c'));
  expect(await ground.dirty('/r/b', '/r/c')).toEqual(['moved /r/a -> /r/c #2']);
  ground.disk.move(path('/r/c'), path('/r/a'));
  expect(await ground.dirty('/r/c', '/r/a')).toEqual(['resolved /r/c']);
});

test('what was moved on or went meanwhile is told under every name that hooks know', async () => {
  await ground.start(entry('/r/a', { inode: 6n }), dir('/r/d', 7n), entry('/r/d/x', { inode: 8n }));
  ground.disk.move(path('/r/a'), path('/r/b'));
  ground.disk.move(path('/r/d'), path('/r/e'));
  await ground.dirty('/r/a', '/r/b', '/r/d/', '/r/e/');
  ground.outboxPaths();
  ground.disk.move(path('/r/b'), path('/r/c'));
  ground.disk.remove(path('/r/e'));
  expect(await ground.dirty('/r/b', '/r/c', '/r/e/')).toEqual([
    'moved /r/a -> /r/c #2',
    'removed /r/d #2',
    'removed /r/d/x #1',
  ]);
  expect(ground.outboxPaths()).toEqual(['/r/a', '/r/b', '/r/c', '/r/d', '/r/d/x', '/r/e', '/r/e/x']);
});

test('a directory that moved away and back is told with everything in it, under both names', async () => {
  await ground.start(dir('/r/d', 5n), entry('/r/d/x', { inode: 6n }));
  ground.disk.move(path('/r/d'), path('/r/e'));
  await ground.dirty('/r/d/', '/r/e/');
  ground.outboxPaths();
  ground.disk.move(path('/r/e'), path('/r/d'));
  expect(await ground.dirty('/r/e/', '/r/d/')).toEqual(['resolved /r/e']);
  expect(ground.outboxPaths()).toEqual(['/r/d', '/r/d/x', '/r/e', '/r/e/x']);
});

test('the halves of a move that are seen apart become one drift, whichever is first', async () => {
  await ground.start(entry('/r/a', { inode: 6n }), entry('/r/b', { inode: 7n }));
  ground.disk.move(path('/r/a'), path('/r/x'));
  expect(await ground.dirty('/r/a')).toEqual(['removed /r/a #1']);
  expect(await ground.dirty('/r/x')).toEqual(['moved /r/a -> /r/x #2']);
  // A hard link, and the removal of the old name.
  ground.disk.set(entry('/r/y', { inode: 7n }));
  expect(await ground.dirty('/r/y')).toEqual(['added /r/y #1']);
  ground.disk.remove(path('/r/b'));
  expect(await ground.dirty('/r/b')).toEqual(['moved /r/b -> /r/y #1', 'resolved /r/y']);
});

test('the halves of the move of a directory become one drift, with all that is in it', async () => {
  await ground.start(dir('/r/d', 5n), entry('/r/d/x', { inode: 6n }));
  ground.disk.move(path('/r/d'), path('/r/e'));
  expect(await ground.dirty('/r/e')).toEqual(['added /r/e #1', 'added /r/e/x #1']);
  expect(await ground.dirty('/r/d')).toEqual(['moved /r/d -> /r/e #1', 'resolved /r/e', 'resolved /r/e/x']);
});

test('a file that got the inode of one that went is no move of it', async () => {
  await ground.start(entry('/r/a', { inode: 6n }));
  ground.disk.remove(path('/r/a'));
  expect(await ground.dirty('/r/a')).toEqual(['removed /r/a #1']);
  ground.disk.set(entry('/r/b', { inode: 6n, digest: digestOf('another') }));
  expect(await ground.dirty('/r/b')).toEqual(['added /r/b #1']);
});

test('what moved into a directory that moved out of a moved one stays moved', async () => {
  await ground.start(dir('/r/a', 5n), entry('/r/a/x', { inode: 6n }), dir('/r/a/s', 7n), entry('/r/f', { inode: 8n }));
  ground.disk.move(path('/r/a/s'), path('/r/z'));
  ground.disk.move(path('/r/a'), path('/r/b'));
  ground.disk.move(path('/r/f'), path('/r/z/g'));
  const told = ['moved /r/a -> /r/b #1', 'moved /r/a/s -> /r/z #1', 'moved /r/f -> /r/z/g #1'];
  expect(await ground.dirty('/r/')).toEqual(told);
  ground.disk.set(entry('/r/b/x', { inode: 6n, digest: digestOf('edited') }));
  expect(await ground.dirty('/r/b/x')).toEqual(['moved /r/a -> /r/b #2', 'changed /r/a/x -> /r/b/x #1']);
  expect(await ground.dirty('/r/b/')).toEqual([]);
});

test('a hook is not told of its own doing, but of what somebody unknown did with it', async () => {
  await ground.start();
  const own = { actors: [{ source: 'exec' as const, pid: 10 }], isOwnDoing: () => true };
  ground.disk.set(entry('/r/own'));
  await ground.dirtyBy(own, '/r/own');
  expect(ground.outboxPaths()).toEqual([]);
  ground.disk.set(entry('/r/both'));
  await ground.dirtyBy({ ...own, hasOthers: true }, '/r/both');
  expect(ground.outboxPaths()).toEqual(['/r/both']);
});

test('much drift is recorded in several transactions, and all of it', async () => {
  ground.rules = [rule('web', ['/r'], { onDrift: 'accept', hooks: ['mirror'] })];
  const files = Array.from({ length: 4_500 }, (_, n) => entry(`/r/d/${n}`, { inode: BigInt(100 + n) }));
  await ground.start(dir('/r/d', 5n), ...files);
  ground.disk.move(path('/r/d'), path('/r/e'));
  for (let n = 0; n < 4_400; n += 1) ground.disk.set({ ...files[n]!, path: path(`/r/e/${n}`), mode: 0o600 });
  ground.disk.remove(path('/r/e/4400'));
  expect(await ground.dirty('/r/d/', '/r/e/')).toHaveLength(1 + 4_400 + 1);
  expect(ground.store.baseline.info()).toMatchObject({ generation: 4, entries: 1 + 1 + 4_499 });
  expect(ground.outboxPaths()).toHaveLength(2 + 2 * 4_499 + 1);
  expect(await ground.dirty('/r/')).toEqual([]);
});

test('a file edited inside a moved directory is told under both names', async () => {
  await ground.start(dir('/r/d', 5n), entry('/r/d/x', { inode: 6n }), entry('/r/d/y', { inode: 7n }));
  ground.disk.move(path('/r/d'), path('/r/e'));
  await ground.dirty('/r/d/', '/r/e/');
  ground.disk.set(entry('/r/e/x', { inode: 6n, digest: digestOf('edited') }));
  expect(await ground.dirty('/r/e/x')).toEqual(['moved /r/d -> /r/e #2', 'changed /r/d/x -> /r/e/x #1']);
});

test('a directory that becomes a file loses what was in it', async () => {
  await ground.start(dir('/r/d', 5n), entry('/r/d/x', { inode: 6n }));
  ground.disk.remove(path('/r/d'));
  ground.disk.set(entry('/r/d', { inode: 9n }));
  expect(await ground.dirty('/r/d')).toEqual(['changed /r/d #1', 'removed /r/d/x #1']);
});

test('a directory above a rule path: renamed away, covered, and renamed back', async () => {
  ground.rules = [rule('www', ['/r/x/www'], { hooks: ['mirror'] })];
  await ground.start(dir('/r/x', 4n), dir('/r/x/www', 5n), entry('/r/x/www/index', { inode: 6n }));
  ground.disk.move(path('/r/x'), path('/r/y'));
  expect(await ground.dirty('/r/x/', '/r/y/')).toEqual(['removed /r/x/www #1', 'removed /r/x/www/index #1']);
  expect(ground.outboxPaths()).toEqual(['/r/x/www', '/r/x/www/index']);
  ground.disk.set(dir('/r/x', 7n));
  ground.disk.set(dir('/r/x/www', 8n));
  expect(await ground.dirty('/r/x/')).toEqual(['resolved /r/x/www']);
  ground.disk.remove(path('/r/x'));
  ground.disk.move(path('/r/y'), path('/r/x'));
  ground.disk.set(entry('/r/x/www/new', { inode: 9n }));
  expect(await ground.dirty('/r/y/', '/r/x/')).toEqual(['added /r/x/www/new #1', 'resolved /r/x/www/index']);
});

test('what cannot be read keeps its drift open and is not taken for gone', async () => {
  await ground.start(dir('/r/d', 5n), entry('/r/d/x', { inode: 6n }));
  ground.disk.set(entry('/r/d/x', { inode: 6n, digest: digestOf('2') }));
  await ground.dirty('/r/d/x');
  ground.disk.fail(path('/r/d'), 5);
  expect(await ground.dirty('/r/d/x', '/r/d/')).toEqual([]);
  expect([...ground.store.openDrift()]).toHaveLength(1);
});

test('onDrift accept makes it the baseline, ignore says nothing', async () => {
  ground.rules = [rule('web', ['/r'], { onDrift: 'accept' }), rule('noise', ['/r/tmp'], { onDrift: 'ignore' })];
  await ground.start(dir('/r/tmp', 5n));
  ground.disk.set(entry('/r/a'));
  ground.disk.set(entry('/r/tmp/x'));
  expect(await ground.dirty('/r/a', '/r/tmp/x')).toEqual(['added /r/a #1']);
  expect([...ground.store.openDrift()]).toEqual([]);
  expect(ground.store.baseline.info().generation).toBe(2);
  expect(ground.store.baseline.find(path('/r/a'))).toBeDefined();
  expect(await ground.dirty('/r/a')).toEqual([]);
});

test.each([
  ['no hook', [], 2],
  ['a hook', ['mirror'], 3],
])('what came along with a directory is listed for %s', async (_, hooks, times) => {
  ground.rules = [rule('all', ['/r'], { hooks })];
  await ground.start(dir('/r/d', 5n), entry('/r/d/x', { inode: 6n }));
  ground.disk.move(path('/r/d'), path('/r/e'));
  const below = vi.spyOn(ground.store.baseline, 'below');
  expect(await ground.dirty('/r/d', '/r/e')).toEqual(['moved /r/d -> /r/e #1']);
  // Twice to compare it.
  expect(below).toHaveBeenCalledTimes(times);
});

test.each([
  ['came', 'together', '/r/b/', '/r/a/'],
  ['went', 'together', '/r/a/', '/r/b/'],
  ['came', 'in slices', '/r/b/', '/r/a/'],
  ['went', 'in slices', '/r/a/', '/r/b/'],
])(
  'a move of which somebody else finds one half while what %s is looked at %s is a move',
  async (_, how, tree, other) => {
    if (how === 'in slices') ground.sliceMax = 1;
    const files = ['x', 'd/y', 'd/z'].map((name, n) =>
      entry(`/r/a/${name}`, { inode: BigInt(8 + n), digest: digestOf(name) }),
    );
    await ground.start(dir('/r/a', 5n), dir('/r/a/d', 7n), ...files);
    ground.disk.set(dir('/r/b', 6n));
    for (const name of ['x', 'd']) ground.disk.move(path(`/r/a/${name}`), path(`/r/b/${name}`));
    await ground.dirty(tree);
    let hadTurn = false;
    ground.between = async (isHeld) => {
      ground.between = () => Promise.resolve();
      hadTurn = true;
      ground.isHeld = isHeld;
      const said = await ground.dirty(`${other}x`, `${other}d`);
      expect(said.filter((line) => line.startsWith('moved'))).toEqual([]);
      ground.isHeld = () => false;
    };
    await ground.dirty(tree);
    expect(hadTurn).toBe(true);
    const moves = ['/r/a/d -> /r/b/d', '/r/a/x -> /r/b/x'];
    expect(ground.open().filter((name) => name !== '/r/b')).toEqual(moves);
  },
);
