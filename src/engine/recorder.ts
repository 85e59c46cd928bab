// Drift becomes a record: journal, open drift, outbox and, where the rule says so, the next baseline, in one transaction.
import type { Actor } from '../domain/actor.ts';
import { type Drift, type DriftRecord, driftKey } from '../domain/drift.ts';
import { fingerprint } from '../domain/fingerprint.ts';
import { recordName, recordOffsets } from '../domain/packed.ts';
import { type BytePath, joinPath, rebasePath } from '../domain/path.ts';
import type { Rule, Scope } from '../domain/rule.ts';
import { ruleOf } from './findings.ts';
import { isAcceptable, patchOf } from './patch.ts';
import type { Clock } from './ports/clock.ts';
import type { RecordWriter } from './ports/record-writer.ts';
import type { Reporter } from './ports/reporter.ts';
import type { OpenDrift, OutboxItem, Store } from './ports/store.ts';
import type { Reconciled } from './reconcile.ts';
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
  readonly rule: Rule;
  readonly open: OpenDrift;
}

/** Commits what a reconciliation found; returns the hooks that got something to do and the number of records written. */
export function recordDrift(
  parts: RecorderParts,
  found: Reconciled,
  isOwnDoing: Trigger['isOwnDoing'] = () => false,
): { hooks: ReadonlySet<string>; drifts: number } {
  const { generation } = parts.store.baseline.info();
  const fresh = found.drifts.flatMap(({ drift, actors }) => toRecord(parts, drift, actors, generation) ?? []);
  const gone = found.resolved.map((open) => toResolved(parts, open));
  const accepting = found.drifts
    .map(({ drift }) => drift)
    .filter((drift) => isAcceptable(drift) && ruleOf(drift, parts.scope)?.onDrift === 'accept');
  if (fresh.length === 0 && gone.length === 0 && accepting.length === 0) return { hooks: new Set(), drifts: 0 };

  const outbox = [
    ...fresh.flatMap(({ record, rule, open }) =>
      outboxItems(
        rule.hooks.filter((hook) => !isOwnDoing(hook, record.actors)),
        open.record,
        touchedPaths(record, parts.store),
      ),
    ),
    ...gone.flatMap(({ rule, line, open }) =>
      outboxItems(rule?.hooks ?? [], line, [...new Set([open.key, open.path])]),
    ),
  ];
  parts.store.commit({
    journal: [...fresh.map(({ open }) => open.record), ...gone.map(({ line }) => line)],
    openDrift: fresh
      .filter(({ rule, record }) => rule.onDrift === 'report' || !isAcceptable(record))
      .map(({ open }) => open),
    closedDrift: [...gone.map(({ open }) => open.key), ...accepting.map(driftKey)],
    outbox,
    ...(accepting.length === 0
      ? {}
      : { accept: patchOf(accepting, { baseline: parts.store.baseline, scope: parts.scope }) }),
  });
  for (const { record } of fresh) parts.reporter.drift(record);
  for (const { open } of gone) parts.reporter.resolved({ id: open.id, path: open.path });
  return { hooks: new Set(outbox.map(({ hook }) => hook)), drifts: fresh.length };
}

/** A mirror must hear of what went back to the baseline as much as of what left it. */
function toResolved(parts: RecorderParts, open: OpenDrift) {
  const line = parts.records.resolved({ id: open.id, path: open.path, timeNs: parts.clock.nowNs() });
  return { open, line, rule: parts.scope.ruleOf(open.path) ?? parts.scope.ruleOf(open.key) };
}

/** Undefined when just this has been recorded already. */
function toRecord(
  parts: RecorderParts,
  drift: Drift,
  actors: readonly Actor[],
  generation: number,
): Recorded | undefined {
  const rule = ruleOf(drift, parts.scope);
  if (rule === undefined) return undefined;
  const key = driftKey(drift);
  const print = fingerprint(drift, rule.attributes);
  const known = parts.store.openDriftAt(key).find((open) => open.key === key);
  if (known?.fingerprint === print) return undefined;
  const timeNs = parts.clock.nowNs();
  const record: DriftRecord = {
    ...drift,
    id: known?.id ?? parts.newId(Number(timeNs / 1_000_000n)),
    seq: (known?.seq ?? 0) + 1,
    timeNs,
    actors,
    generation,
  };
  const line = parts.records.drift(record);
  const open = { id: record.id, seq: record.seq, key, path: drift.path, fingerprint: print, record: line };
  return { record, rule, open };
}

function outboxItems(hooks: readonly string[], record: string, paths: readonly BytePath[]): OutboxItem[] {
  return hooks.map((hook) => ({ hook, record, paths }));
}

/** Both names of a move; of a moved directory also the names of everything that came along. */
function touchedPaths(drift: Drift, store: Store): BytePath[] {
  const { path, from } = drift;
  if (from === undefined) return [path];
  const paths = [from, path];
  if (drift.before?.type !== 'directory') return paths;
  for (const { dir, run } of store.baseline.below(from)) {
    for (const at of recordOffsets(run)) {
      const old = joinPath(dir, recordName(run, at));
      paths.push(old, rebasePath(old, from, path));
    }
  }
  return paths;
}
