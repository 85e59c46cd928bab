// Compare everything with the baseline, once. Reads only.
import type { Drift, DriftKind } from '../domain/drift.ts';
import { fingerprint } from '../domain/fingerprint.ts';
import type { BytePath } from '../domain/path.ts';
import { type Difference, driftOf, driftsOf, ruleOf } from './findings.ts';
import type { Portion } from './ports/disk.ts';
import type { Baseline } from './ports/store.ts';
import { type SurveyParts, survey } from './survey.ts';

export type CheckItem =
  | { readonly kind: 'drift'; readonly drift: Drift }
  | { readonly kind: 'incomplete'; readonly path: BytePath; readonly errno: number };

export interface CheckTotals {
  entries: number;
  bytes: number;
  /** Entries that a quick check did not read. */
  trusted: number;
  readonly drift: Record<DriftKind, number>;
  incomplete: number;
  /** Names exactly what was found; equal for two checks that found the same. */
  reportId: string;
}

export interface CheckOptions {
  /** Covered by rules, none below another. */
  readonly roots: readonly BytePath[];
  readonly quick: boolean;
  /** Verify the whole baseline, also where nothing changed and nothing of it is needed. */
  readonly verify?: boolean;
  readonly hash: (bytes: Uint8Array) => Uint8Array;
  readonly signal?: AbortSignal;
  readonly onPortion?: (portion: Portion) => void;
}

/** With more additions and removals than this, the rest is told at once and moves among them are not looked for. */
const PAIRED_MAX = 200_000;

/** Yields what changed as it is found, and what appeared, went or moved at the end; returns the totals. */
export async function* check(parts: SurveyParts, options: CheckOptions): AsyncGenerator<CheckItem, CheckTotals> {
  const totals = newTotals();
  const report = createReportId(options.hash);
  const unpaired: Difference[] = [];
  const tell = (drift: Drift): CheckItem => {
    totals.drift[drift.kind] += 1;
    const rule = ruleOf(drift, parts.scope);
    if (rule !== undefined) report.add(fingerprint(drift, rule.attributes));
    return { kind: 'drift', drift };
  };
  const onPortion = (portion: Portion): void => {
    totals.entries += portion.entries;
    totals.bytes += portion.bytesRead;
    totals.trusted += portion.trusted;
    options.onPortion?.(portion);
  };

  const verification = verifyMeanwhile(parts.baseline, options);
  for await (const finding of survey(parts, options.roots, { ...options, onPortion })) {
    if (finding.kind === 'incomplete') {
      totals.incomplete += 1;
      yield finding;
    } else if (finding.kind === 'lost' || finding.rule.onDrift === 'ignore') {
      // What was in a directory is told by itself; what the rule ignores is nobody's business.
    } else if (finding.kind === 'changed' || unpaired.length >= PAIRED_MAX) {
      yield tell(driftOf(finding));
    } else {
      unpaired.push(finding);
    }
  }
  const damage = await verification;
  if (damage !== undefined) throw damage;
  for (const drift of driftsOf(unpaired, parts.scope)) yield tell(drift);
  totals.reportId = report.id(parts.baseline.info().generation);
  return totals;
}

/** While the workers read; resolves with what is wrong. */
async function verifyMeanwhile(baseline: Baseline, { verify, signal }: CheckOptions): Promise<unknown> {
  if (!verify) return undefined;
  try {
    for (const _ of baseline.verify()) {
      await new Promise(setImmediate);
      if (signal?.aborted) return undefined;
    }
    return undefined;
  } catch (error) {
    return error;
  }
}

function newTotals(): CheckTotals {
  return {
    entries: 0,
    bytes: 0,
    trusted: 0,
    drift: { added: 0, removed: 0, changed: 0, moved: 0 },
    incomplete: 0,
    reportId: '',
  };
}

/** Independent of order, flat in memory: the exclusive or of the digests of all fingerprints. */
function createReportId(hash: (bytes: Uint8Array) => Uint8Array) {
  const sum = Buffer.alloc(32);
  let count = 0;
  return {
    add(text: string): void {
      count += 1;
      hash(Buffer.from(text)).forEach((byte, index) => {
        sum[index] = (sum[index] ?? 0) ^ byte;
      });
    },
    id(generation: number): string {
      const all = Buffer.concat([sum, Buffer.from(`${count}:${generation}`)]);
      return Buffer.from(hash(all)).toString('hex').slice(0, 24);
    },
  };
}

/** The exit code's bits: 1 added, 2 removed, 4 changed or moved, 8 incomplete. */
export function checkExitCode({ drift, incomplete }: CheckTotals): number {
  return (
    (drift.added > 0 ? 1 : 0) |
    (drift.removed > 0 ? 2 : 0) |
    (drift.changed + drift.moved > 0 ? 4 : 0) |
    (incomplete > 0 ? 8 : 0)
  );
}
