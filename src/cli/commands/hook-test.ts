// driftline hook test: what would run, with which input and environment, and why. Nothing is run without --run.
import { escapePath, escapeText } from '../../domain/escape.ts';
import type { BytePath } from '../../domain/path.ts';
import type { HookSettings, Settings } from '../../domain/settings.ts';
import { held, itemsFor } from '../../engine/hook-errand.ts';
import type { RunOutcome } from '../../engine/ports/hook-runner.ts';
import type { HookBatch, HookMemory } from '../../engine/ports/outbox.ts';
import { fenceOf } from '../../hooks/fence.ts';
import { hookPayload } from '../../hooks/payload.ts';
import { findProgram, HOOK_PATH } from '../../hooks/program.ts';
import { openHookRunner } from '../../hooks/runner.ts';
import { pathJson } from '../../report/entry-json.ts';
import { type JsonObject, jsonText } from '../../report/json-text.ts';
import { byteText, durationText, pluralText } from '../../report/quantity.ts';
import { recordWriter } from '../../report/record-writer.ts';
import { systemClock } from '../clock.ts';
import { argumentPaths, type Context, loadContext, scopeOf } from '../context.ts';
import { newId } from '../identity.ts';
import { onInterrupt } from '../interrupt.ts';
import { hexDigest, openState } from '../state.ts';
import { findHook, rulesOf } from './hook.ts';

export interface HookTestArguments {
  readonly name: string;
  /** Empty: what the hook has to deliver now. */
  readonly paths: readonly string[];
  readonly run: boolean;
  readonly json: boolean;
}

export async function runHookTest(context: Context, { name, paths, run, json }: HookTestArguments): Promise<number> {
  const { settings } = await loadContext(context);
  const hook = findHook(settings, name);
  const { batch, hold } = delivery(settings, hook, argumentPaths(context, paths));
  const plan = planOf(settings, hook, batch, hold);
  if (!run) {
    context.output.data(json ? `${jsonText(toJson(plan))}\n` : toText(plan));
    return 0;
  }
  if (hold !== undefined) throw held(name, hold.reason);
  const { outcome, interrupted } = await runOnce(context, hook, batch);
  context.output.data(json ? `${jsonText(outcomeJson(outcome))}\n` : outcome.output);
  if (outcome.problem !== undefined) context.output.warn(`driftline: hook ${name}: ${escapeText(outcome.problem)}`);
  context.output.note(`hook ${name}: ${outcome.outcome} (${outcome.signal ?? `exit ${outcome.exitCode ?? '?'}`})`);
  return interrupted ?? (outcome.outcome === 'ok' ? 0 : outcome.outcome === 'again' ? 75 : 74);
}

/** As the outbox has it, or as it would be if just these paths drifted; and whether the hook is held. */
function delivery(settings: Settings, hook: HookSettings, paths: readonly BytePath[]) {
  const empty: HookBatch = { key: 'test', hook: hook.name, attempts: 0, records: [], paths: [], lastNumber: 0 };
  const store = openState(settings, 'read');
  try {
    const { hold } = store.outbox.memory(hook.name);
    if (paths.length === 0) return { batch: store.outbox.peek(hook.name, { maxPaths: hook.maxPaths }) ?? empty, hold };
    const items = itemsFor({ store, records: recordWriter, newId, clock: systemClock }, hook.name, paths);
    const records = items.map(({ record }) => record);
    return { batch: { ...empty, records, paths: [...new Set(paths)].sort() }, hold };
  } finally {
    store.close();
  }
}

interface Plan {
  readonly hook: HookSettings;
  readonly program: string;
  readonly rules: readonly string[];
  readonly batch: HookBatch;
  readonly input: Buffer;
  readonly environment: Readonly<Record<string, string>>;
  /** Why nothing would be run now. */
  readonly refused: string | undefined;
  /** Of each path, whether its drift starts the hook, and why. */
  readonly why: readonly { readonly path: BytePath; readonly starts: boolean; readonly because: string }[];
}

