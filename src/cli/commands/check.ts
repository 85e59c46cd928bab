// driftline check: compare with the baseline. Only reads.
import type { ObservedDisk } from '../../disk/disk.ts';
import type { Coverage } from '../../domain/coverage.ts';
import { escapePath } from '../../domain/escape.ts';
import type { BytePath } from '../../domain/path.ts';
import type { Scope } from '../../domain/rule.ts';
import type { Settings } from '../../domain/settings.ts';
import { type CheckTotals, check, checkExitCode } from '../../engine/check.ts';
import { walkRoots } from '../../engine/roots.ts';
import { suspectsWithin } from '../../engine/suspects.ts';
import { type CheckSummary, openReport, type QuickTrust, type ReportFormatName } from '../../report/report.ts';
import { isLostCoverage } from '../../watch/absence.ts';
import { countEntries } from '../baseline-runs.ts';
import { systemClock } from '../clock.ts';
import { argumentPaths, type Context, loadContext, scopeOf, warnOfRulePaths } from '../context.ts';
import { viewOfWatch, type WatchView } from '../control-client.ts';
import { openRecords } from '../drift-record.ts';
import { forecast, NO_FORECAST } from '../forecast.ts';
import { onInterrupt } from '../interrupt.ts';
import { openProgress } from '../progress.ts';
import { askQuickly } from '../quick-answer.ts';
import { openScanDisk } from '../scan-disk.ts';
import type { ScanOptions } from '../scan-options.ts';
import { hash, openState } from '../state.ts';

export interface CheckArguments {
  readonly paths: readonly string[];
  readonly quick: boolean;
  readonly format: ReportFormatName;
  readonly scan: ScanOptions;
}

export async function runCheck(context: Context, args: CheckArguments): Promise<number> {
  const loaded = await loadContext(context);
  const { settings } = loaded;
  warnOfRulePaths(context, loaded);
  const scope = scopeOf(settings);
  const wanted = walkRoots(scope, argumentPaths(context, args.paths));
  const known = args.quick ? await askQuickly(settings) : undefined;
  if (typeof known === 'string')
    context.output.note(`the running watch cannot tell what changed (${known}): comparing all`);
  const watched = typeof known === 'string' ? undefined : known;
  const roots = watched === undefined ? wanted : suspectsWithin(watched.paths, wanted);
  // The worker threads start while the baseline is verified.
  const disk = openScanDisk(settings, watched === undefined ? args.scan : { ...args.scan, jobs: 1 });
  try {
    return await compare(context, args, { settings, scope, wanted, roots, disk, watchedSinceMs: watched?.sinceMs });
  } finally {
    await disk.close();
  }
}

interface Comparison {
  readonly settings: Settings;
  readonly scope: Scope;
  /** What was asked for, and what of it is read. */
  readonly wanted: readonly BytePath[];
  readonly roots: readonly BytePath[];
  readonly disk: ObservedDisk;
  /** A running watch has named the roots: nothing else has changed since the baseline, as far as events tell. */
  readonly watchedSinceMs: number | undefined;
}

async function compare(
  context: Context,
  { paths, quick, format }: CheckArguments,
  { settings, scope, wanted, roots, disk, watchedSinceMs }: Comparison,
): Promise<number> {
  const store = openState(settings, 'read');
  warnOfLostRoots(context, store.baseline.info().roots, scope);
  const watching = await viewOfWatch(settings.baseline);
  const { coverage } = watching;
  const isUnwatched = warnOfLostCoverage(context, watching);
  const interrupt = onInterrupt();
  const { output } = context;
  const prospect = output.progress === 'none' ? NO_FORECAST : forecast(store.baseline, roots, !quick);
  const progress = openProgress(output, 'check', { meters: disk.meters, expected: prospect.expected });
  const report = openReport(format, { colour: output.colour });
  const startMs = systemClock.nowMs();
  try {
    const { generation, createdMs } = store.baseline.info();
    output.data(report.begin({ startMs, generation }));
    const items = check(
      { disk, baseline: store.baseline, scope },
      {
        roots,
        quick,
        verify: paths.length === 0 && !quick,
        hash,
        signal: interrupt.signal,
        onPortion: progress.portion,
      },
    );
    const recordOf = openRecords(store);
    for (;;) {
      const { done, value } = await items.next();
      if (done) {
        progress.done();
        const code = interrupt.exitCode();
        if (code !== undefined) {
          output.data(report.rest?.() ?? '');
          return code;
        }
        const summary = summaryOf(value, {
          startMs,
          generation,
          coverage,
          quick: quick
            ? trustOf(value, {
                createdMs,
                entries: () =>
                  paths.length === 0 ? store.baseline.info().entries : countEntries(store.baseline, wanted),
                watchedSinceMs,
              })
            : undefined,
          isUnwatched,
        });
        output.data(report.end(summary));
        return summary.exitCode;
      }
      progress.wipe();
      output.data(value.kind === 'drift' ? report.drift(recordOf(value.drift)) : report.incomplete(value));
    }
  } catch (error) {
    progress.done();
    output.data(report.rest?.() ?? '');
    const code = interrupt.exitCode();
    if (code === undefined) throw error;
    return code;
  } finally {
    prospect.stop();
    interrupt.dispose();
    store.close();
  }
}

/** A rule was taken out, or a link above its path leads elsewhere now. */
function warnOfLostRoots({ output }: Context, roots: readonly BytePath[], scope: Scope): void {
  for (const root of roots.filter((path) => scope.explain(path).kind === 'outside')) {
    output.warn(
      `driftline: warning: the baseline has ${escapePath(root)}, which no rule covers any more: it is not compared`,
    );
  }
}

/** The running watch says that it does not see what is there, or says nothing. */
function warnOfLostCoverage({ output }: Context, { coverage, isDeaf }: WatchView): boolean {
  const lost = coverage.filter(isLostCoverage);
  for (const { mount } of lost) output.warn(`driftline: warning: the running watch does not see ${escapePath(mount)}`);
  if (isDeaf) output.warn('driftline: warning: the running watch gives no answer: what it covers is not known');
  return isDeaf || lost.length > 0;
}

interface TrustFacts {
  readonly createdMs: number;
  /** How many the baseline has of what was asked for. */
  readonly entries: () => number;
  readonly watchedSinceMs: number | undefined;
}

/** What a walk trusted; or all but what a running watch has named. */
function trustOf({ entries, trusted, drift }: CheckTotals, facts: TrustFacts): QuickTrust {
  const { createdMs, watchedSinceMs } = facts;
  if (watchedSinceMs === undefined) return { trusted, entries, sinceMs: createdMs, by: 'baseline' };
  const all = Math.max(facts.entries() + drift.added - drift.removed, entries);
  return { trusted: all - entries + trusted, entries: all, sinceMs: watchedSinceMs, by: 'watch' };
}

/** The bit of the exit status that says so, as for what could not be read. */
const INCOMPLETE = 8;

interface SummaryFacts {
  readonly startMs: number;
  readonly generation: number;
  readonly coverage: readonly Coverage[];
  readonly quick: QuickTrust | undefined;
  readonly isUnwatched: boolean;
}

function summaryOf(totals: CheckTotals, { isUnwatched, ...facts }: SummaryFacts): CheckSummary {
  const { entries, bytes, drift, incomplete, reportId } = totals;
  return {
    ...facts,
    endMs: systemClock.nowMs(),
    entries: facts.quick?.entries ?? entries,
    bytes,
    ...drift,
    incomplete,
    exitCode: checkExitCode(totals) | (isUnwatched ? INCOMPLETE : 0),
    reportId,
  };
}
