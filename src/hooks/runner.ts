// A run of a hook: the health check is told, `before`, the program itself, `after`.
import type { FailureRequest, HookRunner, RunOutcome, RunRequest } from '../engine/ports/hook-runner.ts';
import { openCgroups, type RunCgroups } from './cgroup.ts';
import { type CommandOptions, runCommand, type Surroundings } from './command.ts';
import { openPing } from './ping.ts';
import { plainWord } from './plain-word.ts';

export interface HookRunnerOptions {
  /** The TZ of every hook; none when undefined. */
  readonly timeZone?: string;
  /** Where runs get a cgroup of their own; undefined: process groups alone. */
  readonly cgroups?: RunCgroups | undefined;
  /** The hexadecimal BLAKE3 digest, for pinned programs. */
  readonly digestOf?: (bytes: Uint8Array) => string;
  /** What went wrong beside a run, and does not change its outcome. */
  readonly onProblem?: (message: string) => void;
  /** Where and as what somebody's own command runs; undefined: a hook, in bare surroundings. */
  readonly surroundings?: Surroundings;
}

export function openHookRunner({ onProblem = () => {}, ...options }: HookRunnerOptions = {}): HookRunner {
  const { timeZone, surroundings, digestOf = () => '' } = options;
  const parts = {
    timeZone,
    surroundings,
    digestOf,
    onProblem,
    cgroups: 'cgroups' in options ? options.cgroups : openCgroups(),
  };
  return {
    async run(request) {
      const { ping, name } = request.hook;
      const check =
        ping === undefined ? undefined : openPing(ping, request.runId, (why) => onProblem(`hook ${name}: ${why}`));
      check?.started(request.kill);
      const outcome = await runPhases(request, parts);
      await check?.ended(outcome, request.kill);
      return outcome;
    },
    async tellFailure(request) {
      const problem = await runOnFailure(request, parts);
      if (problem !== undefined) onProblem(`hook ${request.hook.name}: onFailure: ${problem}`);
    },
  };
}

const NOTHING = new Uint8Array(0);

async function runPhases(request: RunRequest, parts: CommandOptions): Promise<RunOutcome> {
  const { hook } = request;
  if (hook.before !== undefined) {
    const before = await runCommand({ ...request, argv: hook.before, input: NOTHING }, parts);
    if (before.outcome !== 'ok') return { ...before, problem: `before: ${describe(before)}` };
  }
  const outcome = await runCommand({ ...request, argv: hook.run }, parts);
  if (hook.after === undefined) return outcome;
  // It undoes what `before` did, also of a run that was canceled: its own end is the timeout or the kill.
  const signal = new AbortController().signal;
  const environment = { ...request.environment, ...outcomeVariables(outcome) };
  const after = await runCommand({ ...request, argv: hook.after, input: NOTHING, environment, signal }, parts);
  if (after.outcome === 'ok' || outcome.outcome !== 'ok') return outcome;
  return { ...after, outcome: 'failed', output: outcome.output + after.output, problem: `after: ${describe(after)}` };
}

function outcomeVariables({ outcome, exitCode }: RunOutcome): Record<string, string> {
  return {
    DRIFTLINE_OUTCOME: outcome,
    ...(exitCode === undefined ? {} : { DRIFTLINE_EXIT_CODE: String(exitCode) }),
  };
}

function describe({ problem, exitCode, signal, outcome }: RunOutcome): string {
  if (problem !== undefined) return problem;
  if (outcome === 'timedOut') return 'timed out';
  return signal === undefined ? `exit ${exitCode ?? '?'}` : `signal ${signal}`;
}

/** Returns what went wrong. */
async function runOnFailure(request: FailureRequest, parts: CommandOptions): Promise<string | undefined> {
  const { hook, record } = request;
  if (hook.onFailure === undefined) return undefined;
  const input = Buffer.from(`${record}\n`);
  const environment = { ...request.environment, DRIFTLINE_HOOK: plainWord(hook.name) };
  const signal = new AbortController().signal;
  const outcome = await runCommand({ ...request, argv: hook.onFailure, input, environment, signal }, parts);
  return outcome.outcome === 'ok' ? undefined : describe(outcome);
}
