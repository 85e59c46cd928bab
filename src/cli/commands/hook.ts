// driftline hook list, run, release: what hooks have to deliver, and what somebody wants of them.
import { AppError } from '../../domain/errors.ts';
import type { HookSettings, Settings } from '../../domain/settings.ts';
import {
  deliverPending,
  type ErrandResult,
  type HookErrand,
  held,
  itemsFor,
  noHook,
} from '../../engine/hook-errand.ts';
import type { Store } from '../../engine/ports/store.ts';
import { releaseHold } from '../../engine/release.ts';
import { hookPayload } from '../../hooks/payload.ts';
import { openHookRunner } from '../../hooks/runner.ts';
import { pluralText } from '../../report/quantity.ts';
import { recordWriter } from '../../report/record-writer.ts';
import { systemClock } from '../clock.ts';
import { argumentPaths, type Context, loadContext } from '../context.ts';
import { askWatch } from '../control-client.ts';
import { isRecord } from '../control-protocol.ts';
import { hookText } from '../hook-text.ts';
import { currentActor, newId } from '../identity.ts';
import { onInterrupt } from '../interrupt.ts';
import { openReporter } from '../reporter.ts';
import { busy, hexDigest, lockState, openState } from '../state.ts';
import { currentStatus } from './status.ts';

export async function runHookList(context: Context, json: boolean): Promise<number> {
  const { settings } = await loadContext(context);
  const { hooks } = await currentStatus(context, settings);
  const rows = settings.hooks.map((hook) => ({ hook, row: hooks.find(({ name }) => name === hook.name) }));
  if (json) {
    const list = rows.map(({ hook, row }) => ({
      ...row,
      name: hook.name,
      run: hook.run,
      rules: rulesOf(settings, hook),
    }));
    context.output.data(`${JSON.stringify({ v: 1, type: 'hooks', hooks: list })}\n`);
    return 0;
  }
  for (const { hook, row } of rows) {
    const words = row === undefined ? 'not known to the running watch: it has another configuration' : hookText(row);
    context.output.data(`${hook.name}  ${words}\n`);
  }
  return 0;
}

export function rulesOf({ rules }: Settings, { name }: HookSettings): string[] {
  return rules.filter(({ hooks }) => hooks.includes(name)).map((rule) => rule.name);
}

export function findHook({ hooks }: Settings, name: string): HookSettings {
  const hook = hooks.find((one) => one.name === name);
  if (hook === undefined) throw noHook(name);
  return hook;
}

export async function runHookRelease(context: Context, name: string): Promise<number> {
  const { settings } = await loadContext(context);
  const hook = findHook(settings, name);
  const asked = await askRunning(settings, { action: 'release', hook: name, paths: [], by: currentActor() });
  const { count } = asked ?? (await withStore(settings, (store) => releaseHere(store, hook)));
  context.output.note(count === 0 ? `hook ${name} was not held` : `hook ${name} is released`);
  return 0;
}

function releaseHere({ outbox }: Store, { name }: HookSettings): ErrandResult {
  const memory = outbox.memory(name);
  releaseHold({ outbox, records: recordWriter, clock: systemClock }, name, memory, currentActor());
  return { count: memory.hold === undefined ? 0 : 1, pending: 0 };
}

export interface HookRunArguments {
  readonly name: string;
  readonly paths: readonly string[];
  readonly pending: boolean;
}

/** Through the running watch, which does it in its order; without one here and now. 75: something is left to be tried. */
export async function runHookRun(context: Context, args: HookRunArguments): Promise<number> {
  const { settings } = await loadContext(context);
  const hook = findHook(settings, args.name);
  const paths = argumentPaths(context, args.paths);
  if (args.pending === paths.length > 0) {
    throw new AppError('USAGE', 'hook run needs either paths or --pending', { hint: 'driftline hook run --help' });
  }
  const errand: HookErrand = { action: args.pending ? 'retry' : 'add', hook: hook.name, paths, by: currentActor() };
  const asked = await askRunning(settings, errand);
  if (asked !== undefined) {
    const revived =
      args.pending && asked.count > 0 ? `, ${pluralText(asked.count, 'batch', 'batches')} opened again` : '';
    context.output.note(`hook ${hook.name}: the running watch delivers it: ${asked.pending} pending${revived}`);
    return 0;
  }
  return await withStore(settings, (store) => deliverHere(context, store, hook, errand));
}

async function deliverHere(context: Context, store: Store, hook: HookSettings, errand: HookErrand): Promise<number> {
  const { hold } = store.outbox.memory(hook.name);
  if (hold !== undefined) throw held(hook.name, hold.reason);
  const common = { records: recordWriter, clock: systemClock, newId };
  if (errand.action === 'retry') store.outbox.revive(hook.name);
  else store.commit({ outbox: itemsFor({ ...common, store }, hook.name, errand.paths) });
  const reporter = openReporter(context.output, false);
  const runner = openHookRunner({ onProblem: reporter.problem, digestOf: hexDigest });
  const parts = { ...common, outbox: store.outbox, runner, reporter, random: Math.random, payload: hookPayload };
  const interrupt = onInterrupt(hook.stop.graceMs);
  try {
    const { ok, left } = await deliverPending(parts, hook, interrupt.signal, interrupt.kill);
    context.output.note(`hook ${hook.name}: ${pluralText(ok, 'batch', 'batches')} delivered, ${left} left`);
    return interrupt.exitCode() ?? (left === 0 ? 0 : 75);
  } finally {
    interrupt.dispose();
  }
}

async function withStore<T>(settings: Settings, work: (store: Store) => T | Promise<T>): Promise<T> {
  const lock = lockState(settings.baseline);
  if (lock === undefined) throw busy(settings.baseline);
  const store = openState(settings, 'write');
  try {
    return await work(store);
  } finally {
    store.close();
    lock.release();
  }
}

async function askRunning({ baseline }: Settings, errand: HookErrand): Promise<ErrandResult | undefined> {
  const reply = await askWatch(baseline, { op: 'hook', errand });
  if (!isRecord(reply)) return undefined;
  return { count: Number(reply['count']), pending: Number(reply['pending']) };
}
