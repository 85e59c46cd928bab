// Large files beside everything else: what waits for them, and what does not.
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Entry } from '../../../src/domain/entry.ts';
import type { Disk } from '../../../src/engine/ports/disk.ts';
import { digestOf, entry, path } from '../../fakes/entry.ts';
import { dir, Ground } from './ground.ts';
import { event, Watching } from './watching.ts';

const LARGE = 100n * 1024n * 1024n;
const large = (name: string, inode: bigint, fields: Partial<Entry> = {}): Entry =>
  entry(name, { inode, sizeBytes: LARGE, ...fields });

let ground: Ground;
let watching: Watching;
let readings: Readings;

/** Files that are being read; each reading ends when the test says so. */
class Readings {
  /** Names, in the order in which it was begun with them. */
  readonly begun: string[] = [];
  /** Of disks that were closed before the end. */
  canceled = 0;
  /** Disks that are open. */
  open = 0;
  #end = (): void => {};

  openDisk = (): Disk => {
    this.open += 1;
    let cancel = (): void => {};
    return {
      ...ground.disk,
      read: async (at, names) => {
        this.begun.push(...names);
        await new Promise<void>((resolve, reject) => {
          this.#end = resolve;
          cancel = () => {
            cancel = () => {};
            this.canceled += 1;
            reject(new Error('the disk is closed'));
          };
        });
        cancel = () => {};
        return await ground.disk.read(at, names);
      },
      close: () => {
        this.open -= 1;
        return Promise.resolve(cancel());
      },
    };
  };

  async end(): Promise<void> {
    this.#end();
    await watching.clock.advance(0);
  }
}

beforeEach(async () => {
  ground = new Ground();
  await ground.start(
    entry('/r/a'),
    large('/r/large', 50n),
    large('/r/other', 51n),
    dir('/r/d', 60n),
    large('/r/d/in', 61n, { digest: digestOf('in') }),
  );
  watching = new Watching(ground);
  readings = new Readings();
  await watching.begin({ openLargeDisk: readings.openDisk });
});
afterEach(async () => {
  await watching.stop();
  ground.close();
});

/** Drift as it was recorded: kind and names, in order. */
const told = (): string[] =>
  watching.journal('"kind"').map((line) => {
    const { kind, path: at, from } = JSON.parse(line);
    return from === undefined ? `${kind} ${at}` : `${kind} ${from} -> ${at}`;
  });

/** Writes to a large file; it is being read when this resolves, if no other one is. */
async function write(name: string, inode: bigint, content = name): Promise<void> {
  ground.disk.set(large(name, inode, { digest: digestOf(content) }));
  watching.source.say(event(name));
  await watching.clock.advance(200);
}

test('what is small does not wait for what is large, and the backlog tells of both', async () => {
  ground.disk.set(large('/r/large', 50n, { digest: digestOf('2') }));
  ground.disk.set(entry('/r/a', { mode: 0o600 }));
  watching.source.say(event('/r/large'), event('/r/a'));
  await watching.clock.advance(200);
  expect(told()).toEqual(['changed /r/a']);
  expect(watching.watch.state()).toMatchObject({ backlog: 1, isBusy: true });
  await readings.end();
  expect(told()).toEqual(['changed /r/a', 'changed /r/large']);
  expect(watching.watch.state()).toMatchObject({ backlog: 0, isBusy: false });
});

test('large files are read one after the other, the one that waits longest first', async () => {
  await write('/r/large', 50n);
  await write('/r/other', 51n);
  await write('/r/d/in', 61n);
  await write('/r/other', 51n, 'again');
  expect(readings.begun).toEqual(['large']);
  for (let n = 0; n < 3; n += 1) await readings.end();
  expect(readings.begun).toEqual(['large', 'other', 'in']);
  expect(told()).toEqual(['changed /r/large', 'changed /r/other', 'changed /r/d/in']);
});

test('a file that is written to while it is read is recorded, and read once more', async () => {
  await write('/r/large', 50n, 'one');
  await write('/r/large', 50n, 'two');
  expect(readings.begun).toEqual(['large']);
  expect(watching.watch.state().backlog).toBe(2);
  await readings.end();
  expect(told()).toEqual(['changed /r/large']);
  await watching.clock.advance(200);
  expect(readings.begun).toEqual(['large', 'large']);
  ground.disk.set(large('/r/large', 50n));
  await readings.end();
  expect(ground.open()).toEqual([]);
  expect(watching.watch.state().backlog).toBe(0);
});

test('a new file is large, too', async () => {
  await write('/r/new', 70n);
  expect(told()).toEqual([]);
  await readings.end();
  expect(told()).toEqual(['added /r/new']);
});

