// driftline init: build the baseline.
import { incompleteText } from '../../domain/entry.ts';
import { AppError } from '../../domain/errors.ts';
import { escapePath } from '../../domain/escape.ts';
import type { BytePath } from '../../domain/path.ts';
import type { Scope } from '../../domain/rule.ts';
import type { Settings } from '../../domain/settings.ts';
import { init } from '../../engine/init.ts';
import type { Store } from '../../engine/ports/store.ts';
import { walkRoots } from '../../engine/roots.ts';
import { byteText, countText, durationText } from '../../report/quantity.ts';
import { recordWriter } from '../../report/record-writer.ts';
import { systemClock } from '../clock.ts';
import { argumentPaths, type Context, loadContext, scopeOf, warnOfRulePaths } from '../context.ts';
import { onInterrupt } from '../interrupt.ts';
import { openProgress } from '../progress.ts';
import type { Expected } from '../progress-share.ts';
import { openScanDisk } from '../scan-disk.ts';
import type { ScanOptions } from '../scan-options.ts';
import { busy, lockState, makeStateDirectory, openState } from '../state.ts';

export interface InitArguments {
  readonly paths: readonly string[];
  readonly force: boolean;
  readonly scan: ScanOptions;
  readonly json: boolean;
}

/** More than this many unreadable paths are counted, not listed. */
const LISTED_MAX = 20;

export async function runInit(context: Context, { paths, force, json, scan }: InitArguments): Promise<number> {
  const wanted = argumentPaths(context, paths);
  assertUsage(context, wanted);
  const loaded = await loadContext(context, wanted);
  const { settings } = loaded;
  warnOfRulePaths(context, loaded);
  const scope = scopeOf(settings);
  makeStateDirectory(settings.baseline);
  const lock = lockState(settings.baseline);
  if (lock === undefined) throw busy(settings.baseline);
  const store = openState(settings, 'create');
  try {
    refuseOverwrite(store, settings, force);
    return await build(context, settings, scope, store, { json, scan });
  } finally {
    store.close();
    lock.release();
  }
}

/** A baseline is always one of all rules: paths only stand for rules where there are none. */
function assertUsage({ baseline, config }: Context, wanted: readonly BytePath[]): void {
  const isImplicit = baseline !== undefined && config === undefined;
  const hint = 'driftline init --baseline FILE PATH...';
  if (isImplicit && wanted.length === 0) {
    throw new AppError('USAGE', 'without a configuration init needs to know the paths', { hint });
  }
  if (!isImplicit && wanted.length > 0) {
    throw new AppError('USAGE', 'with a configuration init takes no paths: a baseline is of all its rules', {
      hint: `for a baseline of other paths: ${hint}; to renew some entries: driftline accept PATH...`,
    });
  }
}

function refuseOverwrite(store: Store, { baseline }: Settings, force: boolean): void {
  const generation = committedGeneration(store);
  if (generation === undefined || force) return;
  throw new AppError('BASELINE_EXISTS', `${escapePath(baseline)} holds generation ${generation} already`, {
    hint: 'compare with `driftline check`; `driftline init --force` replaces it',
  });
}

/** How much there was when the baseline was made that this one replaces. */
function formerSize(store: Store): Expected | undefined {
  return committedGeneration(store) === undefined
    ? undefined
    : { entries: store.baseline.info().entries, bytes: undefined };
}

function committedGeneration(store: Store): number | undefined {
  try {
    return store.baseline.info().generation;
  } catch (error) {
    if (error instanceof AppError && error.code === 'BASELINE_MISSING') return undefined;
    throw error;
  }
}

async function build(
  { output }: Context,
  settings: Settings,
  scope: Scope,
  store: Store,
  { json, scan }: Pick<InitArguments, 'json' | 'scan'>,
): Promise<number> {
  const interrupt = onInterrupt();
  const disk = openScanDisk(settings, scan);
  const expected = formerSize(store);
  const progress = openProgress(output, 'init', { meters: disk.meters, expected: () => expected });
  const roots = walkRoots(scope, []);
  const startMs = Date.now();
  let listed = 0;
  try {
    const totals = await init(disk, store, {
      roots,
      signal: interrupt.signal,
      onPortion: progress.portion,
      onIncomplete: (path, errno) => {
        listed += 1;
        if (listed <= LISTED_MAX) output.warn(`driftline: cannot read ${escapePath(path)}: ${incompleteText(errno)}`);
      },
      record: ({ generation, entries, bytes }) =>
        recordWriter.lifecycle('init', { timeNs: systemClock.nowNs(), generation, detail: { entries, bytes } }),
    });
    progress.done();
    const ms = Date.now() - startMs;
    if (json) output.data(`${JSON.stringify({ v: 1, type: 'init', ...totals, ms })}\n`);
    output.note(
      `baseline ${escapePath(settings.baseline)}: generation ${totals.generation}, ${countText(totals.entries)} entries, ` +
        `${byteText(totals.bytes)} in ${durationText(ms)}${totals.incomplete > 0 ? `, ${countText(totals.incomplete)} not readable` : ''}`,
    );
    return 0;
  } catch (error) {
    progress.done();
    const code = interrupt.exitCode();
    if (code === undefined) throw error;
    output.warn('driftline: interrupted, nothing was changed');
    return code;
  } finally {
    interrupt.dispose();
    await disk.close();
  }
}
