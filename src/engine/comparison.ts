// Everything against the baseline: at the start, after a loss, and again and again in the background.
import type { Severity } from '../domain/drift.ts';
import { type BytePath, hasAncestorIn, outermostPaths } from '../domain/path.ts';
import type { Round } from '../domain/round.ts';
import type { Scope } from '../domain/rule.ts';
import type { Appended } from './appended.ts';
import type { GrowthChecks } from './growth-checks.ts';
import type { Finding } from './page-diff.ts';
import type { Clock } from './ports/clock.ts';
import type { Disk, Portion } from './ports/disk.ts';
import type { RecordWriter, SweepFields } from './ports/record-writer.ts';
import type { Store } from './ports/store.ts';
import { type NotesReplaced, whenReplaced } from './replaced.ts';
import { type SurveyParts, survey } from './survey.ts';

export interface ComparisonParts extends SurveyParts {
  readonly names: NotesReplaced;
  readonly store: Store;
  readonly records: RecordWriter;
  readonly clock: Clock;
  /** What is found here is read as a whole. */
  readonly appended: Appended;
  readonly growth: GrowthChecks;
  /** For one sweep, which closes it: threads of its own, so that nothing waits behind what is read slowly. */
  readonly openSweepDisk: () => Disk;
}

export interface Comparisons {
  /**
   * Compares everything that rules of this severity cover and puts what differs in doubt; it is then read like any other. The
   * content is read of one part of the directories, and of what looks different.
   * Stopped by the signal it resolves, too: what it did not reach is compared at the next start.
   */
  sweep(severity: Severity, round: Round, signal: AbortSignal): Promise<void>;
  /** Compares all, quickly. One at a time: whatever is lost while one is going on takes one more, and no more than that. */
  catchUp(signal: AbortSignal): Promise<void>;
  /** Something is being compared quickly; sweeps take their time. */
  readonly isRunning: boolean;
  /** Everything is in doubt: begins to compare it again, unless that is going on. */
  lost(signal: AbortSignal): void;
  /** Why not all that differs is known, for a person; undefined when it is. */
  doubtful(): string | undefined;
}

export interface ComparisonPorts {
  /** `subtree`: with everything below it. */
  readonly doubt: (path: BytePath, subtree: boolean) => void;
  /** Two paths in doubt that may be the names of one move. */
  readonly join: (paths: readonly BytePath[]) => void;
  /** What was found by now should be read. */
  readonly onFound: () => void;
  /** Takes care of work that nobody waits for. */
  readonly survive: (work: Promise<unknown>) => void;
}

export function openComparisons(parts: ComparisonParts, ports: ComparisonPorts): Comparisons {
  let isRescanning = false;
  let mustRescan = false;
  let incomplete = 0;

  const rescan = async (tier: 'catch-up' | 'rescan', signal: AbortSignal): Promise<void> => {
    isRescanning = true;
    mustRescan = false;
    incomplete = await compareAll(parts, { tier, round: undefined }, signal, ports);
    isRescanning = false;
    if (mustRescan && !signal.aborted) ports.survive(rescan('rescan', signal));
  };

  return {
    async sweep(severity, round, signal) {
      const disk = parts.openSweepDisk();
      try {
        await compareAll({ ...parts, disk }, { tier: severity, round }, signal, ports);
      } finally {
        await disk.close();
      }
    },
    catchUp: (signal) => rescan('catch-up', signal),
    get isRunning() {
      return isRescanning;
    },
    lost(signal) {
      if (isRescanning) mustRescan = true;
      else ports.survive(rescan('rescan', signal));
    },
    doubtful() {
      if (isRescanning) return 'it is comparing everything again';
      return incomplete > 0 ? 'something could not be read' : undefined;
    },
  };
}

/** Returns how many paths could not be read. */
async function compareAll(
  parts: ComparisonParts,
  { tier, round }: { readonly tier: SweepFields['tier']; readonly round: Round | undefined },
  signal: AbortSignal,
  { doubt, join, onFound }: ComparisonPorts,
): Promise<number> {
  const { clock, store, records } = parts;
  const isLoss = round === undefined;
  const quick = isLoss || round.parts > 1;
  const startMs = clock.monotonicMs();
  let entries = 0;
  let trusted = 0;
  let drifts = 0;
  let incomplete = 0;
  const whole = new Set<BytePath>();
  const halves = openHalves();
  const onPortion = (portion: Portion): void => {
    entries += portion.entries;
    trusted += portion.trusted;
  };
  try {
    const roots = rootsOf(parts.scope, tier === 'catch-up' || tier === 'rescan' ? undefined : tier);
    const onReplaced = whenReplaced(parts.names, parts.names.moment(), (path) => doubt(path, false));
    for await (const finding of survey({ ...parts, onReplaced }, roots, { quick, round, signal, onPortion })) {
      if (finding.kind === 'incomplete') {
        incomplete += 1;
        continue;
      }
      if (finding.kind !== 'lost') drifts += 1;
      const path = placeOf(finding);
      if (hasAncestorIn(path, whole)) continue;
      if (finding.kind !== 'changed') whole.add(path);
      parts.appended.doubt(path);
      parts.growth.doubt(path);
      doubt(path, isNewDirectory(finding));
      const other = halves.other(finding, path);
      if (other !== undefined) join([path, other]);
    }
  } catch (error) {
    // The walk's way to say that it was stopped.
    if (!signal.aborted || error !== signal.reason) throw error;
  }
  if (signal.aborted) return incomplete;
  if (isLoss) for (const open of store.openDrift()) doubt(open.path, false);
  onFound();
  const durationMs = Math.round(clock.monotonicMs() - startMs);
  const fields = { timeNs: clock.nowNs(), tier, entries, drifts, durationMs };
  const sampled = round !== undefined && round.parts > 1 ? { sampled: { ...round, trusted } } : {};
  store.commit({ journal: [records.sweep({ ...fields, ...sampled })] });
  return incomplete;
}

interface Halves {
  /** Notes what came or went; returns where the same inode went or came. */
  other(finding: Finding, path: BytePath): BytePath | undefined;
}

/** More than that, of each kind, are hardly moves. */
const HALVES_MAX = 50_000;

function openHalves(): Halves {
  const [came, went] = [new Map<bigint, BytePath>(), new Map<bigint, BytePath>()];
  return {
    other(finding, path) {
      if (finding.kind !== 'added' && finding.kind !== 'removed') return undefined;
      const { inode } = finding.kind === 'added' ? finding.after : finding.before;
      const [own, others] = finding.kind === 'added' ? [came, went] : [went, came];
      if (own.size < HALVES_MAX) own.set(inode, path);
      return others.get(inode);
    },
  };
}

/** When it is read, the baseline may have it already, from a reading that missed what is in it by now. */
function isNewDirectory(finding: Exclude<Finding, { readonly kind: 'incomplete' }>): boolean {
  return finding.kind === 'added' && finding.after.type === 'directory';
}

function placeOf(finding: Exclude<Finding, { readonly kind: 'incomplete' }>): BytePath {
  if (finding.kind === 'lost') return finding.path;
  return finding.kind === 'removed' ? finding.before.path : finding.after.path;
}

/** What rules of a severity (undefined: all of them) cover. */
function rootsOf(scope: Scope, severity: Severity | undefined): readonly BytePath[] {
  const rules = new Set(scope.rules.filter((rule) => severity === undefined || rule.severity === severity));
  return outermostPaths(
    scope.roots.filter((root) => {
      const rule = scope.ruleOf(root);
      return rule !== undefined && rules.has(rule);
    }),
  );
}
