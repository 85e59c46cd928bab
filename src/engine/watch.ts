// The loop: event -> dirty path -> batch -> read state -> compare -> drift -> journal and outbox -> hook.
import { UNKNOWN_ACTOR } from '../domain/actor.ts';
import { createBatch, type Dirty } from '../domain/batch.ts';
import type { Gap } from '../domain/coverage.ts';
import { incompleteText, UNSTABLE } from '../domain/entry.ts';
import { escapePath } from '../domain/escape.ts';
import type { BytePath } from '../domain/path.ts';
import type { WatchSettings } from '../domain/settings.ts';
import { type AcceptRequest, type AcceptResult, accept } from './accept.ts';
import { type ComparisonParts, openComparisons } from './comparison.ts';
import { openErrands } from './errands.ts';
import type { InodeNames } from './inode-names.ts';
import type { EventSource, WatchEvent } from './ports/event-source.ts';
import type { Store } from './ports/store.ts';
import { reconcile } from './reconcile.ts';
import { type RecorderParts, recordDrift } from './recorder.ts';
import { retell } from './retell.ts';
import type { SurveyParts } from './survey.ts';
import { findSuspects, type Suspects, unsure } from './suspects.ts';
import { openSweeps, type SweepState } from './sweep.ts';
import type { Trigger } from './trigger.ts';

export interface WatchParts extends SurveyParts, RecorderParts {
  readonly source: EventSource;
  readonly names: InodeNames;
  readonly trigger: Trigger;
  readonly settings: WatchSettings;
  readonly hash: (bytes: Uint8Array) => Uint8Array;
  /** The marks are set, the catch-up check is done and its drift is journaled. */
  readonly onReady: () => void;
  readonly openSweepDisk: ComparisonParts['openSweepDisk'];
}

export interface WatchState {
  /** Dirty paths, and events that were not taken yet. */
  readonly backlog: number;
  /** Something is being compared or committed, or should be by now. */
  readonly isBusy: boolean;
  readonly overflows: number;
  /** The latest of them, oldest first. */
  readonly gaps: readonly Gap[];
  readonly sweeps: readonly SweepState[];
}

/** What a watch can take over while it goes on: rules of the same paths and attributes, and their hooks. */
export type WatchChange = Pick<WatchParts, 'scope' | 'trigger'>;

export interface Watch {
  state(): WatchState;
  /** Runs between two batches, so that nothing changes the baseline at the same time. */
  accept(request: AcceptRequest): Promise<AcceptResult>;
  /** The paths that may differ from the baseline, when the watch knows them. */
  suspects(): Promise<Suspects>;
  /** Between two batches, as a whole; nothing is compared again. */
  change(change: WatchChange): Promise<void>;
  /** Ends when the signal aborts; throws what the engine cannot go on after (a broken baseline, a full disk). */
  run(signal: AbortSignal): Promise<void>;
}