function planOf(settings: Settings, hook: HookSettings, batch: HookBatch, hold: HookMemory['hold']): Plan {
  const fence = fenceOf(hook, hexDigest);
  const problem = 'problem' in fence ? fence.problem : undefined;
  const credentials = 'problem' in fence ? {} : fence.environment;
  const found = findProgram(hook.run[0] ?? '');
  const { input, environment } = hookPayload(hook, batch, 'test');
  const scope = scopeOf(settings);
  const why = batch.paths.map((path) => {
    const rule = scope.ruleOf(path);
    if (rule === undefined) return { path, starts: false, because: 'no rule covers it' };
    if (rule.onDrift === 'ignore') return { path, starts: false, because: `rule ${rule.name} ignores drift` };
    const starts = rule.hooks.includes(hook.name);
    return { path, starts, because: `rule ${rule.name} ${starts ? 'names it' : 'does not name it'}` };
  });
  return {
    hook,
    program: 'path' in found ? found.path : found.problem,
    rules: rulesOf(settings, hook),
    batch,
    input: Buffer.from(input),
    environment: { PATH: HOOK_PATH, LANG: 'C.UTF-8', ...hook.environment, ...environment, ...credentials },
    refused: hold === undefined ? problem : `held: ${hold.reason}`,
    why,
  };
}

function toJson({ hook, program, rules, batch, input, environment, refused, why }: Plan): JsonObject {
  return {
    v: 1,
    type: 'hookTest',
    hook: hook.name,
    program,
    run: hook.run,
    rules,
    stdin: hook.stdin,
    input: input.toString('base64'),
    environment,
    refused,
    key: batch.key,
    paths: why.map(({ path, starts, because }) => ({ ...pathJson('path', path), starts, because })),
  };
}

/** Lines of paths and input that are shown. */
const SHOWN_MAX = 20;

function toText({ hook, program, rules, batch, input, environment, refused, why }: Plan): string {
  const lines = [`hook ${hook.name}`];
  const add = (label: string, value: string): number => lines.push(`  ${label.padEnd(12)}${value}`);
  if (refused !== undefined) add('refused', escapeText(refused));
  add('runs', [program, ...hook.run.slice(1)].map(quoted).join(' '));
  if (hook.before !== undefined) add('before', hook.before.map(quoted).join(' '));
  if (hook.after !== undefined) add('after', hook.after.map(quoted).join(' '));
  add('because', rules.length === 0 ? 'nothing: no rule names it' : `drift of rule ${rules.join(', ')}`);
  const { user, limits } = hook;
  const limited = [
    limits.memoryBytes && `memory ${byteText(limits.memoryBytes)}`,
    limits.tasks && `${limits.tasks} tasks`,
  ];
  add(
    'as',
    `${user ?? 'who runs driftline'}${limited
      .filter(Boolean)
      .map((limit) => `, ${limit} at most`)
      .join('')}`,
  );
  add('waits', `${durationText(hook.quietMs)} without drift, ${durationText(hook.deadlineMs)} at most`);
  add(
    'ends',
    `after ${durationText(hook.timeoutMs)} by SIG${hook.stop.signal}, ${durationText(hook.stop.graceMs)} later by SIGKILL`,
  );
  for (const [name, value] of Object.entries(environment)) add('environment', `${name}=${escapeText(value)}`);
  add('input', `${hook.stdin}: ${pluralText(input.length, 'byte')} for ${pluralText(batch.paths.length, 'path')}`);
  for (const line of inputLines(hook, input)) lines.push(`    ${escapeText(line)}`);
  for (const { path, starts, because } of why.slice(0, SHOWN_MAX)) {
    add('path', `${escapePath(path)}: ${starts ? 'starts it' : 'does not start it'}, ${because}`);
  }
  if (why.length > SHOWN_MAX) add('', `and ${why.length - SHOWN_MAX} paths more`);
  return `${lines.join('\n')}\n`;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${escapeText(word)}'`;
}

function inputLines({ stdin }: HookSettings, input: Buffer): string[] {
  if (stdin === 'paths0' || stdin === 'none') return [];
  return input.toString('utf8').split('\n').slice(0, -1).slice(0, SHOWN_MAX);
}

interface Tried {
  readonly outcome: RunOutcome;
  /** Somebody interrupted. */
  readonly interrupted: number | undefined;
}

async function runOnce({ output }: Context, hook: HookSettings, batch: HookBatch): Promise<Tried> {
  const interrupt = onInterrupt(hook.stop.graceMs);
  const { signal, kill } = interrupt;
  const runId = newId(systemClock.nowMs());
  try {
    const request = { hook, runId, batch, ...hookPayload(hook, batch, runId), signal, kill };
    const onProblem = (message: string): void => output.warn(`driftline: ${escapeText(message)}`);
    const outcome = await openHookRunner({ digestOf: hexDigest, onProblem }).run({ ...request, onStart: () => {} });
    return { outcome, interrupted: interrupt.exitCode() };
  } finally {
    interrupt.dispose();
  }
}

function outcomeJson({ outcome, exitCode, signal, output, problem }: RunOutcome): JsonObject {
  return { v: 1, type: 'hookTestRun', outcome, exitCode, signal, problem, output };
}
