// The loop, over events that a test makes up, a disk in memory and a real baseline.
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Entry } from '../../../src/domain/entry.ts';
import { inodeKey } from '../../../src/domain/inode-table.ts';
import type { Page } from '../../../src/engine/ports/disk.ts';
import { digestOf, entry, path } from '../../fakes/entry.ts';
import { hook } from '../../fakes/hook.ts';
import { rule } from '../../fakes/rule.ts';
import { dir, Ground } from './ground.ts';
import { event, Watching } from './watching.ts';

let ground: Ground;
let watching: Watching;

beforeEach(async () => {
  ground = new Ground();
  await ground.start(entry('/r/a'));
  watching = new Watching(ground);
});
afterEach(async () => {
  await watching.stop();
  ground.close();
});

test('overflows that come during a rescan take one more, and no more', async () => {
  await watching.begin();
  watching.source.say(...Array.from({ length: 5 }, () => ({ kind: 'overflow', sinceMs: 1 }) as const));
  await watching.clock.advance(1000);
  expect(watching.watch.state().overflows).toBe(5);
  expect(watching.journal('"rescan"')).toHaveLength(2);
  watching.source.say({ kind: 'overflow', sinceMs: 1 });
  await watching.clock.advance(1000);
  expect(watching.journal('"rescan"')).toHaveLength(3);
});

test('what was read before events were lost is read again, also when it is recorded after the rescan', async () => {
  await watching.begin();
  const { read } = ground.disk;
  let isSlow = true;
  ground.disk.read = async (at, names, contentMaxBytes) => {
    const found = await read(at, names, contentMaxBytes);
    if (isSlow) {
      isSlow = false;
      ground.disk.remove(path('/r/b'));
      watching.source.say({ kind: 'overflow', sinceMs: 1 });
      await watching.clock.sleep(500);
    }
    return found;
  };
  ground.disk.set(entry('/r/b', { inode: 5n }));
  watching.source.say(event('/r/b'));
  for (let n = 0; n < 20; n += 1) await watching.clock.advance(100);
  expect(watching.journal('"added"')).toHaveLength(1);
  expect(watching.journal('"rescan"')).toHaveLength(1);
  expect(ground.open()).toEqual([]);
});

test('what came into a new directory with events that were lost is found, also when the directory is accepted after the rescan', async () => {
  ground.rules = [rule('all', ['/r'], { onDrift: 'accept' })];
  await watching.begin();
  const { walk } = ground.disk;
  let isSlow = true;
  ground.disk.walk = async function* (roots, options) {
    const pages: Page[] = [];
    for await (const page of walk(roots, options)) pages.push(page);
    if (isSlow) {
      isSlow = false;
      ground.disk.set(entry('/r/d/x'));
      watching.source.say({ kind: 'overflow', sinceMs: 1 });
      await watching.clock.sleep(500);
    }
    yield* pages;
  };
  ground.disk.set(dir('/r/d', 7n));
  watching.source.say(event('/r/d'));
  for (let n = 0; n < 20; n += 1) await watching.clock.advance(100);
  expect(watching.journal('"added"')).toHaveLength(2);
  expect(ground.store.baseline.find(path('/r/d/x'))).toBeDefined();
});

test('a wall clock that is set back does not hold up what is dirty', async () => {
  await watching.begin();
  ground.disk.set(entry('/r/a', { mode: 0o600 }));
  watching.source.say({ kind: 'dirty', path: path('/r/a'), subtree: false, actor: { source: 'unknown' } });
  await watching.clock.advance(50);
  watching.clock.step(-3_600_000);
  await watching.clock.advance(50);
  expect(watching.journal('"changed"')).toHaveLength(1);
});

test('a rename is one move, also when the old name was due before the new one was seen', async () => {
  await watching.begin();
  const actor = { source: 'unknown' } as const;
  const dirty = (name: string) => ({ kind: 'dirty', path: path(name), subtree: false, actor }) as const;
  for (let ms = 0; ms < 960; ms += 60) {
    watching.source.say(dirty('/r/a'));
    await watching.clock.advance(60);
  }
  ground.disk.remove(path('/r/a'));
  ground.disk.set(entry('/r/b'));
  watching.source.say(dirty('/r/a'), dirty('/r/b'), { kind: 'renamed', paths: [path('/r/a'), path('/r/b')] });
  await watching.clock.advance(1000);
  expect(watching.journal('/r/b')).toHaveLength(1);
  expect(watching.journal('"moved"')).toHaveLength(1);
  expect(watching.journal('"removed"')).toEqual([]);
});

