// Directories with very many differences: they go by in slices, and what is said adds up to the same.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { digestOf, entry, path } from '../../fakes/entry.ts';
import { hook } from '../../fakes/hook.ts';
import { rule } from '../../fakes/rule.ts';
import { dir, Ground } from './ground.ts';
import { event, Watching } from './watching.ts';

const FILES = 30;
let ground: Ground;

beforeEach(() => {
  ground = new Ground();
  ground.sliceMax = 7;
});
afterEach(() => ground.close());

/** A directory with three directories in it, and files in those. */
const tree = (top: string) => [
  dir(top, 100n),
  ...[0, 1, 2].map((n) => dir(`${top}/s${n}`, BigInt(101 + n))),
  ...Array.from({ length: FILES }, (_, n) =>
    entry(`${top}/s${n % 3}/f${n}`, { inode: BigInt(200 + n), digest: digestOf(`${n}`) }),
  ),
];
const arrive = (top: string): void => {
  for (const one of tree(top)) ground.disk.set(one);
};
const namesBelow = (top: string): string[] => tree(top).map((one) => one.path);

test('a directory that came is told one slice after the other, each path once', async () => {
  await ground.start();
  arrive('/r/new');
  const said = await ground.dirty('/r/new/');
  expect(said.sort()).toEqual(
    namesBelow('/r/new')
      .map((name) => `added ${name} #1`)
      .sort(),
  );
  expect(ground.slices).toBeGreaterThanOrEqual(said.length / 7);
  expect(ground.outboxPaths().sort()).toEqual(namesBelow('/r/new').sort());
  expect(await ground.dirty('/r/new/')).toEqual([]);
  ground.disk.remove(path('/r/new'));
  expect(await ground.dirty('/r/new/')).toHaveLength(said.length);
  expect(ground.open()).toEqual([]);
});

test.each([false, true])(
  'a directory that moved is one drift, also when it is told by itself (%s)',
  async (isApart) => {
    await ground.start(...tree('/r/old'));
    ground.disk.move(path('/r/old'), path('/r/new'));
    if (isApart) expect(await ground.dirty('/r/old')).toHaveLength(FILES + 4);
    const said = await ground.dirty(...(isApart ? ['/r/new'] : ['/r/old/', '/r/new/']));
    expect(said.filter((line) => !line.startsWith('resolved'))).toEqual([`moved /r/old -> /r/new #${isApart ? 2 : 1}`]);
    expect([...ground.told.values()].map(({ entries }) => entries)).toEqual([FILES + 3]);
    expect(ground.open()).toEqual(['/r/old -> /r/new']);
    ground.disk.move(path('/r/new'), path('/r/old'));
    expect(await ground.dirty('/r/new/', '/r/old/')).toEqual(['resolved /r/new']);
  },
);

test('a directory that was told as added before it was told that another went is that one', async () => {
  await ground.start(...tree('/r/old'));
  ground.disk.move(path('/r/old'), path('/r/new'));
  await ground.dirty('/r/new/');
  const said = await ground.dirty('/r/old');
  expect(said.filter((line) => !line.startsWith('resolved'))).toEqual(['moved /r/old -> /r/new #1']);
  expect(ground.open()).toEqual(['/r/old -> /r/new']);
});

test('what changed, came, went and moved on in a directory that moved is told with its old name', async () => {
  await ground.start(...tree('/r/old'));
  ground.disk.move(path('/r/old'), path('/r/new'));
  ground.disk.set(entry('/r/new/s0/f0', { inode: 200n, digest: digestOf('edited') }));
  ground.disk.set(entry('/r/new/s1/x', { inode: 900n }));
  ground.disk.remove(path('/r/new/s1/f1'));
  ground.disk.move(path('/r/new/s2'), path('/r/out'));
  const said = await ground.dirty('/r/old/', '/r/new/', '/r/out/');
  expect(said.sort()).toEqual([
    'added /r/new/s1/x #1',
    'changed /r/old/s0/f0 -> /r/new/s0/f0 #1',
    'moved /r/old -> /r/new #1',
    'moved /r/old/s2 -> /r/out #1',
    'removed /r/old/s1/f1 #1',
  ]);
  const entries = [...ground.told.values()]
    .filter(({ kind }) => kind === 'moved')
    .map((one) => [one.path, one.entries]);
  expect(entries.sort()).toEqual([
    ['/r/new', 2 + 9 + 9],
    ['/r/out', 10],
  ]);
});

