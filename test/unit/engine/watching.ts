// A watch over events that a test makes up, a disk in memory and a real baseline.
import { openHasher } from '../../../src/disk/digest.ts';
import { createInodeTable, openInodeTable } from '../../../src/domain/inode-table.ts';
import { compileScope } from '../../../src/domain/rule.ts';
import type { HookSettings } from '../../../src/domain/settings.ts';
import { type InodeNamesParts, openInodeNames } from '../../../src/engine/inode-names.ts';
import type { Disk } from '../../../src/engine/ports/disk.ts';
import type { EventSource, WatchEvent } from '../../../src/engine/ports/event-source.ts';
import type { HookRunner } from '../../../src/engine/ports/hook-runner.ts';
import { openTrigger } from '../../../src/engine/trigger.ts';
import { openWatch, type Watch } from '../../../src/engine/watch.ts';
import { createManualClock } from '../../fakes/clock.ts';
import { path } from '../../fakes/entry.ts';
import { silentRecords, silentReporter } from '../../fakes/records.ts';
import type { Ground } from './ground.ts';

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

export interface WatchingOptions {
  readonly hooks?: readonly HookSettings[];
  readonly run?: HookRunner['run'];
  readonly openLargeDisk?: () => Disk;
  readonly inodeNames?: Partial<InodeNamesParts>;
}

export class Watching {
  readonly clock = createManualClock();
  readonly source = fakeSource();
  readonly ground: Ground;
  /** As the thread that reads events has it. */
  inodes = createInodeTable(0);
  readonly #stopped = new AbortController();
  #watch: Watch | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(ground: Ground) {
    this.ground = ground;
  }

  get watch(): Watch {
    if (this.#watch === undefined) throw new Error('the watch has not begun');
    return this.#watch;
  }

  /** Until it is ready. */
  async begin({ hooks = [], run = unexpected, openLargeDisk, inodeNames }: WatchingOptions = {}): Promise<void> {
    const { store, disk, rules } = this.ground;
    const { clock, source } = this;
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
      sweep: {
        criticalMs: undefined,
        normalMs: undefined,
        content: { criticalMs: undefined, normalMs: undefined },
        bytesPerSecond: undefined,
      },
      canaryMs: 60_000,
      hooks: limits,
    } as const;
    await new Promise<void>((onReady) => {
      const names = openInodeNames({ store, clock, onFull: () => {}, ...inodeNames });
      this.inodes = openInodeTable(names.memory);
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
        openSweepDisk: () => disk,
        openLargeDisk: openLargeDisk ?? (() => disk),
      };
      this.#watch = openWatch({ ...parts, source: source.port, trigger });
      this.#running = this.#watch.run(this.#stopped.signal);
    });
  }

  journal(wanted: string): string[] {
    return [...this.ground.store.journal.read()]
      .map(({ record }) => record)
      .filter((record) => record.includes(wanted));
  }

  /** Settles when the watch has ended. */
  get stopped(): Promise<void> {
    return this.#running;
  }

  /** Resolves when the watch has ended. */
  stop(): Promise<void> {
    this.#stopped.abort();
    return this.#running;
  }
}

const unexpected: HookRunner['run'] = () => Promise.reject(new Error('no hook is configured'));

export const event = (name: string, subtree = false): WatchEvent => ({
  kind: 'dirty',
  path: path(name),
  subtree,
  actor: { source: 'unknown' },
});
