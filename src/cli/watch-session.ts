// The parts of a running watch under one configuration, connected.
import { openDisk } from '../disk/disk.ts';
import type { Settings } from '../domain/settings.ts';
import type { EventSource } from '../engine/ports/event-source.ts';
import type { Reporter } from '../engine/ports/reporter.ts';
import type { Store } from '../engine/ports/store.ts';
import { openTrigger, type Trigger } from '../engine/trigger.ts';
import { openWatch, type Watch } from '../engine/watch.ts';
import { hookPayload } from '../hooks/payload.ts';
import { openHookRunner } from '../hooks/runner.ts';
import { recordWriter } from '../report/record-writer.ts';
import { openFanotifySource } from '../watch/fanotify-source.ts';
import { systemClock } from './clock.ts';
import { scopeOf } from './context.ts';
import { newId } from './identity.ts';
import { hash, scopeSettings } from './state.ts';

export interface Session {
  readonly watch: Watch;
  readonly source: EventSource;
  readonly trigger: Trigger;
  readonly settings: Settings;
  /** Until `abort`; work in hand is given `stopMs` to end. */
  run(onReady: () => void, stopMs: number): Promise<void>;
  abort(): void;
  /** Idempotent. A hook that does not end within `patienceMs` is killed. */
  close(patienceMs?: number): Promise<void>;
}

/** Resolves when the marks are set: from then on nothing is missed. Nothing is read or run before `run`. */
export async function openSession(settings: Settings, store: Store, reporter: Reporter): Promise<Session> {
  const scope = scopeSettings(settings);
  const { marks, who } = settings.watch;
  const source = await openFanotifySource({ scope, marks, who, onProblem: reporter.problem });
  const disk = openDisk({ scope });
  const trigger = openTrigger({
    hooks: settings.hooks,
    outbox: store.outbox,
    runner: openHookRunner(),
    records: recordWriter,
    reporter,
    clock: systemClock,
    newId,
    payload: hookPayload,
  });
  let onReady = (): void => {};
  const watch = openWatch({
    disk,
    baseline: store.baseline,
    scope: scopeOf(settings),
    store,
    records: recordWriter,
    reporter,
    clock: systemClock,
    newId,
    source,
    trigger,
    settings: settings.watch,
    hash,
    onReady: () => onReady(),
  });
  const aborted = new AbortController();
  let closed: Promise<void> | undefined;
  const close = async (patienceMs?: number): Promise<void> => {
    await Promise.all([source.close(), trigger.close(patienceMs), disk.close()]);
  };
  return {
    watch,
    source,
    trigger,
    settings,
    async run(ready, stopMs) {
      onReady = ready;
      trigger.start();
      const work = watch.run(aborted.signal);
      const late = new Promise<void>((resolve) => {
        aborted.signal.addEventListener('abort', () => setTimeout(resolve, stopMs).unref(), { once: true });
      });
      await Promise.race([work, late]);
      // What the closing disk does to work in hand is not news any more.
      work.catch(() => {});
    },
    abort: () => aborted.abort(),
    close: (patienceMs) => {
      closed ??= close(patienceMs);
      return closed;
    },
  };
}