test.each([
  ['halves', false],
  ['inodes', true],
] as const)('files that moved one by one into a new directory are moves, found by their %s', async (_, hasNames) => {
  const files = tree('/r/old').filter(({ type }) => type === 'file');
  await ground.start(...tree('/r/old'));
  ground.hasNames = hasNames;
  ground.disk.set(dir('/r/new', 99n));
  for (const [n, file] of files.entries()) ground.disk.move(file.path, path(`/r/new/${n}`));
  const names = files.map((file) => file.path);
  const said = await ground.dirty('/r/new/', ...names);
  expect(said.filter((line) => line.startsWith('removed') && line.includes('/f'))).toEqual([]);
  expect(ground.open()).toEqual(['/r/new', ...files.map((file, n) => `${file.path} -> /r/new/${n}`)].sort());
});

test('a rule that accepts has afterwards what is there, of what came, moved and went', async () => {
  ground.rules = [rule('web', ['/r'], { onDrift: 'accept', hooks: ['mirror'] })];
  await ground.start(...tree('/r/old'));
  ground.disk.move(path('/r/old'), path('/r/new'));
  ground.disk.set(entry('/r/new/s0/f0', { inode: 200n, digest: digestOf('edited') }));
  arrive('/r/other');
  await ground.dirty('/r/old/', '/r/new/', '/r/other/');
  expect(ground.open()).toEqual([]);
  expect((await ground.check('/r')).found).toEqual([]);
  expect(ground.store.baseline.info().entries).toBe(1 + 2 * (FILES + 4));
  ground.disk.remove(path('/r/new'));
  await ground.dirty('/r/new');
  expect((await ground.check('/r')).found).toEqual([]);
  expect(ground.store.baseline.info().entries).toBe(1 + FILES + 4);
});

test('what cannot be read below a tree keeps its drift open', async () => {
  await ground.start(...tree('/r/d'));
  for (let n = 0; n < FILES; n += 1) {
    ground.disk.set(entry(`/r/d/s${n % 3}/f${n}`, { inode: BigInt(200 + n), digest: digestOf('edited') }));
  }
  expect(await ground.dirty('/r/d/')).toHaveLength(FILES);
  ground.disk.fail(path('/r/d/s1'), 5);
  arrive('/r/d');
  expect(await ground.dirty('/r/d/')).toHaveLength(20);
  expect(ground.open()).toHaveLength(10);
});

test('while very much is compared others are told, and what changes in it comes afterwards', async () => {
  await ground.start(entry('/r/other', { inode: 7n }));
  const watching = new Watching(ground);
  await watching.begin();
  const { walk } = ground.disk;
  ground.disk.walk = async function* (roots, options) {
    for await (const page of walk(roots, options)) {
      yield page;
      if (page.extent.kind === 'names') continue;
      // The page has been read, and a part of it recorded, when this happens.
      ground.disk.set(entry('/r/big/0', { inode: 1000n, digest: digestOf('later') }));
      ground.disk.set(entry('/r/other', { inode: 7n, digest: digestOf('2') }));
      watching.source.say(event('/r/other'), event('/r/big/0'));
      await watching.clock.advance(200);
    }
  };
  const files = Array.from({ length: 6_000 }, (_, n) => entry(`/r/big/${n}`, { inode: BigInt(1000 + n) }));
  for (const one of [dir('/r/big', 99n), ...files.slice(0, 5_000)]) ground.disk.set(one);
  for (const one of [dir('/r/big/late', 98n), entry('/r/big/late/x', { inode: 97n })]) ground.disk.set(one);
  watching.source.say(event('/r/big', true));
  for (let n = 0; n < 10; n += 1) await watching.clock.advance(200);
  const told = watching.journal('"type":"drift"');
  const [other, last] = [told.findIndex((line) => line.includes('/r/other')), told.length - 1];
  expect(other).toBeGreaterThan(0);
  expect(other).toBeLessThan(last);
  expect(told.filter((line) => line.includes('"/r/big/0"')).map((line) => JSON.parse(line).seq)).toEqual([1, 2]);
  await watching.stop();
}, 120_000);