test.each([
  { read: '/r/large', from: '/r/large', to: '/r/new', expected: ['moved /r/large -> /r/new'] },
  { read: '/r/d/in', from: '/r/d', to: '/r/e', expected: ['moved /r/d -> /r/e'] },
  { read: '/r/large', from: '/r/d/in', to: '/r/large', expected: ['changed /r/large', 'removed /r/d/in'] },
])('what is renamed while a file is read is compared together: $from -> $to', async ({ read, from, to, expected }) => {
  await write(read, read === '/r/large' ? 50n : 61n, read === '/r/large' ? 'abc' : 'in');
  expect(readings.begun).toHaveLength(1);
  ground.disk.move(path(from), path(to));
  ground.disk.set(entry('/r/a', { mode: 0o600 }));
  const isTree = from === '/r/d';
  watching.source.say(event(from, isTree), event(to, isTree), { kind: 'renamed', paths: [path(from), path(to)] });
  watching.source.say(event('/r/a'));
  await watching.clock.advance(5000);
  expect(told()).toEqual(['changed /r/a']);
  while (watching.watch.state().backlog > 0) {
    await readings.end();
    await watching.clock.advance(200);
  }
  expect(told().slice(1).sort()).toEqual(expected);
  expect((await ground.check()).found.filter((line) => line !== 'changed /r/a')).toEqual(expected);
});

test('what takes the place of a file while it is read is compared together with where it came from', async () => {
  await write('/r/large', 50n);
  ground.disk.remove(path('/r/large'));
  ground.disk.move(path('/r/d'), path('/r/large'));
  watching.source.say(event('/r/d', true), event('/r/large', true));
  watching.source.say({ kind: 'renamed', paths: [path('/r/d'), path('/r/large')] });
  await watching.clock.advance(200);
  await readings.end();
  await watching.clock.advance(200);
  const { found } = await ground.check();
  expect(found).toContain('moved /r/d/in -> /r/large/in');
  expect(told().sort()).toEqual(found);
});

test('a large file that was renamed, and nothing else, is one move at once', async () => {
  ground.disk.move(path('/r/large'), path('/r/new'));
  const paths = [path('/r/large'), path('/r/new')];
  watching.source.say(event('/r/large'), event('/r/new'), { kind: 'renamed', paths });
  await watching.clock.advance(200);
  expect(told()).toEqual(['moved /r/large -> /r/new']);
  expect(readings.begun).toEqual([]);
});

test('a large file in the place of a directory is compared together with what left that', async () => {
  ground.disk.move(path('/r/d/in'), path('/r/new'));
  ground.disk.remove(path('/r/d'));
  ground.disk.set(large('/r/d', 80n));
  watching.source.say(event('/r/d'), event('/r/new'));
  await watching.clock.advance(200);
  expect(told()).toEqual(['changed /r/d', 'moved /r/d/in -> /r/new']);
  expect(readings.begun).toEqual([]);
});

test('what a new directory has been read with is not read again', async () => {
  ground.disk.set(dir('/r/e', 80n));
  ground.disk.set(large('/r/e/in', 81n));
  watching.source.say(event('/r/e'), event('/r/e/in'));
  await watching.clock.advance(200);
  expect(told()).toEqual(['added /r/e', 'added /r/e/in']);
  expect(readings.begun).toEqual([]);
});

test.each([
  { why: 'a small one', gone: '/r/a', arrived: '/r/new', expected: 'added /r/new' },
  {
    why: 'a large one, in the place of one that the baseline has',
    gone: '/r/other',
    arrived: '/r/large',
    expected: 'changed /r/large',
  },
])('a large file is read by itself when what went beside it is $why', async ({ gone, arrived, expected }) => {
  ground.disk.remove(path(gone));
  ground.disk.set(large(arrived, 80n, { digest: digestOf('2') }));
  watching.source.say(event(gone), event(arrived));
  await watching.clock.advance(200);
  expect(told()).toEqual([`removed ${gone}`]);
  await readings.end();
  expect(told()).toEqual([`removed ${gone}`, expected]);
});

test('a large file that waits goes with its directory', async () => {
  await write('/r/large', 50n);
  await write('/r/d/in', 61n);
  ground.disk.set(large('/r/d/in', 61n, { digest: digestOf('in') }));
  ground.disk.move(path('/r/d'), path('/r/e'));
  watching.source.say(event('/r/d', true), event('/r/e', true), {
    kind: 'renamed',
    paths: [path('/r/d'), path('/r/e')],
  });
  await watching.clock.advance(200);
  expect(told()).toEqual(['moved /r/d -> /r/e']);
  expect(watching.watch.state().backlog).toBe(1);
  await readings.end();
  expect(readings.begun).toEqual(['large']);
});

