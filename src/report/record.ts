// The records (design: Records), as plain objects; `record-writer.ts` makes them lines.
import type { Actor } from '../domain/actor.ts';
import { type Coverage, type Gap, unseenBy } from '../domain/coverage.ts';
import type { DriftRecord } from '../domain/drift.ts';
import { incompleteText } from '../domain/entry.ts';
import type { BytePath } from '../domain/path.ts';
import type { CoverageState } from '../engine/ports/event-source.ts';
import type {
  AcceptFields,
  AlertFields,
  LifecycleFields,
  ReleaseFields,
  RunFields,
  SweepFields,
} from '../engine/ports/record-writer.ts';
import { entryJson, pathJson } from './entry-json.ts';
import type { JsonObject } from './json-text.ts';
import { timeText, timeTextMs } from './time-text.ts';

/** The version of all records; grows when a field changes its meaning or goes. */
export const RECORD_VERSION = 1;

export function driftJson(record: DriftRecord): JsonObject {
  const { actors, before, after } = record;
  return {
    ...head('drift', timeText(record.timeNs)),
    id: record.id,
    seq: record.seq,
    kind: record.kind,
    ...pathJson('path', record.path),
    ...(record.from === undefined ? {} : pathJson('from', record.from)),
    rule: record.rule,
    severity: record.severity,
    changed: record.changed,
    before: before === undefined ? undefined : entryJson(before),
    after: after === undefined ? undefined : entryJson(after),
    entries: record.entries,
    actor: actorJson(actors.at(-1)),
    actors: actors.length > 1 ? actors.map(actorJson) : undefined,
    generation: record.generation,
    accepts: record.accepts,
    accepted: record.accepted,
    ...(record.waitsFor === undefined ? {} : pathJson('waitsFor', record.waitsFor)),
  };
}

function head(type: string, time: string): JsonObject {
  return { v: RECORD_VERSION, type, time };
}

/** In a fixed order, whatever order the actor was put together in. */
export function actorJson(actor: Actor = { source: 'unknown' }): JsonObject {
  const { pid, exe, cmdline, uid, loginUid, unit, container, ppids, source } = actor;
  return { pid, exe, cmdline, uid, loginUid, unit, container, ppids, source };
}

export function resolvedJson(fields: {
  readonly id: string;
  readonly path: BytePath;
  readonly timeNs: bigint;
}): JsonObject {
  return { ...head('resolved', timeText(fields.timeNs)), id: fields.id, ...pathJson('path', fields.path) };
}

export function acceptJson({ timeNs, generation, paths, drifts, by }: AcceptFields): JsonObject {
  return {
    ...head('accept', timeText(timeNs)),
    generation,
    paths: paths.map((path) => pathJson('path', path)),
    drifts,
    by: actorJson(by),
  };
}

export function runJson({ startMs, endMs, outcome, ...fields }: RunFields): JsonObject {
  return {
    ...head('run', timeTextMs(endMs)),
    hook: fields.hook,
    runId: fields.runId,
    key: fields.key,
    attempt: fields.attempt,
    paths: fields.paths,
    start: timeTextMs(startMs),
    end: timeTextMs(endMs),
    outcome: outcome.outcome,
    exitCode: outcome.exitCode,
    signal: outcome.signal,
    problem: outcome.problem,
    output: outcome.output,
  };
}

export function alertJson({ id, timeMs, kind, hook, message }: AlertFields): JsonObject {
  const severity = kind === 'recovered' ? 'info' : 'critical';
  return { ...head('alert', timeTextMs(timeMs)), id, kind, severity, hook, message };
}

export function releaseJson({ timeNs, hook, reason, sinceMs, by }: ReleaseFields): JsonObject {
  return { ...head('release', timeText(timeNs)), hook, reason, since: timeTextMs(sinceMs), by: actorJson(by) };
}

export function overflowJson({ timeNs, count }: { readonly timeNs: bigint; readonly count: number }): JsonObject {
  return { ...head('overflow', timeText(timeNs)), count };
}

export function coverageRecordJson(fields: {
  readonly timeNs: bigint;
  readonly coverage: Coverage;
  readonly state: CoverageState;
}): JsonObject {
  const { mount, mode, sinceMs, gaps, reason } = fields.coverage;
  return {
    ...head('coverage', timeText(fields.timeNs)),
    ...pathJson('path', mount),
    state: fields.state,
    mode,
    since: timeTextMs(sinceMs),
    gaps,
    reason,
  };
}

/** An item of the `coverage` lists of check and status. */
export function coverageJson({ mount, mode, sinceMs, gaps, reason }: Coverage): JsonObject {
  return { ...pathJson('mount', mount), mode, since: timeTextMs(sinceMs), gaps, reason, unseen: unseenBy(mode) };
}

export function gapJson({ timeNs, gap }: { readonly timeNs: bigint; readonly gap: Gap }): JsonObject {
  const { cause, fromMs, toMs } = gap;
  return { ...head('gap', timeText(timeNs)), cause, from: timeTextMs(fromMs), to: timeTextMs(toMs) };
}

export function sweepJson({ timeNs, tier, entries, drifts, durationMs, sampled }: SweepFields): JsonObject {
  return { ...head('sweep', timeText(timeNs)), tier, entries, drifts, durationMs, ...(sampled && partJson(sampled)) };
}

/** Parts are counted from 1. */
function partJson({ part, parts, trusted }: NonNullable<SweepFields['sampled']>): JsonObject {
  return { part: part + 1, parts, trusted };
}

export function lifecycleJson(
  kind: 'init' | 'start' | 'stop' | 'config',
  { timeNs, generation, detail }: LifecycleFields,
): JsonObject {
  return { ...head(kind, timeText(timeNs)), generation, ...detail, v: RECORD_VERSION, type: kind };
}

/** What a check could not read. */
export function incompleteJson({ path, errno }: { readonly path: BytePath; readonly errno: number }): JsonObject {
  return { ...pathJson('path', path), incomplete: incompleteText(errno) };
}
