// What becomes the baseline and what stays drift, over a disk in memory and a real baseline.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { digestOf, entry, path } from '../../fakes/entry.ts';
import { rule } from '../../fakes/rule.ts';
import { dir, Ground } from './ground.ts';

let ground: Ground;

beforeEach(() => {
  ground = new Ground();
});
afterEach(() => ground.close());

const STALE = { code: 'STALE' };

test('accept takes what was reported and refuses what changed since', async () => {
  await ground.start(entry('/r/a'), entry('/r/b', { inode: 43n }));
  ground.disk.set(entry('/r/a', { digest: digestOf('2') }));
  ground.disk.set(entry('/r/b', { inode: 43n, mode: 0o600 }));
  await ground.dirty('/r/a', '/r/b');
  ground.disk.set(entry('/r/a', { digest: digestOf('3') }));
  await expect(ground.accept(['/r/a'])).rejects.toMatchObject(STALE);
  expect(ground.store.baseline.info().generation).toBe(1);
  await ground.dirty('/r/a');
  expect((await ground.accept(['/r/a'])).accepted).toHaveLength(1);
  expect(ground.open()).toEqual(['/r/b']);
  const [left] = [...ground.store.openDrift()];
  expect((await ground.accept([], { report: left?.id })).generation).toBe(3);
  await expect(ground.accept([], { report: 'nonsense' })).rejects.toMatchObject(STALE);
});

test('accepting a moved directory moves its entries in the baseline', async () => {
  await ground.start(dir('/r/d', 5n), dir('/r/d/s', 7n), entry('/r/d/s/x', { inode: 6n }));
  ground.disk.move(path('/r/d'), path('/r/e'));
  await ground.dirty('/r/d/', '/r/e/');
  await ground.accept([]);
  expect(ground.inBaseline('/r/e/s/x')?.inode).toBe(6n);
  expect(ground.inBaseline('/r/d/s/x')).toBeUndefined();
  expect(ground.store.baseline.info().entries).toBe(4);
  expect(await ground.dirty('/r/')).toEqual([]);
});

/** mv d e, with a child that is tampered with, one that is added, one that goes, and one that moves out. */
async function moveAndMeddle(): Promise<void> {
  const [x, y] = [entry('/r/d/x', { inode: 6n }), entry('/r/d/y', { inode: 7n, digest: digestOf('y') })];
  const [gone, out] = [entry('/r/d/gone', { inode: 8n }), entry('/r/d/s/out', { inode: 9n, digest: digestOf('out') })];
  await ground.start(dir('/r/d', 5n), x, y, gone, dir('/r/d/s', 10n), out);
  ground.disk.move(path('/r/d'), path('/r/e'));
  ground.disk.move(path('/r/e/s/out'), path('/r/out'));
  ground.disk.set(entry('/r/e/x', { inode: 6n, digest: digestOf('tampered') }));
  ground.disk.set(entry('/r/e/evil', { inode: 99n, digest: digestOf('evil') }));
  ground.disk.remove(path('/r/e/gone'));
}

const MEDDLED = ['added /r/e/evil', 'changed /r/e/x', 'moved /r/e/s/out -> /r/out', 'removed /r/e/gone'];

test('accepting the move of a directory accepts nothing else in it', async () => {
  await moveAndMeddle();
  await ground.dirty('/r/');
  expect(ground.open()).toHaveLength(5);
  const move = [...ground.store.openDrift()].find(({ key }) => key === '/r/d');
  expect((await ground.accept([], { report: move?.id })).accepted).toHaveLength(1);
  expect((await ground.check()).found).toEqual(MEDDLED);
  // What was open stays open under the new names, and nothing is told twice.
  expect(ground.open()).toEqual(['/r/e/evil', '/r/e/gone', '/r/e/s/out -> /r/out', '/r/e/x']);
  expect(await ground.dirty('/r/')).toEqual([]);
  expect(await ground.dirty('/r/e/x')).toEqual([]);
  await ground.accept([]);
  expect((await ground.check()).found).toEqual([]);
  expect(ground.open()).toEqual([]);
  expect(ground.store.baseline.info().entries).toBe(7);
});