test('the disk of large files is closed when none is left, and opened for the next', async () => {
  await write('/r/large', 50n);
  await readings.end();
  expect(readings.open).toBe(0);
  await write('/r/other', 51n);
  expect(readings.open).toBe(1);
});

test('a large file that waits for its turn can be renamed or go meanwhile', async () => {
  await write('/r/large', 50n);
  await write('/r/other', 51n);
  await write('/r/d/in', 61n);
  ground.disk.set(large('/r/other', 51n));
  ground.disk.move(path('/r/other'), path('/r/new'));
  ground.disk.remove(path('/r/d/in'));
  const paths = [path('/r/other'), path('/r/new')];
  watching.source.say(event('/r/other'), event('/r/new'), { kind: 'renamed', paths }, event('/r/d/in'));
  await watching.clock.advance(200);
  expect(told()).toEqual(['removed /r/d/in', 'moved /r/other -> /r/new']);
  await readings.end();
  expect(readings.begun).toEqual(['large']);
  expect(watching.watch.state().backlog).toBe(0);
});

test('a file that goes while it is read is removed, and nothing else is told of it', async () => {
  await write('/r/large', 50n);
  ground.disk.remove(path('/r/large'));
  watching.source.say(event('/r/large'));
  await watching.clock.advance(200);
  expect(told()).toEqual([]);
  await readings.end();
  await watching.clock.advance(200);
  expect(told()).toEqual(['removed /r/large']);
});

const all = { paths: [], report: undefined, reviewed: undefined, by: { source: 'unknown' } } as const;

test('an acceptance waits for the file that is being read, but for no other', async () => {
  await write('/r/large', 50n);
  await write('/r/other', 51n);
  let isOver = false;
  const accepted = watching.watch.accept(all).then((result) => {
    isOver = true;
    return result;
  });
  await watching.clock.advance(200);
  expect(isOver).toBe(false);
  await readings.end();
  expect((await accepted).accepted.map((drift) => drift.path)).toEqual(['/r/large', '/r/other']);
  await watching.clock.advance(0);
  expect(readings.begun).toEqual(['large', 'other']);
  await readings.end();
  expect(ground.open()).toEqual([]);
  // Nobody was told of the other one before.
  expect(told()).toEqual(['changed /r/large', 'changed /r/other']);
});

test('who asks for suspects is told at once, large files among them', async () => {
  await write('/r/large', 50n);
  ground.disk.set(large('/r/large', 50n));
  ground.disk.set(large('/r/other', 51n, { digest: digestOf('2') }));
  ground.disk.set(entry('/r/a', { mode: 0o600 }));
  watching.source.say(event('/r/a'), event('/r/other'), event('/r/large'));
  const suspects = watching.watch.suspects();
  await watching.clock.advance(0);
  expect(await suspects).toEqual({ kind: 'suspects', paths: ['/r/a', '/r/large', '/r/other'] });
  expect(readings.begun).toEqual(['large']);
});

test('a directory above the rules that waits for a large file is suspected as what the rules say', async () => {
  await write('/r/large', 50n);
  watching.source.say(event('/'));
  const suspects = watching.watch.suspects();
  await watching.clock.advance(0);
  expect(await suspects).toEqual({ kind: 'suspects', paths: ['/r', '/r/large'] });
});

test('a large file that could not be read is in doubt until it has been read', async () => {
  ground.disk.set(large('/r/large', 50n, { incomplete: 5, digest: undefined }));
  watching.source.say(event('/r/large'));
  await watching.clock.advance(200);
  await readings.end();
  const unsure = { kind: 'unsure', reason: 'something could not be read' };
  expect(await watching.watch.suspects()).toMatchObject(unsure);
  await write('/r/large', 50n);
  expect(await watching.watch.suspects()).toMatchObject(unsure);
  await readings.end();
  const suspects = watching.watch.suspects();
  await watching.clock.advance(0);
  expect(await suspects).toMatchObject({ kind: 'suspects' });
});

test('the end does not wait: the reading is canceled', async () => {
  await write('/r/large', 50n);
  await watching.stop();
  expect(readings.canceled).toBe(1);
  expect(told()).toEqual([]);
});

test.each([
  ['its new name, and then without its old one', ['/r/large2', '/r/large']],
  ['no name, and then with a new one', ['/r/large', '/r/large2']],
])('a large file that was told with %s is one move', async (_, names) => {
  for (const name of names) {
    if (name === '/r/large') ground.disk.remove(path(name));
    else ground.disk.set(large(name, 50n));
    watching.source.say(event(name));
    await watching.clock.advance(200);
    await readings.end();
    await watching.clock.advance(200);
  }
  expect(ground.open()).toEqual(['/r/large -> /r/large2']);
  expect(watching.journal('"moved"')).toHaveLength(1);
  expect(readings.begun).toEqual(['large2']);
});
