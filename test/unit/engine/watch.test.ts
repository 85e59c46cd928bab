// The loop, over events that a test makes up, a disk in memory and a real baseline.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openHasher } from '../../../src/disk/digest.ts';
import { inodeKey } from '../../../src/domain/inode-table.ts';
import { compileScope } from '../../../src/domain/rule.ts';
import type { HookSettings } from '../../../src/domain/settings.ts';
import { openInodeNames } from '../../../src/engine/inode-names.ts';
import type { EventSource, WatchEvent } from '../../../src/engine/ports/event-source.ts';
import type { HookRunner } from '../../../src/engine/ports/hook-runner.ts';
import { openTrigger } from '../../../src/engine/trigger.ts';
import { openWatch, type Watch } from '../../../src/engine/watch.ts';
import { createManualClock, type ManualClock } from '../../fakes/clock.ts';
import { digestOf, entry, path } from '../../fakes/entry.ts';
import { hook } from '../../fakes/hook.ts';
import { silentRecords, silentReporter } from '../../fakes/records.ts';
import { rule } from '../../fakes/rule.ts';
import { dir, Ground } from './ground.ts';

let ground: Ground;
let clock: ManualClock;
let stopped: AbortController;
let source: ReturnType<typeof fakeSource>;
let watch: Watch;
let running: Promise<void>;

beforeEach(async () => {
  ground = new Ground();
  await ground.start(entry('/r/a'));
  clock = createManualClock();
  stopped = new AbortController();
  source = fakeSource();
});
afterEach(async () => {
  stopped.abort();
  await running;
  ground.close();
});

