// Make the present state of chosen paths the baseline. Refuses what is not what was reported.
import { type Actor, UNKNOWN_ACTOR } from '../domain/actor.ts';
import { type Drift, type DriftRecord, driftKey } from '../domain/drift.ts';
import { AppError } from '../domain/errors.ts';
import { escapePath } from '../domain/escape.ts';
import { fingerprint } from '../domain/fingerprint.ts';
import { type BytePath, comparePaths, hasAncestorIn, isWithin } from '../domain/path.ts';
import { rootsFor } from '../domain/rule.ts';
import { appendedSince } from './appended-since.ts';
import { type CheckTotals, check, checkExitCode } from './check.ts';
import { ruleOf } from './findings.ts';
import { unfounded } from './founded.ts';
import { isAcceptable, patchOf } from './patch.ts';
import type { Clock } from './ports/clock.ts';
import type { RecordWriter } from './ports/record-writer.ts';
import type { OpenDrift, Store } from './ports/store.ts';
import { walkRoots } from './roots.ts';
import { contradicts, followMoves, rekeyed } from './still-open.ts';
import type { SurveyParts } from './survey.ts';

export interface AcceptParts extends SurveyParts {
  readonly store: Store;
  readonly records: RecordWriter;
  readonly clock: Clock;
  readonly newId: (timeMs: number) => string;
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
  /** Where what is open is not known any more: two things had one name in the baseline. */
  readonly again: readonly BytePath[];
}

export async function accept(parts: AcceptParts, request: AcceptRequest): Promise<AcceptResult> {
  const wish = wishOf(parts, request);
  const seen = await look(parts, wish);
  if (wish.kind === 'report') assertReport(seen.totals, wish.report);
  const accepted = choose(seen, wish, parts);
  const incomplete = seen.incomplete.filter((path) => isWished(wish, path));
  const closed = closedBy(accepted, seen, wish, parts.store);
  if (accepted.length === 0 && closed.length === 0) {
    return { generation: parts.baseline.info().generation, accepted, incomplete, again: [] };
  }
  return { ...commitAccept(parts, request.by, accepted, seen, closed), accepted, incomplete };
}

/** What is to be accepted, and what has to be looked at for that. */
type Wish = { readonly roots: readonly BytePath[] } & (
  | { readonly kind: 'all' }
  /** With everything below them. */
  | { readonly kind: 'paths'; readonly paths: readonly BytePath[] }
  | { readonly kind: 'drift'; readonly drift: OpenDrift }
  | { readonly kind: 'reviewed'; readonly reviewed: ReadonlyMap<BytePath, string> }
  /** All of a check's report. */
  | { readonly kind: 'report'; readonly report: string }
);

function wishOf({ store, scope }: AcceptParts, { paths, report, reviewed }: AcceptRequest): Wish {
  const drift = findReported(store, report);
  if (drift !== undefined) {
    const { places } = followMoves([drift.key, drift.path], store.openMoves());
    return { kind: 'drift', drift, roots: coveredRoots(scope, places) };
  }
  const roots = walkRoots(scope, paths);
  if (report !== undefined) return { kind: 'report', report, roots };
  if (reviewed !== undefined) return { kind: 'reviewed', reviewed, roots };
  if (paths.length === 0) return { kind: 'all', roots };
  const followed = followMoves(paths, store.openMoves());
  return { kind: 'paths', paths: followed.paths, roots: coveredRoots(scope, followed.places) };
}

function findReported(store: Store, report: string | undefined): OpenDrift | undefined {
  if (report === undefined) return undefined;
  for (const open of store.openDrift()) if (open.id === report) return open;
  return undefined;
}

function coveredRoots(scope: AcceptParts['scope'], places: readonly BytePath[]): BytePath[] {
  const covered = places.filter((place) => rootsFor(scope, place).length > 0);
  return covered.length === 0 ? [] : walkRoots(scope, covered);
}

interface Seen {
  readonly drifts: readonly Drift[];
  readonly incomplete: readonly BytePath[];
  readonly totals: CheckTotals;
}

/** One walk: what is accepted is what the report's id was made of. */
async function look(parts: AcceptParts, wish: Wish): Promise<Seen> {
  const items = check(parts, { roots: wish.roots, quick: false, hash: parts.hash });
  const drifts: Drift[] = [];
  const incomplete: BytePath[] = [];
  // What was told is accepted, and not what somebody may have put there while everything was read.
  const known = async (drift: Drift): Promise<Drift> => {
    const prints = (): readonly string[] => toldOf(drift, wish, parts.store);
    return (await appendedSince(drift, { ...parts, prints, isSought: () => true })).drift;
  };
  for (;;) {
    const { done, value } = await items.next();
    if (done) return { drifts, incomplete, totals: value };
    if (value.kind === 'drift') drifts.push(await known(value.drift));
    else incomplete.push(value.path);
  }
}

/** Fingerprints of what somebody was told of it. */
function toldOf(drift: Drift, wish: Wish, store: Store): readonly string[] {
  if (wish.kind === 'report') return [];
  if (wish.kind === 'drift') return [wish.drift.fingerprint];
  if (wish.kind === 'reviewed') return [wish.reviewed.get(drift.path) ?? []].flat();
  return openAt(drift, store).map((open) => open.fingerprint);
}

function openAt(drift: Drift, store: Store): readonly OpenDrift[] {
  return [driftKey(drift), drift.path].flatMap((path) => store.openDriftAt(path));
}

function assertReport(totals: CheckTotals, report: string): void {
  if (totals.reportId === report) return;
  const found =
    checkExitCode(totals) === 0 ? 'there is no drift' : `the report of what is there now is ${totals.reportId}`;
  throw new AppError('STALE', `report ${report} is neither open drift nor what a check finds now: ${found}`, {
    hint: 'look at it with `driftline check`, then accept that report',
  });
}