test('a later change does not overtake an earlier one of a path that waits for its turn', async () => {
  const trusted = { exe: '/usr/bin/trusted', user: undefined, uid: undefined, unit: undefined };
  const by = [{ ...trusted, severity: undefined, onDrift: 'accept' as const }];
  ground.rules = [rule('all', ['/r'], { by })];
  const said = (exe: string, name: string, subtree = false) =>
    ({ ...event(name, subtree), actor: { source: 'exec', pid: 7, exe } }) as const;
  const first = Array.from({ length: 1_023 }, (_, n) => entry(`/r/a/${n}`, { inode: BigInt(1_000 + n) }));
  await ground.start(dir('/r/a', 2n), dir('/r/b', 3n), dir('/r/b/t', 4n), entry('/r/b/q', { inode: 7n }), ...first);
  const watching = new Watching(ground);
  await watching.begin();
  const { walk } = ground.disk;
  ground.disk.walk = async function* (roots, options) {
    for await (const page of walk(roots, options)) {
      yield page;
      if (page.dir !== '/r/a/big') continue;
      watching.source.say(said('/usr/bin/trusted', '/r/b/q'));
      await watching.clock.advance(200);
    }
  };
  for (const name of ['/r/a/big', '/r/a/big/late']) ground.disk.set(dir(name, BigInt(90 + name.length)));
  ground.disk.set(entry('/r/b/q', { inode: 7n, digest: digestOf('malice') }));
  const names = [...first.map((one) => one.path), '/r/b/q'];
  watching.source.say(...names.map((name) => said('/usr/bin/vi', name)));
  watching.source.say(said('/usr/bin/vi', '/r/a/big', true), said('/usr/bin/vi', '/r/b/t', true));
  for (let n = 0; n < 10; n += 1) await watching.clock.advance(200);
  expect(ground.open()).toEqual(['/r/a/big', '/r/a/big/late', '/r/b/q']);
  await watching.stop();
});

test('of a file that is too large to be read now nothing is over', async () => {
  await ground.start(entry('/r/large', { inode: 7n }));
  ground.disk.set(entry('/r/large', { inode: 7n, sizeBytes: 1_000n, digest: digestOf('edited') }));
  expect(await ground.dirty('/r/large')).toEqual(['changed /r/large #1']);
  ground.contentMaxBytes = 999;
  arrive('/r/new');
  expect(await ground.dirty('/r/large', '/r/new/')).not.toContain('resolved /r/large');
  expect(ground.open()).toContain('/r/large');
});

test.each(['/r/d', '/r/'])(
  'a file in the place of a directory is accepted with all that went (%s)',
  async (doubted) => {
    ground.rules = [rule('web', ['/r'], { onDrift: 'accept' })];
    await ground.start(...tree('/r/d'));
    ground.disk.remove(path('/r/d'));
    ground.disk.set(entry('/r/d', { inode: 300n }));
    await ground.dirty(doubted);
    expect(ground.open()).toEqual([]);
    expect((await ground.check('/r')).found).toEqual([]);
    expect(ground.store.baseline.info().entries).toBe(2);
  },
);

test('of a directory that became a file a directory moved out before', async () => {
  ground.rules = [rule('web', ['/r'], { onDrift: 'accept' })];
  await ground.start(...tree('/r/d'));
  ground.disk.move(path('/r/d/s1'), path('/r/out'));
  ground.disk.remove(path('/r/d'));
  ground.disk.set(entry('/r/d', { inode: 300n }));
  await ground.dirty('/r/d', '/r/out/');
  expect(ground.open()).toEqual([]);
  expect((await ground.check('/r')).found).toEqual([]);
});