/** A hook that looks for itself; each run calls `during`, and its paths are told. */
async function beginMirror(during: () => Promise<void>): Promise<string[][]> {
  const given: string[][] = [];
  ground.rules = [rule('all', ['/r'], { onDrift: 'accept', hooks: ['mirror'] })];
  const hooks = [hook({ name: 'mirror', quietMs: 10, deadlineMs: 100 })];
  await watching.begin({
    hooks,
    run: async ({ batch }) => {
      given.push([...batch.paths]);
      if (given.length === 1) await during();
      return { outcome: 'ok', exitCode: 0, signal: undefined, output: '', problem: undefined };
    },
  });
  return given;
}

test('a hook hears again of a path that was another while it ran, though it is no drift', async () => {
  const given = await beginMirror(async () => {
    watching.source.say(event('/r/b'), event('/r/d', true));
    await watching.clock.sleep(300);
  });
  ground.disk.remove(path('/r/a'));
  ground.disk.set(entry('/r/b'));
  for (const one of [dir('/r/d', 7n), entry('/r/d/x')]) ground.disk.set(one);
  for (const name of ['/r/a', '/r/b', '/r/d']) watching.source.say(event(name));
  await watching.clock.advance(150);
  expect(given).toEqual([['/r/a', '/r/b', '/r/d', '/r/d/x']]);
  // What came is as it was, and older than the run; what is below a directory that came and went is not looked at.
  await watching.clock.advance(1000);
  expect(given.slice(1)).toEqual([['/r/d', '/r/d/x']]);
});

test('a hook hears again of a file that came and went while it ran', async () => {
  const given = await beginMirror(async () => {
    watching.source.say(event('/r/a'), event('/r/other'));
    await watching.clock.sleep(300);
  });
  ground.disk.remove(path('/r/a'));
  watching.source.say(event('/r/a'));
  await watching.clock.advance(5000);
  expect(given).toEqual([['/r/a'], ['/r/a']]);
  watching.source.say(event('/r/a'));
  await watching.clock.advance(5000);
  expect(given).toHaveLength(2);
});

test('a hook hears of a file that came, was read by its run, and went before the next', async () => {
  const given = await beginMirror(async () => {
    for (const change of [() => ground.disk.set(entry('/r/a')), () => ground.disk.remove(path('/r/a'))]) {
      change();
      watching.source.say(event('/r/a'));
      await watching.clock.sleep(300);
    }
  });
  ground.disk.remove(path('/r/a'));
  watching.source.say(event('/r/a'));
  await watching.clock.advance(5000);
  expect(watching.journal('"added"')).toHaveLength(1);
  expect(given).toEqual([['/r/a'], ['/r/a']]);
});

/** The drift that is open when this was said and looked at. */
async function openAfter(...names: string[]): Promise<string[]> {
  watching.source.say(...names.map((name) => event(name)));
  await watching.clock.advance(1000);
  return ground.open();
}

test('what could not be accepted before what is above it is accepted after that', async () => {
  ground.rules = [rule('all', ['/r'], { onDrift: 'accept' })];
  await watching.begin();
  ground.disk.remove(path('/r/a'));
  for (const one of [dir('/r/a', 7n), entry('/r/a/x', { inode: 8n }), entry('/r/a/y', { inode: 9n })])
    ground.disk.set(one);
  expect(await openAfter('/r/a/x', '/r/a/y')).toEqual(['/r/a/x', '/r/a/y']);
  expect(await openAfter('/r/a')).toEqual([]);
  expect((await ground.check()).found).toEqual([]);
  // Once as what waits, and once as what is accepted.
  expect(watching.journal('"added"')).toHaveLength(4);
});

test('what waited for something else that waited is accepted, too', async () => {
  ground.rules = [rule('all', ['/r'], { onDrift: 'accept' })];
  for (const one of [dir('/r/d', 5n), entry('/r/d/p', { inode: 6n }), entry('/r/e', { inode: 7n })])
    ground.disk.set(one);
  await ground.dirty('/r/');
  expect(ground.open()).toEqual([]);
  await watching.begin();
  ground.disk.remove(path('/r/d'));
  ground.disk.set(entry('/r/d', { inode: 10n }));
  ground.disk.remove(path('/r/e'));
  for (const one of [dir('/r/e', 8n), entry('/r/e/p', { inode: 6n })]) ground.disk.set(one);
  expect(await openAfter('/r/d', '/r/d/p', '/r/e/p')).toEqual(['/r/d', '/r/d/p -> /r/e/p']);
  expect(await openAfter('/r/e')).toEqual([]);
  expect((await ground.check()).found).toEqual([]);
});

