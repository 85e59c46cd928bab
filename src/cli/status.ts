// The status document (design: status --json), made by the watch itself or, when none is running, from the baseline.
import { type Coverage, type Gap, unseenBy } from '../domain/coverage.ts';
import { SEVERITIES } from '../domain/drift.ts';
import { isCleanUtf8, pathToBytes, pathToText } from '../domain/path.ts';
import type { Settings } from '../domain/settings.ts';
import { type HookState, idleState } from '../engine/hook-state.ts';
import type { Store } from '../engine/ports/store.ts';
import type { SweepState } from '../engine/sweep.ts';
import { isLostCoverage } from '../watch/absence.ts';
import { systemClock } from './clock.ts';
import { isRecord } from './control-protocol.ts';
import { killedAt } from './downtime.ts';
import { lastSignOfLife } from './state.ts';
import type { Session } from './watch-session.ts';

export interface StatusDocument {
  readonly v: 1;
  readonly type: 'status';
  /** null: no watch is running. */
  readonly pid: number | null;
  readonly since: string | null;
  readonly generation: number;
  readonly entries: number;
  /**
   * false: the watch says that it does not hear of something that is there, or says nothing, or was killed; null: no watch is
   * running.
   */
  readonly healthy: boolean | null;
  readonly coverage: readonly CoverageRow[];
  readonly backlog: number;
  readonly overflows: number;
  readonly gaps: readonly { readonly cause: string; readonly from: string; readonly to: string }[];
  readonly openDrift: OpenDriftCounts;
  readonly hooks: readonly HookRow[];
  readonly sweep: Readonly<Record<string, SweepRow>>;
}

interface SweepRow {
  /** Milliseconds; null: never. */
  readonly every: number | null;
  readonly last: string | null;
  readonly running: boolean;
  /** Milliseconds within which the content of each file is read; null: by every sweep. */
  readonly content: number | null;
  /** Of the content, which the sweep reads that is running or comes next; from 1 on. */
  readonly part: number;
  readonly parts: number;
}

export interface HookRow {
  readonly name: string;
  readonly pending: number;
  readonly running: boolean;
  readonly dead: number;
  readonly last: string | null;
  readonly lastEnd: string | null;
  readonly runningSince: string | null;
  readonly nextAttempt: string | null;
  readonly failures: number;
  /** The breaker: nothing runs before. */
  readonly openUntil: string | null;
  readonly hold: { readonly reason: string; readonly since: string } | null;
}

interface CoverageRow {
  readonly mount: string;
  readonly mountBytes?: string;
  readonly mode: string;
  readonly since: string;
  readonly gaps: number;
  readonly reason?: string;
  /** What no event tells of. */
  readonly unseen: string;
}

interface OpenDriftCounts {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  readonly moved: number;
  readonly bySeverity: Readonly<Record<string, number>>;
}

export interface WatchFacts {
  readonly session: Session;
  readonly store: Store;
  readonly startedMs: number;
  /** Before the start. */
  readonly downtime: readonly Gap[];
}

export function watchStatus({ session, store, startedMs, downtime }: WatchFacts): StatusDocument {
  const { backlog, overflows, gaps, sweeps } = session.watch.state();
  return {
    ...baseStatus(store),
    pid: process.pid,
    since: new Date(startedMs).toISOString(),
    healthy: !session.source.coverage().some(isLostCoverage),
    coverage: session.source.coverage().map(coverageRow),
    backlog,
    overflows,
    gaps: [...downtime, ...gaps].map(gapRow),
    hooks: session.trigger.states().map(hookRow),
    sweep: Object.fromEntries(sweeps.map((state) => [state.tier, sweepRow(state)])),
  };
}

/** Of a watch that gives no answer: as if there were none, but for its health. */
export function deafStatus(settings: Settings, store: Store): StatusDocument {
  return { ...withoutWatch(settings, store), healthy: false };
}

/** Without a watch nothing is covered. */
export function idleStatus(settings: Settings, store: Store): StatusDocument {
  const [touchedMs, nowMs] = [lastSignOfLife(settings.baseline), systemClock.nowMs()];
  const killedMs = touchedMs === undefined ? undefined : killedAt(store.journal, touchedMs, nowMs);
  const status = withoutWatch(settings, store);
  if (killedMs === undefined) return status;
  return { ...status, healthy: false, gaps: [gapRow({ cause: 'killed', fromMs: killedMs, toMs: nowMs })] };
}

/** What waits for hooks goes on waiting. */
function withoutWatch({ hooks }: Settings, store: Store): StatusDocument {
  return { ...baseStatus(store), hooks: hooks.map((hook) => hookRow(idleState(hook, store.outbox))) };
}

function hookRow(state: HookState): HookRow {
  const { name, pending, running, dead, failures, hold } = state;
  return {
    ...{ name, pending, running, dead, failures },
    last: state.last ?? null,
    lastEnd: timeOf(state.lastEndMs),
    runningSince: timeOf(state.runningSinceMs),
    nextAttempt: timeOf(state.nextAttemptMs),
    openUntil: timeOf(state.openUntilMs),
    hold: hold === undefined ? null : { reason: hold.reason, since: new Date(hold.sinceMs).toISOString() },
  };
}

function sweepRow({ everyMs, contentMs, round, lastMs, running }: SweepState): SweepRow {
  const { part, parts } = round;
  return { every: everyMs ?? null, last: timeOf(lastMs), running, content: contentMs ?? null, part: part + 1, parts };
}

function timeOf(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}

function baseStatus(store: Store): StatusDocument {
  const { generation, entries } = store.baseline.info();
  return {
    v: 1,
    type: 'status',
    pid: null,
    since: null,
    generation,
    entries,
    healthy: null,
    coverage: [],
    backlog: 0,
    overflows: 0,
    gaps: [],
    openDrift: countOpenDrift(store),
    hooks: [],
    sweep: {},
  };
}

function coverageRow({ mount, mode, sinceMs, gaps, reason }: Coverage): CoverageRow {
  return {
    mount: pathToText(mount),
    ...(isCleanUtf8(mount) ? {} : { mountBytes: pathToBytes(mount).toString('base64') }),
    mode,
    since: new Date(sinceMs).toISOString(),
    gaps,
    ...(reason === undefined ? {} : { reason }),
    unseen: unseenBy(mode),
  };
}

function gapRow({ cause, fromMs, toMs }: Gap): StatusDocument['gaps'][number] {
  return { cause, from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
}

function countOpenDrift(store: Store): OpenDriftCounts {
  const kinds = { added: 0, removed: 0, changed: 0, moved: 0 };
  const bySeverity: Record<string, number> = Object.fromEntries(SEVERITIES.map((severity) => [severity, 0]));
  for (const { record } of store.openDrift()) {
    const value: unknown = JSON.parse(record);
    if (!isRecord(value)) continue;
    const kind = String(value['kind']);
    if (isKind(kind, kinds)) kinds[kind] += 1;
    const severity = String(value['severity']);
    bySeverity[severity] = (bySeverity[severity] ?? 0) + 1;
  }
  return { ...kinds, bySeverity };
}

function isKind<T extends object>(key: PropertyKey, counts: T): key is keyof T {
  return Object.hasOwn(counts, key);
}
