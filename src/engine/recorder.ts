// Drift becomes a record: journal, open drift, outbox and, where the rule says so, the next baseline, page by page.
import { type Ruling, rulingOf } from '../domain/actor-rule.ts';
import type { Doubt } from '../domain/dirty.ts';
import { type Drift, type DriftRecord, driftKey } from '../domain/drift.ts';
import { fingerprint } from '../domain/fingerprint.ts';
import type { BytePath } from '../domain/path.ts';
import type { Scope } from '../domain/rule.ts';
import type { Attributed } from './attribution.ts';
import { ruleOf } from './findings.ts';
import { unfounded } from './founded.ts';
import { namesOf, outboxItems } from './hook-names.ts';
import type { Kept } from './kept.ts';
import { leftBehind } from './left-behind.ts';
import { isAcceptable, patchOf } from './patch.ts';
import type { Clock } from './ports/clock.ts';
import type { HeldHook, OutboxItem } from './ports/outbox.ts';
import type { RecordWriter } from './ports/record-writer.ts';
import type { Reporter } from './ports/reporter.ts';
import type { OpenDrift, Store } from './ports/store.ts';
import type { Reconciled } from './reconcile.ts';
import { type Page, pagesOf } from './record-pages.ts';
import { acceptsBy, actorsAfter, rulingAfter, rulingAsSaid } from './said.ts';
import type { Trigger } from './trigger.ts';

export interface RecorderParts {
  readonly store: Store;
  readonly scope: Scope;
  readonly records: RecordWriter;
  readonly reporter: Reporter;
  readonly clock: Clock;
  readonly newId: (timeMs: number) => string;
}

interface Recorded {
  readonly record: DriftRecord;
  readonly ruling: Ruling;
  readonly drift: Drift;
  readonly open: OpenDrift;
  readonly outbox: readonly OutboxItem[];
}

interface Resolved {
  readonly open: OpenDrift;
  readonly line: string;
  readonly outbox: readonly OutboxItem[];
}

export interface RecordOptions {
  /** Whether a hook is not told, because nobody but its own runs did it. */
  readonly isOwnDoing?: Trigger['isOwnDoing'];
  /** Ends it after the page in hand: what is not recorded then is found by the next comparison. */
  readonly signal?: AbortSignal;
  /** Told of all that is recorded: hooks that it makes wait are recorded with it. */
  readonly holds?: Pick<Trigger, 'judge' | 'hold'> | undefined;
}

export interface RecordResult {
  /** By hook, the paths that it is told of. */
  readonly told: ReadonlyMap<string, ReadonlySet<BytePath>>;
  /** Records written. */
  readonly drifts: number;
  /** What would have been accepted, but for something else that has to be accepted first. */
  readonly kept: readonly Kept[];
  /** Keys of what was accepted. */
  readonly accepted: readonly BytePath[];
  /** What nothing is said of any more, and has to be looked at again. */
  readonly left: readonly Doubt[];
}

/** Commits what a reconciliation found. */
export async function recordDrift(
  parts: RecorderParts,
  found: Reconciled,
  { isOwnDoing = () => false, signal, holds }: RecordOptions = {},
): Promise<RecordResult> {
  const { generation } = parts.store.baseline.info();
  const told = new Map<string, Set<BytePath>>();
  const [kept, accepted, left]: [Kept[], BytePath[], Doubt[]] = [[], [], []];
  let drifts = 0;
  for (const [index, page] of pagesOf(found).entries()) {
    if (index > 0) await new Promise((resolve) => setImmediate(resolve));
    if (signal?.aborted) break;
    const known = openByKey(page, parts.store);
    for (const one of leftBehind(page, known, parts.store.baseline)) left.push(one);
    const fresh = page.drifts.flatMap((one) => toRecord(parts, one, { generation, known, isOwnDoing }) ?? []);
    const gone = page.resolved.map((open) => toResolved(parts, open));
    const held =
      holds?.judge(fresh.map(({ record, outbox }) => ({ record, told: outbox.map(({ hook }) => hook) }))) ?? [];
    const committed = commitPage(parts, page, { fresh, gone, held, known });
    for (const one of committed.kept) kept.push(one);
    for (const one of committed.accepted) accepted.push(one);
    holds?.hold(held);
    for (const { hook, paths } of [...fresh, ...gone].flatMap(({ outbox }) => outbox)) {
      const known = told.get(hook) ?? new Set();
      told.set(hook, known);
      for (const path of paths) known.add(path);
    }
    drifts += fresh.length;
  }
  return { told, drifts, kept, accepted, left };
}

interface Told {
  readonly fresh: readonly Recorded[];
  readonly gone: readonly Resolved[];
  readonly held: readonly HeldHook[];
  /** Open drift by key. */
  readonly known: ReadonlyMap<BytePath, OpenDrift>;
}