function fakeSource() {
  const queue: (readonly WatchEvent[])[] = [];
  let wake = (): void => {};
  const events = async function* () {
    for (;;) {
      const batch = queue.shift();
      if (batch !== undefined) yield batch;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  const port: EventSource = {
    coverage: () => [],
    events,
    settled: () => Promise.resolve(),
    backlog: () => 0,
    close: () => Promise.resolve(),
  };
  return {
    port,
    say(...batch: WatchEvent[]) {
      queue.push(batch);
      wake();
    },
  };
}

/** Until it is ready. */
async function begin(hooks: readonly HookSettings[] = [], run: HookRunner['run'] = unexpected): Promise<void> {
  const { store, disk, rules } = ground;
  const scope = compileScope({ rules, ignore: [], own: [] });
  const common = { records: silentRecords, reporter: silentReporter, clock, newId: (ms: number) => `id${ms}` };
  const payload = () => ({ input: new Uint8Array(), environment: {} });
  const runner = { run, tellFailure: () => Promise.resolve() };
  const limits = { concurrency: 8, chain: 3 };
  const trigger = openTrigger({
    ...common,
    hooks,
    limits,
    outbox: store.outbox,
    runner,
    payload,
    random: () => 0,
    entriesOf: () => 0,
    looksEncrypted: () => false,
  });
  void trigger.run();
  const settings = {
    marks: 'auto',
    who: 'map',
    quietMs: 100,
    deadlineMs: 1000,
    sweep: { criticalMs: undefined, normalMs: undefined, bytesPerSecond: undefined },
    hooks: limits,
  } as const;
  await new Promise<void>((onReady) => {
    const names = openInodeNames(store, () => {});
    const parts = {
      ...common,
      disk,
      store: names.store,
      names,
      baseline: store.baseline,
      scope,
      settings,
      hash: openHasher(),
      onReady,
    };
    watch = openWatch({ ...parts, source: source.port, trigger, openSweepDisk: () => disk });
    running = watch.run(stopped.signal);
  });
}

const unexpected: HookRunner['run'] = () => Promise.reject(new Error('no hook is configured'));

const journal = (wanted: string): string[] =>
  [...ground.store.journal.read()].map(({ record }) => record).filter((record) => record.includes(wanted));

test('overflows that come during a rescan take one more, and no more', async () => {
  await begin();
  source.say(...Array.from({ length: 5 }, () => ({ kind: 'overflow', sinceMs: 1 }) as const));
  await clock.advance(1000);
  expect(watch.state().overflows).toBe(5);
  expect(journal('"rescan"')).toHaveLength(2);
  source.say({ kind: 'overflow', sinceMs: 1 });
  await clock.advance(1000);
  expect(journal('"rescan"')).toHaveLength(3);
});

test('a wall clock that is set back does not hold up what is dirty', async () => {
  await begin();
  ground.disk.set(entry('/r/a', { mode: 0o600 }));
  source.say({ kind: 'dirty', path: path('/r/a'), subtree: false, actor: { source: 'unknown' } });
  await clock.advance(50);
  clock.step(-3_600_000);
  await clock.advance(50);
  expect(journal('"changed"')).toHaveLength(1);
});

test('a rename is one move, also when the old name was due before the new one was seen', async () => {
  await begin();
  const actor = { source: 'unknown' } as const;
  const dirty = (name: string) => ({ kind: 'dirty', path: path(name), subtree: false, actor }) as const;
  for (let ms = 0; ms < 960; ms += 60) {
    source.say(dirty('/r/a'));
    await clock.advance(60);
  }
  ground.disk.remove(path('/r/a'));
  ground.disk.set(entry('/r/b'));
  source.say(dirty('/r/a'), dirty('/r/b'), { kind: 'renamed', paths: [path('/r/a'), path('/r/b')] });
  await clock.advance(1000);
  expect(journal('/r/b')).toHaveLength(1);
  expect(journal('"moved"')).toHaveLength(1);
  expect(journal('"removed"')).toEqual([]);
});

/** A hook that looks for itself; each run calls `during`, and its paths are told. */
async function beginMirror(during: () => Promise<void>): Promise<string[][]> {
  const given: string[][] = [];
  ground.rules = [rule('all', ['/r'], { onDrift: 'accept', hooks: ['mirror'] })];
  await begin([hook({ name: 'mirror', quietMs: 10, deadlineMs: 100 })], async ({ batch }) => {
    given.push([...batch.paths]);
    if (given.length === 1) await during();
    return { outcome: 'ok', exitCode: 0, signal: undefined, output: '', problem: undefined };
  });
  return given;
}

const event = (name: string, subtree = false): WatchEvent => ({
  kind: 'dirty',
  path: path(name),
  subtree,
  actor: { source: 'unknown' },
});

test('a hook hears again of a path that was another while it ran, though it is no drift', async () => {
  const given = await beginMirror(async () => {
    source.say(event('/r/b'), event('/r/d', true));
    await clock.sleep(300);
  });
  ground.disk.remove(path('/r/a'));
  ground.disk.set(entry('/r/b'));
  for (const one of [dir('/r/d', 7n), entry('/r/d/x')]) ground.disk.set(one);
  for (const name of ['/r/a', '/r/b', '/r/d']) source.say(event(name));
  await clock.advance(150);
  expect(given).toEqual([['/r/a', '/r/b', '/r/d', '/r/d/x']]);
  // What came is as it was, and older than the run; what is below a directory that came and went is not looked at.
  await clock.advance(1000);
  expect(given.slice(1)).toEqual([['/r/d', '/r/d/x']]);
});

test('a hook hears again of a file that came and went while it ran', async () => {
  const given = await beginMirror(async () => {
    source.say(event('/r/a'), event('/r/other'));
    await clock.sleep(300);
  });
  ground.disk.remove(path('/r/a'));
  source.say(event('/r/a'));
  await clock.advance(5000);
  expect(given).toEqual([['/r/a'], ['/r/a']]);
  source.say(event('/r/a'));
  await clock.advance(5000);
  expect(given).toHaveLength(2);
});

test('an acceptance that the end interrupts is told to try again', async () => {
  await begin();
  let isReading = false;
  let fail = (): void => {};
  ground.disk.walk = async function* () {
    isReading = true;
    await new Promise<void>((_, reject) => {
      fail = () => reject(new Error('the disk is closed'));
    });
  };
  const accepted = watch.accept({ paths: [], report: undefined, reviewed: undefined, by: { source: 'unknown' } });
  const refused = expect(accepted).rejects.toMatchObject({ code: 'BUSY' });
  await clock.advance(1000);
  expect(isReading).toBe(true);
  stopped.abort();
  fail();
  await refused;
});

test('a change under another name of an inode is found at the names of the baseline', async () => {
  await begin();
  ground.disk.set(entry('/r/a', { digest: digestOf('2') }));
  source.say({ kind: 'linked', inodeKey: inodeKey(42n), actor: { source: 'proc', pid: 7 } });
  await clock.advance(1000);
  expect(ground.open()).toEqual(['/r/a']);
});
