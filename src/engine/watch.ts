// The loop: event -> dirty path -> batch -> read state -> compare -> drift -> journal and outbox -> hook.
import { UNKNOWN_ACTOR } from '../domain/actor.ts';
import { createBatch, type Dirty } from '../domain/batch.ts';
import type { Severity } from '../domain/drift.ts';
import { incompleteText, UNSTABLE } from '../domain/entry.ts';
import { AppError } from '../domain/errors.ts';
import { escapePath } from '../domain/escape.ts';
import { type BytePath, hasAncestorIn, outermostPaths } from '../domain/path.ts';
import type { WatchSettings } from '../domain/settings.ts';
import { type AcceptRequest, type AcceptResult, accept } from './accept.ts';
import type { Portion } from './ports/disk.ts';
import type { EventSource, WatchEvent } from './ports/event-source.ts';
import type { SweepFields } from './ports/record-writer.ts';
import { reconcile } from './reconcile.ts';
import { type RecorderParts, recordDrift } from './recorder.ts';
import { retell } from './retell.ts';
import { type SurveyParts, survey } from './survey.ts';
import { openSweeps, type SweepState } from './sweep.ts';
import type { Trigger } from './trigger.ts';

export interface WatchParts extends SurveyParts, RecorderParts {
  readonly source: EventSource;
  readonly trigger: Trigger;
  readonly settings: WatchSettings;
  readonly hash: (bytes: Uint8Array) => Uint8Array;
  /** The marks are set, the catch-up check is done and its drift is journaled. */
  readonly onReady: () => void;
}

export interface WatchState {
  /** Dirty paths, and events that were not taken yet. */
  readonly backlog: number;
  readonly overflows: number;
  readonly sweeps: readonly SweepState[];
}

export interface Watch {
  state(): WatchState;
  /** Runs between two batches, so that nothing changes the baseline at the same time. */
  accept(request: AcceptRequest): Promise<AcceptResult>;
  /** Ends when the signal aborts; throws what the engine cannot go on after (a broken baseline, a full disk). */
  run(signal: AbortSignal): Promise<void>;
}

