// The parts of a running watch under one configuration, connected.
import { openDisk, REST_MS } from '../disk/disk.ts';
import { looksEncrypted } from '../disk/entropy.ts';
import type { Coverage } from '../domain/coverage.ts';
import type { Settings } from '../domain/settings.ts';
import { openInodeNames } from '../engine/inode-names.ts';
import type { Disk } from '../engine/ports/disk.ts';
import type { Reporter } from '../engine/ports/reporter.ts';
import type { Store } from '../engine/ports/store.ts';
import { openTrigger, type Trigger } from '../engine/trigger.ts';
import { openWatch, type Watch } from '../engine/watch.ts';
import { hookPayload } from '../hooks/payload.ts';
import { openHookRunner } from '../hooks/runner.ts';
import { recordWriter } from '../report/record-writer.ts';
import { type FanotifySource, openFanotifySource } from '../watch/fanotify-source.ts';
import type { StoredGroup } from '../watch/resumption.ts';
import { systemClock } from './clock.ts';
import { scopeOf } from './context.ts';
import type { HealthSigns } from './health.ts';
import { entriesUnder } from './hook-entries.ts';
import { type Housekeeping, openHousekeeping } from './housekeeping.ts';
import { newId } from './identity.ts';
import { bytesOf, openLargeDisks, openSweepDisks } from './side-disks.ts';
import { hash, hexDigest, scopeSettings } from './state.ts';

export interface Session {
  readonly watch: Watch;
  readonly source: FanotifySource;
  readonly trigger: Trigger;
  readonly settings: Settings;
  readonly signs: HealthSigns;
  /**
   * Until `abort`; work in hand is given `stopMs` to end. Hooks run when those of `former` have ended, which is closed here.
   * Throws what the watch or the hooks' outbox cannot go on after.
   */
  run(onReady: () => void, stopMs: number, former?: Session): Promise<void>;
  abort(): void;
  /** Takes over rules and hooks of a configuration that watches the same (isSameWatch). Rejects with BUSY when it is ending. */
  change(settings: Settings): Promise<void>;
  /** Ends the watching alone, at once; what hooks are doing is left to them. Idempotent. */
  closeWatch(): Promise<void>;
  /** Ends everything. A hook that does not end within `patienceMs` is killed. */
  close(patienceMs?: number): Promise<void>;
}

export interface SessionParts {
  readonly store: Store;
  readonly reporter: Reporter;
  /** Groups of an earlier process, owned from now on. */
  readonly stored?: readonly StoredGroup[];
  /** How mounts are covered is new; from `onReady` on. */
  readonly onCoverage: (coverage: readonly Coverage[]) => void;
}

/** Resolves when the marks are set: from then on nothing is missed. Nothing is read or run before `run`. */
export async function openSession(settings: Settings, parts: SessionParts): Promise<Session> {
  const { store, reporter, stored } = parts;
  let onCoverage = (): void => {};
  let steps = 0;
  let housekeeping: Housekeeping | undefined;
  const onStep = (): void => {
    steps += 1;
    housekeeping?.step();
  };
  const counted = countingStore(store, onStep);
  const scope = scopeSettings(settings);
  const { marks, who, canaryMs } = settings.watch;
  const onFull = (): void =>
    reporter.problem('no room for the names of more inodes: changes through other names wait for the sweep');
  const names = openInodeNames({ store: counted, clock: systemClock, onFull });
  const source = await openFanotifySource({
    scope,
    marks,
    who,
    inodes: names.memory,
    stored,
    verifyMs: canaryMs,
    asks: canaryMs !== undefined,
    onProblem: reporter.problem,
    onCoverage: () => onCoverage(),
  });
  const disk = openDisk({ scope, restMs: REST_MS });
  const sweepDisks = openSweepDisks(settings);
  const largeDisks = openLargeDisks(settings);
  let current = settings;
  let trigger = openHooks(settings, store, reporter);
  let failHooks: (error: unknown) => void = () => {};
  let onReady = (): void => {};
  const watch = openWatch({
    disk: countingDisk(disk, onStep),
    baseline: counted.baseline,
    scope: scopeOf(settings),
    store: names.store,
    names,
    records: recordWriter,
    reporter,
    clock: systemClock,
    newId,
    source,
    trigger,
    settings: settings.watch,
    hash,
    openSweepDisk: sweepDisks.open,
    openLargeDisk: largeDisks.open,
    onReady: () => {
      onReady();
      onCoverage = () => parts.onCoverage(source.coverage());
    },
  });
  const aborted = new AbortController();
  let closed: Promise<unknown> | undefined;
  const closeWatch = async (): Promise<void> => {
    housekeeping?.close();
    closed ??= Promise.all([source.close(), disk.close(), sweepDisks.close(), largeDisks.close()]);
    await closed;
  };
  return {
    watch,
    source,
    get trigger() {
      return trigger;
    },
    get settings() {
      return current;
    },
    signs: {
      reader: () => source.turns(),
      bytesHashed: () => bytesOf(disk) + largeDisks.bytesHashed(),
      steps: () => steps,
      isBusy: () => watch.state().isBusy,
    },
    async run(ready, stopMs, former) {
      onReady = ready;
      housekeeping = openHousekeeping();
      const failed = new Promise<never>((_, reject) => {
        failHooks = reject;
        trigger.run(former?.trigger).catch(reject);
      });
      const work = watch.run(aborted.signal);
      const late = new Promise<void>((resolve) => {
        aborted.signal.addEventListener('abort', () => setTimeout(resolve, stopMs).unref(), { once: true });
      });
      await Promise.race([work, late, failed]);
      // What the closing disk does to work in hand is not news any more.
      work.catch(() => {});
    },
    abort: () => aborted.abort(),
    async change(next) {
      const opened = openHooks(next, store, reporter);
      await watch.change({ scope: scopeOf(next), trigger: opened });
      opened.run(trigger).catch(failHooks);
      trigger = opened;
      current = next;
    },
    closeWatch,
    close: async (patienceMs) => {
      await Promise.all([closeWatch(), trigger.close(patienceMs)]);
    },
  };
}

function openHooks(settings: Settings, store: Store, reporter: Reporter): Trigger {
  return openTrigger({
    hooks: settings.hooks,
    limits: settings.watch.hooks,
    outbox: store.outbox,
    runner: openHookRunner({ onProblem: reporter.problem, digestOf: hexDigest }),
    records: recordWriter,
    reporter,
    clock: systemClock,
    newId,
    random: Math.random,
    entriesOf: entriesUnder(settings, store),
    looksEncrypted,
    payload: hookPayload,
  });
}

function countingStore(store: Store, onStep: () => void): Store {
  return {
    ...store,
    baseline: {
      ...store.baseline,
      *below(path) {
        for (const run of store.baseline.below(path)) {
          onStep();
          yield run;
        }
      },
    },
    commit(commit) {
      store.commit(commit);
      onStep();
    },
  };
}

function countingDisk(disk: Disk, onStep: () => void): Disk {
  return {
    ...disk,
    async *walk(roots, options) {
      for await (const page of disk.walk(roots, options)) {
        onStep();
        yield page;
      }
    },
    async read(...reading) {
      const page = await disk.read(...reading);
      onStep();
      return page;
    },
  };
}
