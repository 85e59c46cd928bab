// Make the present state of chosen paths the baseline. Refuses what is not what was reported.
import { type Actor, UNKNOWN_ACTOR } from '../domain/actor.ts';
import { type Drift, driftKey } from '../domain/drift.ts';
import type { Entry } from '../domain/entry.ts';
import { AppError } from '../domain/errors.ts';
import { escapePath } from '../domain/escape.ts';
import { fingerprint } from '../domain/fingerprint.ts';
import { type BytePath, comparePaths } from '../domain/path.ts';
import { check, checkExitCode } from './check.ts';
import { type Difference, driftsOf, ruleOf } from './findings.ts';
import type { Clock } from './ports/clock.ts';
import type { RecordWriter } from './ports/record-writer.ts';
import type { OpenDrift, Store } from './ports/store.ts';
import { walkRoots } from './roots.ts';
import { type SurveyParts, survey } from './survey.ts';

export interface AcceptParts extends SurveyParts {
  readonly store: Store;
  readonly records: RecordWriter;
  readonly clock: Clock;
  readonly hash: (bytes: Uint8Array) => Uint8Array;
}

export interface AcceptRequest {
  /** Empty: everything. */
  readonly paths: readonly BytePath[];
  /** The id of an open drift, or of a check's report: what is there now must be exactly that. */
  readonly report: string | undefined;
  /** Fingerprints that a person looked at, by path; only these are accepted, and only if they still fit. */
  readonly reviewed: ReadonlyMap<BytePath, string> | undefined;
  readonly by: Actor;
}

export interface AcceptResult {
  readonly generation: number;
  readonly accepted: readonly Drift[];
  /** What could not be read and is left as it was. */
  readonly incomplete: readonly BytePath[];
}

export async function accept(parts: AcceptParts, request: AcceptRequest): Promise<AcceptResult> {
  const reported = findReported(parts.store, request.report);
  const roots = walkRoots(parts.scope, reported === undefined ? request.paths : [reported.key, reported.path]);
  if (request.report !== undefined && reported === undefined) await assertReport(parts, roots, request.report);

  const { differences, incomplete } = await compareNow(parts, roots);
  const all = driftsOf(differences, parts.scope);
  const accepted =
    reported === undefined ? chooseReviewed(all, request.reviewed, parts) : chooseReported(all, reported, parts);
  assertAsReported(accepted, parts, request);

  const closed = closedBy(accepted, roots, parts.store, request.reviewed === undefined && reported === undefined);
  if (accepted.length === 0 && closed.length === 0) {
    return { generation: parts.baseline.info().generation, accepted, incomplete };
  }
  return { generation: commitAccept(parts, request, accepted, differences, closed), accepted, incomplete };
}

function findReported(store: Store, report: string | undefined): OpenDrift | undefined {
  if (report === undefined) return undefined;
  for (const open of store.openDrift()) if (open.id === report) return open;
  return undefined;
}

async function assertReport(parts: AcceptParts, roots: readonly BytePath[], report: string): Promise<void> {
  const items = check(parts, { roots, quick: false, hash: parts.hash });
  for (;;) {
    const { done, value } = await items.next();
    if (!done) continue;
    if (value.reportId === report) return;
    const found =
      checkExitCode(value) === 0 ? 'there is no drift' : `the report of what is there now is ${value.reportId}`;
    throw new AppError('STALE', `report ${report} is neither open drift nor what a check finds now: ${found}`, {
      hint: 'look at it with `driftline check`, then accept that report',
    });
  }
}

async function compareNow(parts: AcceptParts, roots: readonly BytePath[]) {
  const differences: Difference[] = [];
  const incomplete: BytePath[] = [];
  for await (const finding of survey(parts, roots, { quick: false })) {
    if (finding.kind === 'incomplete') incomplete.push(finding.path);
    else differences.push(finding);
  }
  const unreadable = new Set(incomplete);
  const readable = differences.filter((one) => one.kind === 'removed' || !unreadable.has(one.after.path));
  return { differences: readable, incomplete };
}

