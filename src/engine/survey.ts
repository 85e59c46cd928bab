// Everything under some roots against the baseline: pages in, findings out, with memory for one page at a time.

import type { Entry } from '../domain/entry.ts';
import { readRecord, recordOffsets } from '../domain/packed.ts';
import type { BytePath } from '../domain/path.ts';
import type { Round } from '../domain/round.ts';
import type { Scope } from '../domain/rule.ts';
import { type Growth, type GrowthChecks, isOldPart } from './growth-checks.ts';
import { diffPage, type Finding, knownRun, removed } from './page-diff.ts';
import { isWhole, portionOf } from './portion.ts';
import type { Disk, Page, Portion, WalkOptions } from './ports/disk.ts';
import type { Baseline } from './ports/store.ts';

export interface SurveyParts {
  readonly disk: Disk;
  readonly baseline: Baseline;
  readonly scope: Scope;
  /** Told of what is another inode than the baseline has, and otherwise the same. */
  readonly onReplaced?: (entry: Entry) => void;
  /** Where the old part of a growing file need not be read each time. */
  readonly growth?: GrowthChecks | undefined;
}

export interface SurveyOptions {
  /** Trust inode, size, times, mode and owner: read only what differs in one of them. */
  readonly quick: boolean;
  /** Together with `quick`: the content of directories that have their turn is read. */
  readonly round?: Round | undefined;
  readonly signal?: AbortSignal;
  readonly onPortion?: (portion: Portion) => void;
}

/** Compares the roots (each covered by a rule, none below another) and everything below them. */
export async function* survey(
  parts: SurveyParts,
  roots: readonly BytePath[],
  { quick, round, signal, onPortion = () => {} }: SurveyOptions,
): AsyncGenerator<Finding> {
  // What a quick walk is given at the start of a directory is what its page is compared with.
  const given = new Map<BytePath, Buffer>();
  const known = (dir: BytePath, after?: BytePath, upTo?: BytePath): Buffer => {
    const run = parts.baseline.run(dir, after, upTo);
    if (after === undefined && upTo === undefined) given.set(dir, run);
    return run;
  };
  // Who compares everything reads everything.
  const whole = { ...parts, growth: undefined };
  const seals = parts.baseline.seals();
  // A baseline of an earlier format has no quick seals: then all of it is compared with what `known` says.
  const trusting = { known, onUnchanged: onPortion, ...(seals.hasQuick && { seals }), ...(round && { round }) };
  const options: WalkOptions = quick ? trusting : { seals, onUnchanged: onPortion };
  for await (const page of parts.disk.walk(roots, { ...options, ...(signal !== undefined && { signal }) })) {
    onPortion(portionOf(page));
    const run = isWhole(page) ? given.get(page.dir) : undefined;
    given.delete(page.dir);
    yield* findingsOf(page, whole, run);
  }
}

/** The findings of one page, with what a vanished directory takes along and growing files verified. */
export async function* findingsOf(page: Page, parts: SurveyParts, known?: Buffer): AsyncGenerator<Finding> {
  for await (const finding of findingsHere(page, parts, known)) {
    yield finding;
    if (finding.kind === 'lost') yield* removedBelow(finding.path, parts);
  }
}

/** The same, but for what a vanished directory takes along. */
export async function* findingsHere(page: Page, parts: SurveyParts, known?: Buffer): AsyncGenerator<Finding> {
  const { baseline, scope } = parts;
  if (page.failed !== 0) {
    yield { kind: 'incomplete', path: page.dir, errno: page.failed };
    return;
  }
  for (const finding of diffPage(page, known ?? knownRun(page, baseline), scope)) {
    if (finding.kind === 'replaced') parts.onReplaced?.(finding.after);
    else if (finding.kind === 'changed' && finding.prefixBytes !== undefined) yield* verifyGrowth(finding, parts);
    else yield finding;
  }
}

export function* removedBelow(path: BytePath, { baseline, scope }: SurveyParts): Generator<Finding> {
  for (const { dir, run } of baseline.below(path)) {
    for (const at of recordOffsets(run)) yield* removed(readRecord(run, at, dir), scope);
  }
}

async function* verifyGrowth(finding: Growth, { disk, growth }: SurveyParts): AsyncGenerator<Finding> {
  let oldPart = growth?.lately(finding);
  if (oldPart === undefined) {
    const digest = await disk.digestPrefix(finding.after.path, finding.prefixBytes ?? 0n);
    if ('errno' in digest) {
      yield { kind: 'incomplete', path: finding.after.path, errno: digest.errno };
      if (finding.changed.length > 0) yield { ...finding, prefixBytes: undefined };
      return;
    }
    oldPart = digest;
    growth?.verified(finding, oldPart);
  }
  const changed = isOldPart(finding, oldPart) ? finding.changed : [...finding.changed, 'digest' as const];
  if (changed.length > 0) yield { ...finding, changed, oldPart, prefixBytes: undefined };
}