export function openWatch(initial: WatchParts): Watch {
  // Everybody holds on to this object: a change is one for all.
  const parts = { ...initial };
  const { clock, source, store } = parts;
  const batch = createBatch(parts.settings);
  let wake = new AbortController();
  const gaps: Gap[] = [];
  /** What could not be read when it was dirty last. */
  const unread = new Set<BytePath>();
  let isReady = false;
  const ended = new AbortController();
  let overflows = 0;
  let isWorking = false;
  let failure: unknown;

  const doubt = (path: BytePath, subtree: boolean, actor = UNKNOWN_ACTOR, nowMs = clock.monotonicMs()): void => {
    batch.add({ path, subtree, actors: [actor], hasOthers: false, sinceMs: nowMs }, nowMs);
  };

  const survive = (work: Promise<unknown>): void => {
    work.catch((error: unknown) => {
      failure ??= error;
      wake.abort();
    });
  };

  const errands = openErrands(() => wake.abort());
  const comparisons = openComparisons(parts, {
    doubt: (path) => doubt(path, false),
    onFound: () => wake.abort(),
    survive,
  });
  const sweeps = openSweeps(parts.settings.sweep, clock, comparisons.sweep);

  const onOverflow = (sinceMs: number): void => {
    const timeNs = clock.nowNs();
    const gap: Gap = { cause: 'overflow', fromMs: sinceMs, toMs: clock.nowMs() };
    if (gaps.push(gap) > GAPS_MAX) gaps.shift();
    store.commit({
      journal: [parts.records.overflow({ timeNs, count: overflows }), parts.records.gap({ timeNs, gap })],
    });
    parts.reporter.problem('the kernel queue overflowed and events were lost: everything is compared again');
  };

  const onEvent = (event: WatchEvent, nowMs: number, signal: AbortSignal): void => {
    switch (event.kind) {
      case 'dirty':
        doubt(event.path, event.subtree, event.actor, nowMs);
        return;
      case 'renamed':
        batch.join(event.paths);
        return;
      case 'linked':
        for (const path of parts.names.namesOf(event.inodeKey)) doubt(path, false, event.actor, nowMs);
        return;
      case 'overflow':
        overflows += 1;
        onOverflow(event.sinceMs);
        comparisons.lost(signal);
        return;
      case 'coverage': {
        const { coverage, state } = event;
        store.commit({ journal: [parts.records.coverage({ timeNs: clock.nowNs(), coverage, state })] });
        parts.reporter.notice(`coverage: ${escapePath(coverage.mount)} is ${state} (${coverage.mode})`);
        return;
      }
    }
  };

  const pump = async (signal: AbortSignal): Promise<void> => {
    for await (const events of source.events()) {
      const nowMs = clock.monotonicMs();
      for (const event of events) onEvent(event, nowMs, signal);
      wake.abort();
      if (signal.aborted) return;
    }
  };

  const flush = async (dirty: readonly Dirty[], signal: AbortSignal): Promise<void> => {
    const { trigger } = parts;
    const found = await reconcile(parts, dirty);
    for (const { path } of dirty) unread.delete(path);
    for (const { path, errno } of found.incomplete) {
      unread.add(path);
      if (errno === UNSTABLE) doubt(path, false);
      else parts.reporter.problem(`cannot read ${escapePath(path)}: ${incompleteText(errno)}`);
    }
    for (const { drift } of found.drifts) {
      if (drift.after !== undefined && parts.names.note(drift.after)) doubt(drift.path, false);
    }
    const { told } = await recordDrift(parts, found, {
      isOwnDoing: trigger.isOwnDoing,
      observe: trigger.observe,
      signal,
    });
    const again = retell(parts, { dirty, ctimes: found.ctimes, told }, trigger);
    for (const hook of new Set([...told.keys(), ...again])) trigger.notify(hook);
  };

  const work = async (signal: AbortSignal): Promise<void> => {
    survive(pump(signal));
    await parts.names.fill(signal);
    await comparisons.catchUp(signal);
    if (!signal.aborted) await flush(batch.takeAll(), signal);
    if (!signal.aborted) parts.onReady();
    isReady = true;
    survive(sweeps.run(signal));
    while (!signal.aborted && failure === undefined) {
      const waitMs = (batch.dueMs() ?? Number.POSITIVE_INFINITY) - clock.monotonicMs();
      if (waitMs > 0 && errands.waiting === 0) {
        wake = new AbortController();
        await clock.sleep(Math.min(waitMs, IDLE_MS), wake.signal);
      }
      isWorking = true;
      await errands.run();
      const due = batch.take(clock.monotonicMs());
      if (due.length > 0) await flush(due, signal);
      isWorking = false;
    }
  };

  const doubtful = (): string | undefined => {
    if (!isReady) return 'it is still comparing everything';
    if (unread.size > 0) return 'something could not be read';
    return comparisons.doubtful();
  };

  const suspects = (signal: AbortSignal): Promise<Suspects> =>
    findSuspects({
      settled: () => source.settled(),
      flush: () => flush(batch.takeAll(), signal),
      doubtful,
      openPaths: () => openPaths(store),
    });

  return {
    state: () => ({
      backlog: batch.size + source.backlog(),
      isBusy:
        isWorking ||
        comparisons.isRunning ||
        (batch.dueMs() ?? Number.POSITIVE_INFINITY) < clock.monotonicMs() - LATE_MS,
      overflows,
      gaps,
      sweeps: sweeps.states(),
    }),
    suspects: () => {
      const reason = doubtful();
      if (reason !== undefined) return Promise.resolve(unsure(reason));
      return errands.add(() => suspects(ended.signal));
    },
    change: (change) =>
      errands.add(() => {
        Object.assign(parts, change);
        return Promise.resolve();
      }),
    accept: (request) => errands.add(() => accept(parts, request)),
    async run(signal) {
      const end = (): void => {
        errands.end();
        ended.abort();
        wake.abort();
      };
      signal.addEventListener('abort', end, { once: true });
      try {
        await work(signal);
      } finally {
        end();
        errands.refuse();
      }
      if (failure !== undefined) throw failure;
    },
  };
}

function* openPaths(store: Store): Generator<BytePath> {
  for (const { key, path } of store.openDrift()) {
    yield key;
    yield path;
  }
}

/** Nothing depends on it: a sleeping watch is woken by its events. */
const IDLE_MS = 3_600_000;
/** What a status lists; the journal has all. */
const GAPS_MAX = 16;
/** Who is so late is stuck, or the machine is. */
const LATE_MS = 5_000;