function chooseReviewed(
  drifts: readonly Drift[],
  reviewed: ReadonlyMap<BytePath, string> | undefined,
  parts: AcceptParts,
): readonly Drift[] {
  if (reviewed === undefined) return drifts;
  const chosen = drifts.filter((drift) => reviewed.has(drift.path));
  const stale = chosen.find((drift) => reviewed.get(drift.path) !== fingerprintOf(drift, parts));
  if (stale !== undefined) throw staleError(stale);
  return chosen;
}

function chooseReported(drifts: readonly Drift[], reported: OpenDrift, parts: AcceptParts): readonly Drift[] {
  const drift = drifts.find((one) => driftKey(one) === reported.key);
  if (drift === undefined) return [];
  if (fingerprintOf(drift, parts) !== reported.fingerprint) throw staleError(drift);
  return [drift];
}

/** Open drift is what somebody was told; when the path has changed since, that has to be told first. */
function assertAsReported(drifts: readonly Drift[], parts: AcceptParts, request: AcceptRequest): void {
  if (request.reviewed !== undefined || request.report !== undefined) return;
  const stale = drifts.find((drift) =>
    parts.store
      .openDriftAt(driftKey(drift))
      .some((open) => open.key === driftKey(drift) && open.fingerprint !== fingerprintOf(drift, parts)),
  );
  if (stale !== undefined) throw staleError(stale);
}

function staleError(drift: Drift): AppError {
  return new AppError('STALE', `${escapePath(drift.path)} has changed since it was reported`, {
    hint: 'look at it again with `driftline check`, then accept the new report with --report',
  });
}

function fingerprintOf(drift: Drift, { scope }: SurveyParts): string {
  const rule = ruleOf(drift, scope);
  return rule === undefined ? '' : fingerprint(drift, rule.attributes);
}

/** Open drift that the acceptance settles: that of every accepted path, and with whole roots all that is open there. */
function closedBy(
  accepted: readonly Drift[],
  roots: readonly BytePath[],
  store: Store,
  whole: boolean,
): readonly OpenDrift[] {
  const keys = new Set<string>(accepted.map(driftKey));
  return [...store.openDrift()].filter(
    (open) =>
      keys.has(open.key) || (whole && roots.some((root) => open.key === root || open.key.startsWith(`${root}/`))),
  );
}

function commitAccept(
  parts: AcceptParts,
  request: AcceptRequest,
  accepted: readonly Drift[],
  differences: readonly Difference[],
  closed: readonly OpenDrift[],
): number {
  const generation = parts.baseline.info().generation + 1;
  const record = parts.records.accept({
    timeNs: parts.clock.nowNs(),
    generation,
    paths: [...new Set(accepted.map((drift) => drift.path))].sort(comparePaths),
    drifts: closed.map(({ id }) => id),
    by: request.by ?? UNKNOWN_ACTOR,
  });
  parts.store.commit({
    journal: [record],
    closedDrift: closed.map(({ key }) => key),
    accept: patchOf(accepted, differences),
  });
  return generation;
}

/** What the accepted drift means for the baseline: a moved directory takes all its entries along. */
export function patchOf(
  accepted: readonly Drift[],
  differences: readonly Difference[],
): { readonly put: readonly Entry[]; readonly drop: readonly BytePath[] } {
  const put = new Map<BytePath, Entry>();
  const drop = new Set<BytePath>();
  const movedDirectories = accepted.filter((drift) => drift.kind === 'moved' && drift.before?.type === 'directory');
  for (const drift of accepted) {
    if (drift.after !== undefined) put.set(drift.path, drift.after);
    if (drift.kind === 'removed') drop.add(drift.path);
    if (drift.from !== undefined) drop.add(drift.from);
    if (drift.before?.type === 'directory' && drift.after !== undefined && drift.after.type !== 'directory')
      drop.add(drift.path);
  }
  for (const { path } of movedDirectories) {
    for (const one of differences) {
      if (one.kind === 'added' && one.after.path.startsWith(`${path}/`)) put.set(one.after.path, one.after);
    }
  }
  return { put: [...put.values()], drop: [...drop] };
}