test('a reviewed move is accepted alone, and what was refused stays drift', async () => {
  await moveAndMeddle();
  await ground.dirty('/r/');
  const move = [...ground.store.openDrift()].find(({ key }) => key === '/r/d');
  await ground.accept([], { reviewed: new Map([[path('/r/e'), move?.fingerprint ?? '']]) });
  expect((await ground.check()).found).toEqual(MEDDLED);
});

test('a rule that accepts takes just what it tells', async () => {
  ground.rules = [rule('web', ['/r'], { onDrift: 'accept' }), rule('keys', ['/r/d/keys'])];
  await ground.start(dir('/r/d', 5n), entry('/r/d/x', { inode: 6n }), dir('/r/d/keys', 7n), entry('/r/d/keys/k'));
  ground.disk.move(path('/r/d'), path('/r/e'));
  expect((await ground.dirty('/r/')).sort()).toEqual([
    'added /r/e/keys #1',
    'added /r/e/keys/k #1',
    'moved /r/d -> /r/e #1',
    'removed /r/d/keys #1',
    'removed /r/d/keys/k #1',
  ]);
  expect(ground.open()).toEqual(['/r/d/keys', '/r/d/keys/k']);
  // Still findable, and the directory above is nobody's business any more.
  expect((await ground.check()).found).toEqual(['removed /r/d/keys', 'removed /r/d/keys/k']);
  await ground.accept(['/r/d/keys']);
  expect((await ground.check()).found).toEqual([]);
  expect(ground.inBaseline('/r/d')).toBeUndefined();
});

test('a file that leaves a critical rule for one that ignores is removed', async () => {
  ground.rules = [
    rule('all', ['/r'], { severity: 'critical' }),
    rule('noise', ['/r/tmp'], { onDrift: 'ignore' }),
    rule('web', ['/r/web'], { onDrift: 'accept' }),
  ];
  await ground.start(dir('/r/tmp', 5n), dir('/r/web', 7n), entry('/r/a'), entry('/r/b', { inode: 8n }));
  ground.disk.move(path('/r/a'), path('/r/tmp/a'));
  ground.disk.move(path('/r/b'), path('/r/web/b'));
  expect(await ground.dirty('/r/')).toEqual(['removed /r/a #1', 'removed /r/b #1', 'added /r/web/b #1']);
  expect(ground.open()).toEqual(['/r/a', '/r/b']);
});

test('a check report is accepted as one walk sees it', async () => {
  await ground.start(entry('/r/a'));
  ground.disk.set(entry('/r/a', { digest: digestOf('2') }));
  const { totals } = await ground.check();
  const walk = ground.disk.walk.bind(ground.disk);
  let walks = 0;
  ground.disk.walk = async function* (...args) {
    walks += 1;
    yield* walk(...args);
    // Whoever looks again sees something that nobody has reviewed.
    ground.disk.set(entry('/r/a', { digest: digestOf('3') }));
  };
  await ground.accept([], { report: totals.reportId });
  expect(walks).toBe(1);
  expect(ground.inBaseline('/r/a')).toMatchObject({ digest: { value: Buffer.from(digestOf('2').value) } });
});

test.each(['/r/old', '/r/new'])('either name of an open move accepts it: %s', async (name) => {
  await ground.start(entry('/r/old'));
  ground.disk.move(path('/r/old'), path('/r/new'));
  await ground.dirty('/r/old', '/r/new');
  expect((await ground.accept([name])).accepted).toMatchObject([{ kind: 'moved' }]);
  expect(ground.open()).toEqual([]);
  expect((await ground.check()).found).toEqual([]);
});

test.each(['/r/d', '/r/e'])('either name of a moved directory accepts all in it: %s', async (name) => {
  await moveAndMeddle();
  await ground.dirty('/r/');
  await ground.accept([name]);
  expect((await ground.check()).found).toEqual([]);
  expect(ground.open()).toEqual([]);
});

test.each(['/r/d/x', '/r/e/x'])('a file inside a moved directory is accepted by itself: %s', async (name) => {
  await moveAndMeddle();
  await ground.dirty('/r/');
  expect((await ground.accept([name])).accepted).toMatchObject([{ kind: 'changed', path: '/r/e/x' }]);
  expect((await ground.check()).found).toEqual([
    'added /r/e/evil',
    'moved /r/d -> /r/e',
    'moved /r/d/s/out -> /r/out',
    'removed /r/d/gone',
  ]);
});

