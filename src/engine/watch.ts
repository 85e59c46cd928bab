// The loop: event -> dirty path -> batch -> read state -> compare -> drift -> journal and outbox -> hook.
import type { Gap } from '../domain/coverage.ts';
import { rootsFor } from '../domain/rule.ts';
import type { WatchSettings } from '../domain/settings.ts';
import { type AcceptRequest, type AcceptResult, accept } from './accept.ts';
import { type ComparisonParts, openComparisons } from './comparison.ts';
import { coverageNotice } from './coverage-notice.ts';
import { openDirtyPaths } from './dirty-paths.ts';
import { openErrands } from './errands.ts';
import { type FlushParts, openFlush } from './flush.ts';
import { type LargeFilesParts, openLargeFiles } from './large-files.ts';
import { openLinked } from './linked.ts';
import { openLogs } from './logs.ts';
import type { EventSource, WatchEvent } from './ports/event-source.ts';
import { LARGE_BYTES } from './readings.ts';
import { findSuspects, openPaths, type Suspects, unsure } from './suspects.ts';
import { openSweeps, type SweepState } from './sweep.ts';

export interface WatchParts extends FlushParts, LargeFilesParts {
  readonly source: EventSource;
  readonly settings: WatchSettings;
  readonly hash: (bytes: Uint8Array) => Uint8Array;
  /** The marks are set, the catch-up check is done and its drift is journaled. */
  readonly onReady: () => void;
  readonly openSweepDisk: ComparisonParts['openSweepDisk'];
}

export interface WatchState {
  /** Dirty paths, those of large files that are being read among them, and events that were not taken yet. */
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
  const parts = { ...initial, ...openLogs(initial.clock) };
  const { clock, source, store } = parts;
  let wake = new AbortController();
  const gaps: Gap[] = [];
  let isReady = false;
  const ended = new AbortController();
  let overflows = 0;
  let isWorking = false;
  let failure: unknown;

  const survive = (work: Promise<unknown>): void => {
    work.catch((error: unknown) => {
      failure ??= error;
      wake.abort();
    });
  };

  const errands = openErrands(() => wake.abort());
  /** These change nothing, and wait for no large file. */
  const questions = openErrands(() => wake.abort());
  const large = openLargeFiles(parts, { onDone: () => wake.abort(), again: (one) => dirty.add(one), survive });
  const flush = openFlush(parts, (path, subtree = false) => dirty.doubt(path, subtree));
  const dirty = openDirtyPaths(parts, { flush, large });
  const linked = openLinked(parts.names, (path, actor) => dirty.doubt(path, false, actor));
  const comparisons = openComparisons(parts, {
    doubt: dirty.doubt,
    join: dirty.join,
    onFound: () => wake.abort(),
    survive,
  });
  const sweeps = openSweeps(parts.settings.sweep, { clock, journal: store.journal, sweep: comparisons.sweep });

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
        dirty.doubt(event.path, event.subtree, event.actor, nowMs);
        return;
      case 'renamed':
        dirty.join(event.paths);
        return;
      case 'linked':
        linked.tell(event.inodeKeys, event.actor);
        return;
      case 'overflow':
        overflows += 1;
        onOverflow(event.sinceMs);
        flush.lost();
        comparisons.lost(signal);
        return;
      case 'coverage': {
        const { coverage, state } = event;
        store.commit({ journal: [parts.records.coverage({ timeNs: clock.nowNs(), coverage, state })] });
        parts.reporter.notice(coverageNotice(coverage, state));
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

  const mayRest = (): boolean => questions.waiting === 0 && !large.isDone && (large.isBusy || errands.waiting === 0);

  const fillNames = (signal: AbortSignal): void => survive(linked.fill(signal).then(() => wake.abort()));

  const turn = async (signal: AbortSignal): Promise<void> => {
    await questions.run();
    await large.settle(async ({ found, ...read }) => {
      if (found === undefined) dirty.add(read.dirty);
      else await flush.recordFile({ ...read, found }, signal);
    });
    // Nothing changes the baseline while a file is being compared with it.
    if (!large.isBusy) await errands.run();
    await dirty.flushDue(signal);
    if (parts.names.isCrowded && !signal.aborted) {
      // All that was noted is recorded by now; what is read again is noted again.
      for (const path of openPaths(store)) dirty.doubt(path, false);
      fillNames(signal);
    }
    if (!signal.aborted) large.begin(signal);
  };

  const work = async (signal: AbortSignal): Promise<void> => {
    survive(pump(signal));
    await comparisons.catchUp(signal);
    if (!signal.aborted) await dirty.flushAll(signal);
    if (!signal.aborted) parts.onReady();
    isReady = true;
    fillNames(signal);
    survive(sweeps.run(signal));
    while (!signal.aborted && failure === undefined) {
      const waitMs = dirty.dueMs() - clock.monotonicMs();
      if (waitMs > 0 && mayRest()) {
        wake = new AbortController();
        await clock.sleep(Math.min(waitMs, IDLE_MS), wake.signal);
      }
      isWorking = true;
      await turn(signal);
      isWorking = false;
    }
  };

  const doubtful = (): string | undefined => {
    // What was taken and is not recorded by then is nowhere any more.
    if (ended.signal.aborted) return 'it is ending';
    if (!isReady) return 'it is still comparing everything';
    if (linked.waiting > 0) return 'it is still looking for other names of what has changed';
    if (flush.hasUnread) return 'something could not be read';
    return comparisons.doubtful();
  };

  const suspects = (signal: AbortSignal): Promise<Suspects> =>
    findSuspects({
      settled: () => source.settled(),
      flush: () => {
        const flushed = dirty.flushAll(signal, LARGE_BYTES);
        // What it took and could not record is lost to this watch; the next one compares everything.
        survive(flushed);
        return flushed;
      },
      doubtful,
      openPaths: () => openPaths(store),
      unreadPaths: () => [...large.paths(), ...dirty.paths()].flatMap((path) => rootsFor(parts.scope, path)),
    });

  return {
    state: () => ({
      backlog: dirty.size + linked.waiting + large.paths().length + source.backlog(),
      isBusy: isWorking || large.isBusy || comparisons.isRunning || dirty.dueMs() < clock.monotonicMs() - LATE_MS,
      overflows,
      gaps,
      sweeps: sweeps.states(),
    }),
    suspects: () => {
      const reason = doubtful();
      if (reason !== undefined) return Promise.resolve(unsure(reason));
      return questions.add(() => suspects(ended.signal));
    },
    change: (change) =>
      errands.add(async () => {
        Object.assign(parts, change);
        parts.growth.doubtAll();
      }),
    accept: (request) =>
      errands.add(async () => {
        const result = await accept(parts, request).catch(flush.refused);
        flush.accepted(result);
        return result;
      }),
    async run(signal) {
      const end = (): void => {
        errands.end();
        questions.end();
        ended.abort();
        wake.abort();
      };
      signal.addEventListener('abort', end, { once: true });
      try {
        await work(signal);
      } finally {
        end();
        errands.refuse();
        questions.refuse();
      }
      if (failure !== undefined) throw failure;
    },
  };
}

/** Nothing depends on it: a sleeping watch is woken by its events. */
const IDLE_MS = 3_600_000;
/** What a status lists; the journal has all. */
const GAPS_MAX = 16;
/** Who is so late is stuck, or the machine is. */
const LATE_MS = 5_000;