test('an acceptance that the end interrupts is told to try again', async () => {
  await watching.begin();
  let isReading = false;
  let fail = (): void => {};
  ground.disk.walk = async function* () {
    isReading = true;
    await new Promise<void>((_, reject) => {
      fail = () => reject(new Error('the disk is closed'));
    });
  };
  const accepted = watching.watch.accept({
    paths: [],
    report: undefined,
    reviewed: undefined,
    by: { source: 'unknown' },
  });
  const refused = expect(accepted).rejects.toMatchObject({ code: 'BUSY' });
  await watching.clock.advance(1000);
  expect(isReading).toBe(true);
  const ended = watching.stop();
  fail();
  await refused;
  await ended;
});

test('a change under another name of an inode is found at the names of the baseline', async () => {
  await watching.begin();
  ground.disk.set(entry('/r/a', { digest: digestOf('2') }));
  watching.source.say({ kind: 'linked', inodeKeys: [inodeKey(42n)], actor: { source: 'proc', pid: 7 } });
  await watching.clock.advance(1000);
  expect(ground.open()).toEqual(['/r/a']);
});

test.each([
  ['a file', 100n],
  ['a large file', 100n * 1024n * 1024n],
])('a change under another name, which came after %s had been read, is found', async (_, sizeBytes) => {
  await watching.begin();
  const { read } = ground.disk;
  const before = entry('/r/b', { inode: 7n, sizeBytes });
  const after = { ...before, nlink: 2, digest: digestOf('2') };
  let readings = 0;
  ground.disk.read = async (...asked) => {
    const found = await read(...asked);
    if (found.postponed?.length !== 0) return found;
    readings += 1;
    ground.disk.set(after);
    // link(2): the thread that reads events knows nothing of the inode yet.
    expect(watching.inodes.has(inodeKey(7n))).toBe(readings > 1);
    watching.inodes.noteChange(inodeKey(7n));
    return found;
  };
  ground.disk.set(before);
  watching.source.say(event('/r/b'));
  for (let ms = 0; ms < 10_000; ms += 100) await watching.clock.advance(100);
  expect(watching.journal('"added"')).toHaveLength(2);
  // Once its inode is known each change is told.
  expect(readings).toBe(2);
});

/** As the thread that reads events does it, of a change under a name that no rule covers. */
function changeElsewhere(...entries: Entry[]): void {
  for (const one of entries) {
    ground.disk.set(one);
    const key = inodeKey(one.inode);
    watching.inodes.noteChange(key);
    if (watching.inodes.has(key))
      watching.source.say({ kind: 'linked', inodeKeys: [key], actor: { source: 'unknown' } });
  }
}

test('of two new names of one inode both are read again when it changed while they were read', async () => {
  await watching.begin();
  const { read } = ground.disk;
  const both = ['/r/f', '/r/g'].map((name) => entry(name, { inode: 9n, nlink: 3 }));
  ground.disk.read = async (...asked) => {
    const found = await read(...asked);
    ground.disk.read = read;
    changeElsewhere(...both.map((one) => ({ ...one, digest: digestOf('2') })));
    return found;
  };
  for (const one of both) ground.disk.set(one);
  watching.source.say(event('/r/f'), event('/r/g'));
  await watching.clock.advance(1000);
  expect(watching.journal('"/r/f"')).toHaveLength(2);
  expect(watching.journal('"/r/g"')).toHaveLength(2);
});

test('what was replaced by something equal is found when it changes under another name', async () => {
  await watching.begin();
  const replaced = entry('/r/a', { inode: 77n });
  ground.disk.set(replaced);
  expect(await openAfter('/r/a')).toEqual([]);
  changeElsewhere({ ...replaced, nlink: 2, digest: digestOf('2') });
  await watching.clock.advance(1000);
  expect(ground.open()).toEqual(['/r/a']);
});

test('the same when it was replaced while nobody watched', async () => {
  const replaced = entry('/r/a', { inode: 77n });
  ground.disk.set(replaced);
  await watching.begin();
  changeElsewhere({ ...replaced, nlink: 2, digest: digestOf('2') });
  await watching.clock.advance(1000);
  expect(ground.open()).toEqual(['/r/a']);
});

test('what changes under another name while a batch is being recorded is read again', async () => {
  await watching.begin();
  const files = Array.from({ length: 2_600 }, (_, n) => entry(`/r/t/f${10_000 + n}`, { inode: BigInt(1000 + n) }));
  for (const one of [dir('/r/t', 5n), ...files]) ground.disk.set(one);
  const ends = [files.slice(0, 1), files.slice(-1)].flat();
  const { commit } = ground.store;
  let pages = 0;
  ground.store.commit = (what) => {
    commit(what);
    if ((what.openDrift?.length ?? 0) === 0) return;
    pages += 1;
    if (pages === 1) changeElsewhere(...ends.map((one) => ({ ...one, nlink: 2, digest: digestOf('2') })));
  };
  watching.source.say(event('/r/t', true));
  for (let ms = 0; ms < 5000; ms += 100) await watching.clock.advance(100);
  expect(pages).toBeGreaterThan(2);
  for (const { path: name } of ends) expect(ground.store.openDriftAt(name)).toMatchObject([{ seq: 2 }]);
});