export function openWatch(parts: WatchParts): Watch {
  const { clock, source, store, trigger } = parts;
  const batch = createBatch(parts.settings);
  const jobs: Job[] = [];
  let isEnding = false;
  let isRescanning = false;
  let mustRescan = false;
  let wake = new AbortController();
  let overflows = 0;
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

  const sweeps = openSweeps(parts.settings.sweep, clock, (severity, signal) => compareAll(severity, severity, signal));

  /** Compares everything that rules of this severity cover and puts what differs in doubt; it is then read like any other. */
  const compareAll = async (
    tier: SweepFields['tier'],
    severity: Severity | undefined,
    signal: AbortSignal,
  ): Promise<void> => {
    const startMs = clock.monotonicMs();
    let entries = 0;
    let drifts = 0;
    const whole = new Set<BytePath>();
    const rules = new Set(parts.scope.rules.filter((rule) => severity === undefined || rule.severity === severity));
    const roots = outermostPaths(
      parts.scope.roots.filter((root) => {
        const rule = parts.scope.ruleOf(root);
        return rule !== undefined && rules.has(rule);
      }),
    );
    const quick = tier === 'catch-up' || tier === 'rescan';
    const onPortion = (portion: Portion): void => {
      entries += portion.entries;
    };
    try {
      for await (const finding of survey(parts, roots, { quick, signal, onPortion })) {
        if (finding.kind === 'incomplete') continue;
        drifts += 1;
        const path = finding.kind === 'removed' ? finding.before.path : finding.after.path;
        if (hasAncestorIn(path, whole)) continue;
        if (finding.kind !== 'changed') whole.add(path);
        doubt(path, false);
      }
    } catch (error) {
      // The walk's way to say that it was stopped; what it did not reach is compared at the next start.
      if (!signal.aborted || error !== signal.reason) throw error;
    }
    if (signal.aborted) return;
    if (quick) for (const open of store.openDrift()) doubt(open.path, false);
    wake.abort();
    const durationMs = Math.round(clock.monotonicMs() - startMs);
    const record = { timeNs: clock.nowNs(), tier, entries, drifts, durationMs };
    store.commit({ journal: [parts.records.sweep(record)] });
  };

  /** One at a time: whatever is lost while one is going on takes one more, and no more than that. */
  const rescan = async (tier: 'catch-up' | 'rescan', signal: AbortSignal): Promise<void> => {
    isRescanning = true;
    mustRescan = false;
    await compareAll(tier, undefined, signal);
    isRescanning = false;
    if (mustRescan && !signal.aborted) survive(rescan('rescan', signal));
  };

  const onEvent = (event: WatchEvent, nowMs: number, signal: AbortSignal): void => {
    switch (event.kind) {
      case 'dirty':
        doubt(event.path, event.subtree, event.actor, nowMs);
        return;
      case 'renamed':
        batch.join(event.paths);
        return;
      case 'overflow':
        overflows += 1;
        store.commit({ journal: [parts.records.overflow({ timeNs: clock.nowNs(), count: overflows })] });
        parts.reporter.problem('the kernel queue overflowed and events were lost: everything is compared again');
        if (isRescanning) mustRescan = true;
        else survive(rescan('rescan', signal));
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
    const found = await reconcile(parts, dirty);
    for (const { path, errno } of found.incomplete) {
      if (errno === UNSTABLE) doubt(path, false);
      else parts.reporter.problem(`cannot read ${escapePath(path)}: ${incompleteText(errno)}`);
    }
    const { told } = await recordDrift(parts, found, { isOwnDoing: trigger.isOwnDoing, signal });
    const again = retell(parts, { dirty, ctimes: found.ctimes, told }, trigger);
    for (const hook of new Set([...told.keys(), ...again])) trigger.notify(hook);
  };

  const work = async (signal: AbortSignal): Promise<void> => {
    survive(pump(signal));
    await rescan('catch-up', signal);
    if (!signal.aborted) await flush(batch.takeAll(), signal);
    if (!signal.aborted) parts.onReady();
    survive(sweeps.run(signal));
    while (!signal.aborted && failure === undefined) {
      const waitMs = (batch.dueMs() ?? Number.POSITIVE_INFINITY) - clock.monotonicMs();
      if (waitMs > 0 && jobs.length === 0) {
        wake = new AbortController();
        await clock.sleep(Math.min(waitMs, IDLE_MS), wake.signal);
      }
      for (const job of jobs.splice(0)) await job.run();
      const due = batch.take(clock.monotonicMs());
      if (due.length > 0) await flush(due, signal);
    }
  };

  return {
    state: () => ({ backlog: batch.size + source.backlog(), overflows, sweeps: sweeps.states() }),
    accept: (request) =>
      new Promise((resolve, reject) => {
        if (isEnding) return reject(ending());
        const fail = (error: unknown): void => reject(isEnding ? ending() : error);
        jobs.push({ run: () => accept(parts, request).then(resolve, fail), refuse: reject });
        wake.abort();
      }),
    async run(signal) {
      const end = (): void => {
        isEnding = true;
        wake.abort();
      };
      signal.addEventListener('abort', end, { once: true });
      try {
        await work(signal);
      } finally {
        end();
        for (const job of jobs.splice(0)) job.refuse(ending());
      }
      if (failure !== undefined) throw failure;
    },
  };
}

/** Nothing depends on it: a sleeping watch is woken by its events. */
const IDLE_MS = 3_600_000;

interface Job {
  run(): Promise<void>;
  refuse(error: AppError): void;
}

function ending(): AppError {
  return new AppError('BUSY', 'the watch is ending or takes over a new configuration', { hint: 'try again' });
}