test('a directory that moves on while it is compared has gone from where the baseline has it', async () => {
  await ground.start(...tree('/r/old'));
  ground.disk.move(path('/r/old'), path('/r/new'));
  const { read } = ground.disk;
  ground.disk.read = (at, names, ...options) => {
    // The last look at it.
    if (names.includes(path('new'))) ground.disk.move(path('/r/new'), path('/r/out'));
    return read(at, names, ...options);
  };
  const said = await ground.dirty('/r/old/', '/r/new/');
  expect(said.sort()).toEqual(
    namesBelow('/r/old')
      .map((name) => `removed ${name} #1`)
      .sort(),
  );
  ground.disk.read = read;
  await ground.dirty('/r/new', '/r/out/');
  expect(ground.open()).toEqual(['/r/old -> /r/out']);
});

test('a hook is told once of what is found in slices, and again of what it read before', async () => {
  ground.rules = [rule('all', ['/r'], { onDrift: 'accept', hooks: ['mirror'] })];
  await ground.start(dir('/r/big', 2n), entry('/r/big/x', { inode: 3n }));
  const dirs = [0, 1, 2, 3, 4].map((n) => dir(`/r/big/${n}`, BigInt(10 + n)));
  const files = dirs.flatMap((one, at) =>
    Array.from({ length: 1_100 }, (_, n) => entry(`${one.path}/${n}`, { inode: BigInt(10_000 * (at + 1) + n) })),
  );
  const watching = new Watching(ground);
  const given: string[][] = [];
  await watching.begin({
    hooks: [hook({ name: 'mirror', quietMs: 10, deadlineMs: 100 })],
    run: async ({ batch }) => {
      given.push([...batch.paths]);
      if (given.length === 1) {
        for (const one of [...dirs, ...files]) ground.disk.set(one);
        watching.source.say(event('/r/big', true));
        await watching.clock.sleep(300);
      }
      return { outcome: 'ok', exitCode: 0, signal: undefined, output: '', problem: undefined };
    },
  });
  const { walk } = ground.disk;
  ground.disk.walk = async function* (roots, options) {
    for await (const page of walk(roots, options)) {
      yield page;
      await watching.clock.advance(200);
    }
  };
  ground.disk.set(entry('/r/big/x', { inode: 3n, mode: 0o600 }));
  watching.source.say(event('/r/big/x'));
  for (let n = 0; n < 20; n += 1) await watching.clock.advance(200);
  const names = [...dirs, ...files].map((one) => one.path);
  expect(given.length).toBeGreaterThan(2);
  // The run may also have made the directory for what it was given.
  expect(given.flat().sort()).toEqual([...names, '/r/big', '/r/big/x', '/r/big/x'].sort());
  await watching.stop();
}, 120_000);

test('the seals of the whole baseline are read only for a walk, and once for all walks of one comparison', async () => {
  await ground.start(...tree('/r/old'));
  const seals = vi.spyOn(ground.store.baseline, 'seals');
  ground.disk.move(path('/r/old'), path('/r/new'));
  await ground.dirty('/r/old');
  expect(seals).not.toHaveBeenCalled();
  // It is walked again, when it is found where it came from.
  await ground.dirty('/r/new');
  expect(ground.open()).toEqual(['/r/old -> /r/new']);
  expect(seals).toHaveBeenCalledTimes(2);
});