test('of a storm no more is in hand than a slice, all of it is found, and a move from one slice to another is one drift', async () => {
  const before = Array.from({ length: 3_000 }, (_, n) => entry(`/r/f${1000 + n}`, { inode: BigInt(1000 + n) }));
  for (const one of before) ground.disk.set(one);
  ground.store.commit({ accept: { put: before, drop: [] } });
  const { disk, store } = ground;
  const { read } = disk;
  const { commit } = store;
  let [inHand, most] = [0, 0];
  disk.read = (dir, names, ...rest) => {
    inHand += names.length;
    most = Math.max(most, inHand);
    return read(dir, names, ...rest);
  };
  store.commit = (what) => {
    inHand = 0;
    commit(what);
  };
  await watching.begin();
  const changed = before.slice(1).map((one) => ({ ...one, mode: 0o600 }));
  for (const one of changed) disk.set(one);
  disk.move(path('/r/f1000'), path('/r/z'));
  watching.source.say(...[...before.map((one) => one.path), '/r/z'].map((name) => event(name)));
  await watching.clock.advance(5000);
  expect(ground.open()).toEqual(['/r/f1000 -> /r/z', ...changed.map((one) => one.path)]);
  expect(watching.journal('"changed"')).toHaveLength(changed.length);
  // The other half of a move is looked at with the second one, and both with all of their slice.
  expect(most).toBeGreaterThan(1000);
  expect(most).toBeLessThan(3000);
});

test('while a large tree is compared others have their turn, and leave what moved out of it to whoever is at it', async () => {
  const [old, other] = [entry('/r/d/x', { inode: 50n }), entry('/r/other', { inode: 51n })];
  for (const one of [dir('/r/d', 5n), old, dir('/r/e', 6n), other]) ground.disk.set(one);
  ground.store.commit({ accept: { put: [dir('/r/d', 5n), old, dir('/r/e', 6n), other], drop: [] } });
  await watching.begin();
  for (let d = 10; d < 20; d += 1) {
    ground.disk.set(dir(`/r/d/${d}`, BigInt(d)));
    for (let n = 0; n < 600; n += 1) ground.disk.set(entry(`/r/d/${d}/${n}`, { inode: BigInt(d * 1000 + n) }));
  }
  const { walk } = ground.disk;
  ground.disk.walk = async function* (...asked) {
    for await (const page of walk(...asked)) {
      await watching.clock.sleep(200);
      yield page;
    }
  };
  ground.disk.move(path('/r/d/x'), path('/r/e/x'));
  expect(await openAfter('/r/d/x')).toEqual(['/r/d/x']);
  watching.source.say(event('/r/d', true));
  await watching.clock.advance(500);
  ground.disk.set({ ...other, mode: 0o600 });
  watching.source.say(event('/r/d/x'), event('/r/e/x'), event('/r/other'));
  for (let ms = 0; ms < 1000; ms += 100) await watching.clock.advance(100);
  expect(watching.journal('"changed"')).toHaveLength(1);
  expect(watching.watch.state().isBusy).toBe(true);
  expect(watching.journal('"moved"')).toEqual([]);
  for (let ms = 0; ms < 20_000; ms += 100) await watching.clock.advance(100);
  expect(ground.open().filter((name) => name.includes('->'))).toEqual(['/r/d/x -> /r/e/x']);
  expect(ground.open()).toHaveLength(6012);
});

test('files that moved while nobody watched are moves, however many, and no removals before', async () => {
  const before = Array.from({ length: 1_500 }, (_, n) => entry(`/r/old/f${1000 + n}`, { inode: BigInt(1000 + n) }));
  const dirs = [dir('/r/old', 2n), dir('/r/young', 3n)];
  for (const one of dirs) ground.disk.set(one);
  for (const one of before) ground.disk.set(one);
  ground.store.commit({ accept: { put: [...dirs, ...before], drop: [] } });
  for (const one of before) ground.disk.move(one.path, path(one.path.replace('old', 'young')));
  await watching.begin();
  expect(ground.open()).toEqual(before.map((one) => `${one.path} -> ${one.path.replace('old', 'young')}`));
  expect(watching.journal('"removed"')).toEqual([]);
});
