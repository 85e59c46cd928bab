// driftline run: a command on every change, without configuration and baseline.
import { openDisk, REST_MS } from '../../disk/disk.ts';
import { escapeText } from '../../domain/escape.ts';
import { compileScope } from '../../domain/rule.ts';
import { trackEchoes } from '../../engine/echo.ts';
import type { HookRunner, RunOutcome, RunRequest } from '../../engine/ports/hook-runner.ts';
import { runOnChange } from '../../engine/run.ts';
import { openSeen } from '../../engine/seen.ts';
import { openTrigger } from '../../engine/trigger.ts';
import { openMemoryOutbox } from '../../hooks/memory-outbox.ts';
import { runPayload } from '../../hooks/run-payload.ts';
import { openHookRunner } from '../../hooks/runner.ts';
import { countText, pluralText } from '../../report/quantity.ts';
import { recordWriter } from '../../report/record-writer.ts';
import { openFanotifySource } from '../../watch/fanotify-source.ts';
import { systemClock } from '../clock.ts';
import type { Context } from '../context.ts';
import { newId } from '../identity.ts';
import { openReporter } from '../reporter.ts';
import { coverageWarnings } from '../run-coverage.ts';
import { exitStatusOf, troubleOf } from '../run-outcome.ts';
import { programOf, type RunOptions, runSettings } from '../run-settings.ts';
import { hash } from '../state.ts';
import type { WatchSignals } from '../watch-signals.ts';

/** How long a command may take to end when it is told to; a second signal does not wait. */
const PATIENCE_MS = 5_000;
/** A tenth of a second of a slow processor: nobody waits longer for whether a file is really another. */
const DIGEST_MAX_BYTES = 64 * 1024 * 1024;

/** The exit status: of the command with `once`, else of the signal that ended it. */
export async function runRun(
  { startDir, output }: Context,
  options: RunOptions,
  signals: WatchSignals,
): Promise<number> {
  const { scope, hook, batch, surroundings } = runSettings(options, startDir, ownEnvironment());
  const reporter = openReporter(output, false);
  const source = await openFanotifySource({ scope, marks: options.marks, who: 'map', onProblem: reporter.problem });
  const disk = openDisk({ scope, restMs: REST_MS, digestMaxBytes: DIGEST_MAX_BYTES });
  const stopped = new AbortController();
  const outbox = openMemoryOutbox(systemClock.nowMs);
  const echoes = trackEchoes();
  const onEnd = (request: RunRequest, outcome: RunOutcome): void => {
    echoes.ended(systemClock.monotonicMs());
    const name = escapeText(hook.name);
    const trouble = troubleOf(outcome);
    if (trouble !== undefined) output.warn(`driftline: ${name}: ${escapeText(trouble)}`);
    else if (outcome.outcome === 'ok') {
      output.note(`driftline: ${name}: ok, ${pluralText(request.batch.paths.length, 'path')}`);
    }
    if (options.once !== true || outcome.outcome === 'canceled') return;
    signals.stop ??= exitStatusOf(outcome, () => programOf(hook.run, surroundings));
    stopped.abort();
  };
  const trigger = openTrigger({
    hooks: [hook],
    limits: { concurrency: 1, chain: 0 },
    outbox,
    runner: telling(openHookRunner({ surroundings }), () => echoes.started(systemClock.monotonicMs()), onEnd),
    records: recordWriter,
    reporter: { ...reporter, problem: () => {}, notice: () => {} },
    clock: systemClock,
    newId,
    random: Math.random,
    entriesOf: () => 0,
    looksEncrypted: () => false,
    payload: (_, delivered, runId) => runPayload(options.stdin, delivered, runId),
  });
  // A terminal that hung up ends it like any other signal.
  signals.onReload = () => {
    signals.stop ??= 129;
    signals.onStop();
  };
  signals.onStop = () => {
    if (stopped.signal.aborted) void trigger.close(0);
    stopped.abort();
  };
  if (signals.mustReload) signals.onReload();
  if (signals.stop !== undefined) stopped.abort();
  try {
    for (const warning of coverageWarnings(source.coverage(), options.marks === 'mount')) {
      output.warn(`driftline: warning: ${warning}`);
    }
    const mounts = source.coverage().filter(({ mode }) => mode !== 'none').length;
    output.note(`ready: ${pluralText(mounts, 'mount')}`);
    const seen = openSeen();
    const parts = {
      source,
      disk,
      trigger,
      reporter,
      seen,
      hash,
      echoes,
      scope: compileScope(scope),
      clock: systemClock,
    };
    const onLooked = (isComplete: boolean): void => {
      if (stopped.signal.aborted) return;
      const entries = seen.size === 1 ? '1 entry' : `${countText(seen.size)} entries`;
      output.note(`known: ${entries}${isComplete ? '' : ', not all'}`);
    };
    const watching = runOnChange(
      { ...parts, hook: hook.name, enqueue: outbox.add, settings: batch, onLooked },
      stopped.signal,
    );
    if (options.initial === true) {
      outbox.add({ hook: hook.name, record: '', paths: [] });
      trigger.notify(hook.name);
    }
    const running = trigger.run().then(() => untilAborted(stopped.signal));
    await Promise.race([watching, running, untilAborted(stopped.signal)]);
    // What the closing disk does to work in hand is not news any more.
    watching.catch(() => {});
    return signals.stop ?? 0;
  } finally {
    stopped.abort();
    await Promise.all([trigger.close(PATIENCE_MS), source.close(), disk.close()]);
  }
}

function ownEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function telling(
  runner: HookRunner,
  onStart: () => void,
  onEnd: (request: RunRequest, outcome: RunOutcome) => void,
): HookRunner {
  return {
    tellFailure: runner.tellFailure,
    async run(request) {
      onStart();
      const outcome = await runner.run(request);
      onEnd(request, outcome);
      return outcome;
    },
  };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