function choose(seen: Seen, wish: Wish, parts: AcceptParts): readonly Drift[] {
  const wished = readable(seen).filter((drift) => isChosen(drift, wish));
  const kept = unfounded(wished, parts);
  // What could not be read may be what is missing: then they are left as they were together.
  if (seen.incomplete.length === 0) assertFounded(kept);
  const chosen = wished.filter((drift) => !kept.has(drift));
  const stale = chosen.find((drift) => isStale(drift, wish, parts));
  if (stale === undefined) return chosen;
  throw new AppError('STALE', `${escapePath(stale.path)} has changed since it was reported`, {
    hint: 'look at it again with `driftline check`, then accept the new report with --report',
  });
}

function assertFounded(kept: ReadonlyMap<Drift, BytePath>): void {
  for (const [{ path }, other] of kept) {
    const [one, first] = [escapePath(path), escapePath(other)];
    const why = isWithin(other, path) ? `${first} was in it` : `${first} is not a directory in the baseline`;
    throw new AppError('USAGE', `${one} cannot be accepted alone: ${why}`, { hint: `accept ${first}, too` });
  }
}

/** What is missing at the old name of a directory that cannot be read at its new one may well be there. */
function readable({ drifts, incomplete }: Seen): readonly Drift[] {
  const unread = new Set<BytePath>(incomplete);
  const hidden = new Set(drifts.flatMap(({ from, path }) => (from !== undefined && unread.has(path) ? [from] : [])));
  return drifts.filter((drift) => {
    if (drift.kind === 'removed') return !hasAncestorIn(drift.path, hidden);
    return isAcceptable(drift) && !unread.has(drift.path);
  });
}

function isChosen(drift: Drift, wish: Wish): boolean {
  if (wish.kind === 'drift') return driftKey(drift) === wish.drift.key;
  if (wish.kind === 'reviewed') return wish.reviewed.has(drift.path);
  return isWished(wish, drift.path) || isWished(wish, driftKey(drift));
}

function isWished(wish: Wish, path: BytePath): boolean {
  if (wish.kind === 'paths') return wish.paths.some((wished) => isWithin(path, wished));
  if (wish.kind === 'drift') return [wish.drift.key, wish.drift.path].some((wished) => isWithin(path, wished));
  return true;
}

/** Open drift is what somebody was told; when the path has changed since, that has to be told first. */
function isStale(drift: Drift, wish: Wish, parts: AcceptParts): boolean {
  const now = fingerprintOf(drift, parts);
  if (wish.kind === 'report') return false;
  if (wish.kind === 'drift') return now !== wish.drift.fingerprint;
  if (wish.kind === 'reviewed') return now !== wish.reviewed.get(drift.path);
  return openAt(drift, parts.store).some((open) => contradicts(open, drift, now));
}

function fingerprintOf(drift: Drift, { scope }: SurveyParts): string {
  const rule = ruleOf(drift, scope);
  return rule === undefined ? '' : fingerprint(drift, rule.attributes);
}

/** Open drift that the acceptance settles: that of every accepted name, and of everything wished that is no drift now. */
function closedBy(accepted: readonly Drift[], seen: Seen, wish: Wish, store: Store): readonly OpenDrift[] {
  const settled = new Set<BytePath>();
  for (const drift of accepted) {
    settled.add(driftKey(drift)).add(drift.path);
    for (const { from, after } of drift.along ?? []) settled.add(from).add(after.path);
  }
  const isWhole = wish.kind !== 'drift' && wish.kind !== 'reviewed';
  const [found, unread] = [new Set(seen.drifts.map(driftKey)), new Set<BytePath>(seen.incomplete)];
  const isGone = ({ key, path }: OpenDrift): boolean =>
    !found.has(key) &&
    [key, path].every((name) => !unread.has(name) && !hasAncestorIn(name, unread)) &&
    [key, path].some((name) => isWished(wish, name) && wish.roots.some((root) => isWithin(name, root)));
  return [...store.openDrift()].filter((open) => settled.has(open.key) || (isWhole && isGone(open)));
}

function commitAccept(
  parts: AcceptParts,
  by: Actor,
  accepted: readonly Drift[],
  seen: Seen,
  closed: readonly OpenDrift[],
): Pick<AcceptResult, 'generation' | 'again'> {
  const generation = parts.baseline.info().generation + 1;
  const closedKeys = new Set(closed.map(({ key }) => key));
  const untold = accepted.filter((drift) => !closedKeys.has(driftKey(drift))).map((drift) => recordOf(parts, drift));
  const record = parts.records.accept({
    timeNs: parts.clock.nowNs(),
    generation,
    paths: [...new Set(accepted.map((drift) => drift.path))].sort(comparePaths),
    drifts: [...closed, ...untold].map(({ id }) => id),
    by,
  });
  const patch = patchOf(accepted, parts);
  const renamed = rekeyed(patch, seen.drifts, closedKeys, parts);
  parts.store.commit({
    journal: [...untold.map(parts.records.drift), record],
    closedDrift: [...closedKeys, ...renamed.map(({ old }) => old)],
    openDrift: renamed.flatMap(({ open }) => open ?? []),
    accept: patch,
  });
  return { generation, again: renamed.flatMap(({ again }) => again) };
}

/** What nobody told before: the journal says what was accepted. */
function recordOf({ baseline, clock, newId }: AcceptParts, drift: Drift): DriftRecord {
  const timeNs = clock.nowNs();
  const { generation } = baseline.info();
  const id = newId(Number(timeNs / 1_000_000n));
  return { ...drift, id, seq: 1, timeNs, actors: [UNKNOWN_ACTOR], generation };
}