test('out and back under another name: two reports of the same facts are no contradiction to one move', async () => {
  await ground.start(dir('/r/p', 5n), entry('/r/p/x', { inode: 6n }));
  ground.disk.move(path('/r/p'), path('/elsewhere'));
  await ground.dirty('/r/p');
  ground.forget();
  ground.disk.move(path('/elsewhere'), path('/r/p2'));
  await ground.dirty('/r/p2/');
  expect(ground.open()).toEqual(['/r/p', '/r/p/x', '/r/p2', '/r/p2/x']);
  expect((await ground.accept([])).accepted).toMatchObject([{ kind: 'moved', from: '/r/p', path: '/r/p2' }]);
  expect(ground.open()).toEqual([]);
  expect((await ground.check()).found).toEqual([]);
});

test('a move whose new name was told with other facts, or that lost something since, is stale', async () => {
  await ground.start(dir('/r/p', 5n), entry('/r/p/x', { inode: 6n }), entry('/r/f', { inode: 7n }));
  ground.disk.move(path('/r/p'), path('/r/p2'));
  await ground.dirty('/r/p/', '/r/p2/');
  ground.disk.remove(path('/r/p2/x'));
  await expect(ground.accept([])).rejects.toMatchObject(STALE);
  ground.disk.move(path('/r/f'), path('/elsewhere'));
  await ground.dirty('/r/f', '/r/p2/');
  ground.disk.move(path('/elsewhere'), path('/r/f2'));
  await ground.dirty('/r/f2');
  ground.disk.set(entry('/r/f2', { inode: 7n, mode: 0o777 }));
  await expect(ground.accept(['/r/f2'])).rejects.toMatchObject(STALE);
  await expect(ground.accept([])).rejects.toMatchObject(STALE);
});

test('what cannot be read is not accepted, and its drift stays open', async () => {
  await ground.start(dir('/r/d', 5n), entry('/r/d/x', { inode: 6n }), entry('/r/a'));
  ground.disk.set(entry('/r/d/x', { inode: 6n, digest: digestOf('2') }));
  ground.disk.set(entry('/r/a', { digest: digestOf('2') }));
  await ground.dirty('/r/d/x', '/r/a');
  ground.disk.fail(path('/r/d'), 5);
  ground.disk.set(entry('/r/a', { digest: undefined, incomplete: 5 }));
  expect(await ground.accept([])).toMatchObject({ accepted: [], incomplete: ['/r/a', '/r/d'] });
  expect(ground.open()).toEqual(['/r/a', '/r/d/x']);
});

test('a rule that accepts does not make the unreadable the baseline: open until it can be read', async () => {
  ground.rules = [rule('web', ['/r'], { onDrift: 'accept' })];
  await ground.start();
  ground.disk.set(entry('/r/a', { digest: undefined, incomplete: 13 }));
  expect(await ground.dirty('/r/a')).toEqual(['added /r/a #1']);
  expect(await ground.dirty('/r/a')).toEqual([]);
  expect(ground.inBaseline('/r/a')).toBeUndefined();
  ground.disk.set(entry('/r/a'));
  expect(await ground.dirty('/r/a')).toEqual(['added /r/a #2']);
  expect(ground.inBaseline('/r/a')).toBeDefined();
  expect(ground.open()).toEqual([]);
});

test('what was unreadable at init is changed when it can be read', async () => {
  await ground.start(entry('/r/a', { digest: undefined, incomplete: 13 }));
  expect((await ground.check()).found).toEqual(['incomplete /r/a']);
  ground.disk.set(entry('/r/a'));
  expect((await ground.check()).found).toEqual(['changed /r/a']);
});

test('what nobody was told of before is in the journal when it is accepted', async () => {
  await ground.start(entry('/r/a'), entry('/r/b', { inode: 43n }));
  for (const one of [entry('/r/a', { mode: 0o600 }), entry('/r/b', { inode: 43n, mode: 0o600 })]) ground.disk.set(one);
  await ground.dirty('/r/a');
  await ground.accept([]);
  const records = [...ground.store.journal.read()].map(({ record }) => JSON.parse(record));
  const drifts = records.filter(({ type }) => type === 'drift');
  expect(drifts.map(({ path: at }) => at)).toEqual(['/r/a', '/r/b']);
  expect(records.at(-1)).toMatchObject({ type: 'accept', drifts: drifts.map(({ id }) => id) });
});