function commitPage(
  parts: RecorderParts,
  page: Page,
  { fresh, gone, held, known }: Told,
): Pick<RecordResult, 'kept' | 'accepted'> {
  const { store, scope, reporter } = parts;
  const rulings = new Map(fresh.map(({ drift, ruling }) => [drift, ruling]));
  const still = page.drifts.filter(({ drift }) => !rulings.has(drift) && isAcceptable(drift));
  for (const { drift } of still) {
    const ruling = rulingAsSaid(drift, known, scope);
    if (ruling !== undefined) rulings.set(drift, ruling);
  }
  const isChosen = (drift: Drift): boolean => isAcceptable(drift) && rulings.get(drift)?.onDrift === 'accept';
  const acceptable = page.drifts.map(({ drift }) => drift).filter(isChosen);
  const kept = unfounded(acceptable, { baseline: store.baseline, scope });
  const accepting = acceptable.filter((drift) => !kept.has(drift));
  const result = {
    kept: [...kept].map(([{ path }, first]) => ({ path, first })),
    accepted: accepting.map(driftKey),
  };
  if (fresh.length === 0 && gone.length === 0 && accepting.length === 0) return result;
  // What was told when it had to wait is told once more when it is accepted; not to hooks.
  const late = still.flatMap((one) => {
    const [ruling, open] = [rulings.get(one.drift), known.get(driftKey(one.drift))];
    if (!isChosen(one.drift) || kept.has(one.drift) || ruling === undefined || open === undefined) return [];
    const fields = { ruling, known: open, print: open.fingerprint, generation: store.baseline.info().generation };
    return [recordOf(parts, one, fields)];
  });
  const told = [...fresh, ...late].map((one) => marked(parts, one, kept));
  store.commit({
    journal: [...told.map(({ open }) => open.record), ...gone.map(({ line }) => line)],
    openDrift: told
      .filter(({ ruling, drift }) => ruling.onDrift === 'report' || !isAcceptable(drift) || kept.has(drift))
      .map(({ open }) => open),
    closedDrift: [...gone.map(({ open }) => open.key), ...result.accepted],
    outbox: [...told, ...gone].flatMap(({ outbox }) => outbox),
    holds: held,
    ...(accepting.length === 0 ? {} : { accept: patchOf(accepting, { baseline: store.baseline, scope }) }),
  });
  for (const { record } of told) reporter.drift(record);
  for (const { open } of gone) reporter.resolved({ id: open.id, path: open.path });
  return result;
}

/** What is accepted says so, and what is to be and cannot be yet, too. */
function marked({ records, scope }: RecorderParts, one: Recorded, kept: ReadonlyMap<Drift, BytePath>): Recorded {
  const { drift, ruling, open, outbox } = one;
  if (ruling.onDrift !== 'accept') return one;
  const [by, waitsFor] = [acceptsBy(ruleOf(drift, scope)), kept.get(drift)];
  const isAccepted = waitsFor === undefined && isAcceptable(drift);
  const record = { ...one.record, ...(isAccepted ? { accepted: by } : { accepts: by, waitsFor }) };
  const line = records.drift(record);
  return { ...one, record, open: { ...open, record: line }, outbox: outbox.map((item) => ({ ...item, record: line })) };
}

/** A mirror must hear of what went back to the baseline as much as of what left it. */
function toResolved({ records, scope, store, clock }: RecorderParts, open: OpenDrift): Resolved {
  const { id, key, path } = open;
  const line = records.resolved({ id, path, timeNs: clock.nowNs() });
  const hooks = (scope.ruleOf(path) ?? scope.ruleOf(key))?.hooks ?? [];
  const isDirectory = path !== key && store.baseline.find(key)?.type === 'directory';
  const names = (): BytePath[] => namesOf(key, [path], isDirectory, store);
  return { open, line, outbox: outboxItems(hooks, line, names) };
}

interface RecordContext {
  readonly generation: number;
  /** Open drift by key. */
  readonly known: ReadonlyMap<BytePath, OpenDrift>;
  readonly isOwnDoing: Trigger['isOwnDoing'];
}

function openByKey({ drifts }: Page, store: Store): Map<BytePath, OpenDrift> {
  const open = store.openDriftAmong(drifts.map(({ drift }) => driftKey(drift)));
  return new Map(open.map((one) => [one.key, one]));
}

/** Undefined when just this has been recorded already. */
function toRecord(
  parts: RecorderParts,
  { drift, actors, hasOthers }: Attributed,
  { generation, known: open, isOwnDoing }: RecordContext,
): Recorded | undefined {
  const rule = ruleOf(drift, parts.scope);
  if (rule === undefined) return undefined;
  const key = driftKey(drift);
  const print = fingerprint(drift, rule.attributes);
  const known = open.get(key);
  if (known?.fingerprint === print) return undefined;
  const ruling = rulingAfter(known, rulingOf(rule, actors, hasOthers), rule);
  const by = actorsAfter(known, { drift, actors, hasOthers });
  const recorded = recordOf(parts, { drift, actors: by, hasOthers }, { ruling, known, generation, print });
  const hooks = rule.hooks.filter((hook) => hasOthers || !isOwnDoing(hook, actors));
  const places = [known?.path ?? key, drift.path];
  const names = (): BytePath[] => namesOf(key, places, drift.before?.type === 'directory', parts.store);
  return { ...recorded, outbox: outboxItems(hooks, recorded.open.record, names) };
}

interface RecordFields {
  readonly ruling: Ruling;
  readonly known: OpenDrift | undefined;
  readonly generation: number;
  readonly print: string;
}

function recordOf(
  { records, clock, newId }: RecorderParts,
  { drift, actors }: Attributed,
  { ruling, known, generation, print }: RecordFields,
): Recorded {
  const timeNs = clock.nowNs();
  const record: DriftRecord = {
    ...drift,
    severity: ruling.severity,
    id: known?.id ?? newId(Number(timeNs / 1_000_000n)),
    seq: (known?.seq ?? 0) + 1,
    timeNs,
    actors,
    generation,
  };
  const open = { id: record.id, seq: record.seq, key: driftKey(drift), path: drift.path, fingerprint: print };
  return { record, ruling, drift, open: { ...open, record: records.drift(record) }, outbox: [] };
}