test.each([7, Number.POSITIVE_INFINITY])('who is to end waits for no walk (%s)', async (sliceMax) => {
  await ground.start(...tree('/r/d'));
  ground.disk.remove(path('/r/d/s0/f0'));
  expect(await ground.dirty('/r/d/')).toEqual(['removed /r/d/s0/f0 #1']);
  ground.sliceMax = sliceMax;
  arrive('/r/d');
  let pages = 0;
  const { walk } = ground.disk;
  ground.disk.walk = async function* (roots, options) {
    for await (const page of walk(roots, options)) {
      pages += 1;
      ground.stop.abort();
      yield page;
    }
  };
  // Of what was not looked at nothing is over, either.
  expect(await ground.dirty('/r/d/')).toEqual([]);
  expect(pages).toBe(1);
  expect(ground.open()).toEqual(['/r/d/s0/f0']);
});

test('what cannot be read in a directory that moved keeps what is open under its old name', async () => {
  await ground.start(...tree('/r/old'));
  ground.disk.move(path('/r/old'), path('/r/new'));
  ground.disk.remove(path('/r/new/s1/f1'));
  await ground.dirty('/r/old/', '/r/new/');
  const open = ['/r/old -> /r/new', '/r/old/s1/f1'];
  expect(ground.open()).toEqual(open);
  ground.disk.fail(path('/r/new/s1'), 5);
  await ground.dirty('/r/old/', '/r/new/');
  expect(ground.open()).toEqual(open);
});

test('what is found gone on the way through where a directory is now is told, too', async () => {
  await ground.start(...tree('/r/old'), entry('/r/y', { inode: 900n }));
  ground.disk.move(path('/r/old'), path('/r/new'));
  await ground.dirty('/r/new/');
  ground.disk.move(path('/r/y'), path('/r/new/y'));
  expect(await ground.dirty('/r/y', '/r/new/y')).toEqual(['moved /r/y -> /r/new/y #1']);
  ground.disk.remove(path('/r/new/y'));
  expect(await ground.dirty('/r/old')).toContain('removed /r/y #2');
  expect(ground.open()).toEqual(['/r/old -> /r/new', '/r/y']);
});

test('who comes while very much is compared has a turn of one slice', async () => {
  const others = Array.from({ length: 4_000 }, (_, n) => entry(`/r/o/${n}`, { inode: BigInt(1_000 + n) }));
  await ground.start(dir('/r/o', 2n));
  const watching = new Watching(ground);
  await watching.begin();
  const { walk } = ground.disk;
  const told: number[] = [];
  ground.disk.walk = async function* (roots, options) {
    for await (const page of walk(roots, options)) {
      told.push(watching.journal('/r/o/').length);
      yield page;
      if (told.length === 1) watching.source.say(...others.map((one) => event(one.path)));
      await watching.clock.advance(200);
    }
  };
  for (const one of others) ground.disk.set(one);
  for (let n = 0; n < 4; n += 1) ground.disk.set(dir(`/r/big${'/d'.repeat(n)}`, BigInt(90 + n)));
  watching.source.say(event('/r/big', true));
  for (let n = 0; n < 10; n += 1) await watching.clock.advance(200);
  const turns = told.slice(1).map((now, n) => now - (told[n] ?? 0));
  expect(Math.max(...turns)).toBeGreaterThan(0);
  expect(Math.max(...turns)).toBeLessThanOrEqual(1_024);
  expect(watching.journal('/r/o/')).toHaveLength(others.length);
  await watching.stop();
}, 120_000);

test.each([false, true])(
  'who moves what somebody else may have changed before is not trusted (seen %s)',
  async (isSeen) => {
    const actors = [{ source: 'exec', pid: 7, exe: '/usr/bin/trusted' } as const];
    const trusted = { exe: '/usr/bin/trusted', user: undefined, uid: undefined, unit: undefined };
    ground.rules = [rule('all', ['/r'], { by: [{ ...trusted, severity: undefined, onDrift: 'accept' }] })];
    ground.hasNames = true;
    await ground.start(entry('/r/x', { inode: 900n }));
    arrive('/r/new');
    ground.disk.move(path('/r/x'), path('/r/new/x'));
    await ground.dirtyBy({ actors }, '/r/new/', ...(isSeen ? ['/r/x'] : []));
    expect(ground.open()).toEqual(isSeen ? [] : ['/r/x -> /r/new/x']);
  },
);
