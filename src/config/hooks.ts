// `hooks:` to HookSettings: a program of one's own (`run`) or one that comes with driftline (`use`).
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { errorCode } from '../domain/errors.ts';
import { HOOK_INPUTS, type HookInput, type HookSettings } from '../domain/settings.ts';
import { hookEnvironment } from './hook-environment.ts';
import type { KeyPath } from './problem.ts';
import type { Shape } from './schema.ts';
import { didYouMean } from './suggest.ts';

type HookShape = Shape['hooks'][string];
type Report = (path: KeyPath, message: string) => void;

export function resolveHook(name: string, hook: HookShape, hooksDir: string, report: Report): HookSettings {
  const { run, stdin } = commandOf(hook, hooksDir, report);
  if (hook.quiet > hook.deadline) report(['deadline'], 'must not be shorter than quiet');
  if (hook.timeout === 0) report(['timeout'], 'must be longer than nothing');
  for (const key of COMMANDS) checkCommand(hook[key] ?? ['true'], [key], report);
  if (hook.onBusy !== 'queue' && hook.concurrency > 1) report(['concurrency'], 'must be 1 unless onBusy is queue');
  const twice = hook.exitCodes.ok.find((status) => hook.exitCodes.again.includes(status));
  if (twice !== undefined) report(['exitCodes', 'again'], `${twice} is also in ok`);
  return {
    name,
    run,
    stdin: hook.stdin ?? stdin,
    quietMs: hook.quiet,
    deadlineMs: hook.deadline,
    timeoutMs: hook.timeout,
    maxPaths: hook.maxPaths,
    concurrency: hook.concurrency,
    onBusy: hook.onBusy,
    retry: {
      attempts: hook.retry.attempts,
      backoffMinMs: hook.retry.backoff.minMs,
      backoffMaxMs: hook.retry.backoff.maxMs,
    },
    exitCodes: hook.exitCodes,
    stop: { signal: hook.stopSignal, graceMs: hook.grace },
    breaker: hook.breaker === undefined ? undefined : { failures: hook.breaker.failures, pauseMs: hook.breaker.pause },
    holdOn: hook.holdOn && {
      severity: hook.holdOn.severity,
      filesPerMinute: hook.holdOn.filesPerMinute,
      share: hook.holdOn.share,
      entropy: hook.holdOn.entropy,
    },
    before: hook.before,
    after: hook.after,
    onFailure: hook.onFailure,
    ping: hook.ping && { url: hook.ping.url, timeoutMs: hook.ping.timeout, ca: hook.ping.ca },
    environment: hookEnvironment(hook.with, (key, message) => report(['with', key], message)),
    detach: hook.detach,
    user: hook.user,
    limits: { memoryBytes: hook.limits.memory, tasks: hook.limits.tasks },
    credentials: hook.credentials,
    digests: typeof hook.digest === 'string' ? { '': hook.digest } : (hook.digest ?? {}),
  };
}

/** Beside `run`. */
const COMMANDS = ['before', 'after', 'onFailure'] as const;

interface Command {
  readonly run: readonly string[];
  readonly stdin: HookInput;
}

const NO_COMMAND: Command = { run: [], stdin: 'paths0' };

function commandOf(hook: HookShape, hooksDir: string, report: Report): Command {
  if ((hook.run === undefined) === (hook.use === undefined)) {
    report([], 'needs either run or use');
    return NO_COMMAND;
  }
  if (hook.use !== undefined) return shippedHook(hook.use, hooksDir, report);
  const run = hook.run ?? [];
  checkCommand(run, ['run'], report);
  return { run, stdin: 'paths0' };
}

function checkCommand(command: readonly string[], path: KeyPath, report: Report): void {
  const program = command[0] ?? '';
  if (program === '' || (program.includes('/') && !program.startsWith('/'))) {
    report([...path, 0], `'${program}' must be an absolute path or a bare name`);
  }
  const broken = command.findIndex((word) => word.includes('\0'));
  if (broken >= 0) report([...path, broken], 'contains NUL');
}

/** Hooks for `use` are the files of one directory that say what they read; others are called by other programs, or text. */
function shippedHook(name: string, hooksDir: string, report: Report): Command {
  const shipped = listHooks(hooksDir);
  if (!shipped.includes(name)) {
    const choice = shipped.length === 0 ? 'none' : shipped.join(', ');
    report(['use'], `no hook '${name}' comes with driftline${didYouMean(name, shipped)}; there are: ${choice}`);
    return NO_COMMAND;
  }
  const script = `${hooksDir}/${name}`;
  return { run: [script], stdin: stdinOf(headOf(script)) ?? 'none' };
}

function listHooks(hooksDir: string): string[] {
  try {
    const files = readdirSync(hooksDir, { withFileTypes: true }).filter((entry) => entry.isFile());
    return files
      .map((entry) => entry.name)
      .filter((name) => stdinOf(headOf(`${hooksDir}/${name}`)) !== undefined)
      .sort();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** A header line `# driftline-stdin: text` says what the script reads. */
function stdinOf(head: string): HookInput | undefined {
  const word = /^# driftline-stdin: (\w+)$/m.exec(head)?.[1];
  return HOOK_INPUTS.find((input) => input === word);
}

/** The first 4 KiB of a file. */
function headOf(file: string): string {
  const descriptor = openSync(file, 'r');
  try {
    const head = Buffer.alloc(4096);
    return head.toString('latin1', 0, readSync(descriptor, head));
  } finally {
    closeSync(descriptor);
  }
}
