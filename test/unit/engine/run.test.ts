// A command on change, over events that a test makes up and a disk in memory: what it is told, and what starts nothing.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openHasher } from '../../../src/disk/digest.ts';
import type { Actor } from '../../../src/domain/actor.ts';
import { compileScope } from '../../../src/domain/rule.ts';
import { type Echoes, trackEchoes } from '../../../src/engine/echo.ts';
import type { EventSource, WatchEvent } from '../../../src/engine/ports/event-source.ts';
import { runOnChange } from '../../../src/engine/run.ts';
import { openSeen } from '../../../src/engine/seen.ts';
import { createManualClock, type ManualClock } from '../../fakes/clock.ts';
import { createFakeDisk, type FakeDisk } from '../../fakes/disk.ts';
import { digestOf, entry, path } from '../../fakes/entry.ts';
import { silentReporter } from '../../fakes/records.ts';
import { rule } from '../../fakes/rule.ts';

const SOMEBODY: Actor = { source: 'exec', pid: 4, ppids: [1] };
const OURS: Actor = { source: 'exec', pid: 7, ppids: [1] };
const NOBODY: Actor = { source: 'unknown' };

let clock: ManualClock;
let disk: FakeDisk;
let echoes: Echoes;
let told: string[][];
let stopped: AbortController;
let running: Promise<void>;
let say: (...events: WatchEvent[]) => void;

beforeEach(async () => {
  clock = createManualClock();
  disk = createFakeDisk([
    entry('/r', { type: 'directory' }),
    entry('/r/a'),
    entry('/r/d', { type: 'directory' }),
    entry('/r/d/x'),
  ]);
  echoes = trackEchoes();
  told = [];
  stopped = new AbortController();
  await begin();
});
afterEach(async () => {
  stopped.abort();
  await running;
});

/** Until the first look is over. */
async function begin(): Promise<void> {
  const queue: (readonly WatchEvent[])[] = [];
  let wake = (): void => {};
  const events = async function* () {
    while (!stopped.signal.aborted) {
      const batch = queue.shift();
      if (batch !== undefined) yield batch;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  say = (...batch) => {
    queue.push(batch);
    wake();
  };
  const source: EventSource = {
    coverage: () => [],
    events,
    settled: () => Promise.resolve(),
    backlog: () => 0,
    close: () => Promise.resolve(),
  };
  await new Promise<void>((resolve) => {
    running = runOnChange(
      {
        ...{ disk, source, echoes, clock, hash: openHasher(), reporter: silentReporter, seen: openSeen() },
        scope: compileScope({ rules: [rule('all', ['/r'])], ignore: [], own: [] }),
        settings: { quietMs: 50, deadlineMs: 1_000 },
        trigger: {
          notify: () => {},
          isOwnDoing: (_, actors) => actors.length > 0 && actors.every(({ pid }) => pid === OURS.pid),
          readMeanwhile: () => [],
        },
        hook: 'it',
        enqueue: ({ paths }) => told.push([...paths].sort()),
        onLooked: () => resolve(),
      },
      stopped.signal,
    );
  });
}

async function dirty(name: string, { subtree = false, actor = SOMEBODY } = {}): Promise<void> {
  say({ kind: 'dirty', path: path(name), subtree, actor });
  await clock.advance(100);
}

test('other bytes, another mode, a new name and a name less are told', async () => {
  disk.set(entry('/r/a', { digest: digestOf('abd') }));
  await dirty('/r/a');
  disk.set(entry('/r/a', { digest: digestOf('abd'), mode: 0o600 }));
  await dirty('/r/a');
  disk.set(entry('/r/b'));
  await dirty('/r/b');
  disk.remove(path('/r/b'));
  await dirty('/r/b');
  expect(told).toEqual([['/r/a'], ['/r/a'], ['/r/b'], ['/r/b']]);
});

test('the same bytes at another time, and what comes and goes, are not', async () => {
  disk.set(entry('/r/a', { mtimeNs: 5n, ctimeNs: 5n, inode: 99n }));
  await dirty('/r/a');
  await dirty('/r/tmp');
  expect(told).toEqual([]);
});

test('of a directory that moves everything is told under both names', async () => {
  disk.move(path('/r/d'), path('/r/e'));
  say({ kind: 'dirty', path: path('/r/d'), subtree: true, actor: SOMEBODY });
  await dirty('/r/e', { subtree: true });
  expect(told).toEqual([['/r/d', '/r/d/x', '/r/e', '/r/e/x']]);
});

test('a file in the place of a directory', async () => {
  disk.remove(path('/r/d'));
  disk.set(entry('/r/d'));
  await dirty('/r/d');
  expect(told).toEqual([['/r/d', '/r/d/x']]);
});

test('what is known of a directory does not come from its old self', async () => {
  disk.remove(path('/r/d'));
  await dirty('/r/d', { subtree: true });
  disk.set(entry('/r/d', { type: 'directory' }));
  disk.set(entry('/r/d/x'));
  await dirty('/r/d', { subtree: true });
  expect(told).toEqual([
    ['/r/d', '/r/d/x'],
    ['/r/d', '/r/d/x'],
  ]);
});

test('after lost events exactly what differs is told', async () => {
  disk.set(entry('/r/d/x', { digest: digestOf('lost') }));
  disk.remove(path('/r/a'));
  say({ kind: 'overflow', sinceMs: 0 });
  await clock.advance(100);
  expect(told).toEqual([['/r/a', '/r/d/x']]);
});

test('what the command does itself is not told; what somebody does to the same path is', async () => {
  disk.set(entry('/r/a', { digest: digestOf('own') }));
  await dirty('/r/a', { actor: OURS });
  expect(told).toEqual([]);
  disk.set(entry('/r/a', { digest: digestOf('not own') }));
  say({ kind: 'dirty', path: path('/r/a'), subtree: false, actor: OURS });
  await dirty('/r/a');
  expect(told).toEqual([['/r/a']]);
});

test('unseen changes during runs begin one run, then wait for a certain one', async () => {
  const unseen = async (content: string): Promise<void> => {
    echoes.started(clock.monotonicMs());
    disk.set(entry('/r/log', { digest: digestOf(content) }));
    await dirty('/r/log', { actor: NOBODY });
    echoes.ended(clock.monotonicMs());
  };
  await unseen('1');
  await unseen('2');
  await unseen('3');
  expect(told).toEqual([['/r/log']]);
  disk.set(entry('/r/b'));
  await dirty('/r/b');
  expect(told).toEqual([['/r/log'], ['/r/b', '/r/log']]);
});

test('without a run before it, an unseen change is as good as any', async () => {
  for (const content of ['1', '2', '3']) {
    disk.set(entry('/r/a', { digest: digestOf(content) }));
    await dirty('/r/a', { actor: NOBODY });
  }
  expect(told).toEqual([['/r/a'], ['/r/a'], ['/r/a']]);
});
