// Runs one program of a hook: no shell line, a bare environment, bounded output, and nothing of it left when it ends.
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { HookSettings } from '../domain/settings.ts';
import type { RunOutcome, RunRequest } from '../engine/ports/hook-runner.ts';
import type { RunCgroup, RunCgroups } from './cgroup.ts';
import { fenceOf } from './fence.ts';
import { killMarked } from './marked-processes.ts';
import { OutputCapture } from './output.ts';
import { killGroup, waitForGroup } from './process-group.ts';
import { findProgram, HOOK_PATH } from './program.ts';

export interface CommandOptions {
  /** The TZ of every hook; none when undefined. */
  readonly timeZone: string | undefined;
  /** Where runs get a cgroup of their own; undefined: process groups alone. */
  readonly cgroups: RunCgroups | undefined;
  /** Where and as what somebody's own command runs; undefined: a hook, in bare surroundings. */
  readonly surroundings: Surroundings | undefined;
  /** The hexadecimal BLAKE3 digest. */
  readonly digestOf: (bytes: Uint8Array) => string;
  readonly onProblem: (message: string) => void;
}

/** Its output goes where that of this process goes, and is not kept. */
export interface Surroundings {
  /** Absolute. */
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** A program of a run. `hook`: under whose conditions. */
export type CommandRequest = Pick<RunRequest, 'input' | 'environment' | 'signal' | 'kill' | 'onStart'> & {
  readonly hook: HookSettings;
  readonly argv: readonly string[];
};

/** How long what was printed last may take to arrive once nobody is left to print more. */
const DRAIN_MS = 500;
/**
 * A constant script, its parameters are data: enter the cgroup before the first fork could happen, join both outputs in
 * the order of writing, become the program. A bash as sh exports PWD and SHLVL unasked. When the cgroup refuses, the
 * process group has to do.
 */
const PLACES = 'n=$1; shift; while [ $n -gt 0 ]; do { echo $$ >"$1"; } 2>/dev/null; shift; n=$((n-1)); done';
const ENTER = `${PLACES}; unset PWD OLDPWD SHLVL n; exec "$@" 2>&1`;
/** The same for a command that keeps its surroundings. */
const ENTER_AS_IS = `${PLACES}; exec "$@"`;

type Child = ReturnType<typeof start>;
type Ended = Omit<RunOutcome, 'output'>;

/** Never throws for what the program does; resolves when it has ended and what it left behind is gone. */
export async function runCommand(request: CommandRequest, options: CommandOptions): Promise<RunOutcome> {
  const { hook, signal, environment } = request;
  const { surroundings, timeZone } = options;
  const zone = timeZone === undefined ? {} : { TZ: timeZone };
  const base = surroundings?.environment ?? { PATH: HOOK_PATH, LANG: 'C.UTF-8', ...zone };
  const [name = '', ...args] = request.argv;
  const program = findProgram(name, { path: base['PATH'] ?? HOOK_PATH, cwd: surroundings?.cwd ?? '/' });
  if ('problem' in program) return notStarted('failed', program.problem);
  if (args.some((arg) => arg.includes('\0'))) return notStarted('failed', `${name}: an argument contains a NUL byte`);
  // Who has no time left to end has none to begin.
  if (signal.aborted || request.kill.aborted) return notStarted('canceled', 'canceled before it started');
  const fence = fenceOf(hook, options.digestOf);
  if ('problem' in fence) return { ...notStarted('failed', fence.problem), alert: fence.alert };
  const cgroup = hook.detach ? undefined : options.cgroups?.create(hook.limits);
  warnOfLimits(hook, cgroup, options);
  const env = { ...base, ...hook.environment, ...environment, ...fence.environment };
  const child = start([...fence.prefix, program.path, ...args], env, cgroup, surroundings);
  if (child.pid !== undefined) request.onStart({ pid: child.pid, cgroup: cgroup?.name });
  return await supervise(child, request, cgroup);
}

/** A hook that mirrors is better run without its limits than not at all. */
function warnOfLimits(hook: HookSettings, cgroup: RunCgroup | undefined, { onProblem }: CommandOptions): void {
  const missing = cgroup?.unlimited ?? Object.entries(hook.limits).flatMap(([name, limit]) => (limit ? [name] : []));
  if (missing.length > 0)
    onProblem(`hook ${hook.name}: no limit of ${missing.join(' and ')}: there is no cgroup for it`);
}

function notStarted(outcome: 'failed' | 'canceled', problem: string): RunOutcome {
  return { outcome, exitCode: undefined, signal: undefined, output: '', problem };
}

function start(
  argv: readonly string[],
  env: Record<string, string>,
  cgroup: RunCgroup | undefined,
  surroundings: Surroundings | undefined,
) {
  const isHook = surroundings === undefined;
  const places = cgroup?.procs ?? [];
  const script = isHook ? ENTER : ENTER_AS_IS;
  return execa('/bin/sh', ['-c', script, 'sh', String(places.length), ...places, ...argv], {
    cwd: surroundings?.cwd ?? '/',
    env,
    extendEnv: false,
    // A session of its own: the group can be killed as a whole and has no terminal.
    detached: true,
    cleanup: false,
    stdin: 'pipe',
    stdout: isHook ? 'pipe' : 'inherit',
    stderr: isHook ? 'ignore' : 'inherit',
    buffer: false,
    reject: false,
  });
}

async function supervise(child: Child, request: CommandRequest, cgroup: RunCgroup | undefined): Promise<RunOutcome> {
  const capture = new OutputCapture();
  const drained = child.stdout === null ? undefined : collect(child.stdout, capture);
  feed(child.stdin, request.input);
  const interruption = watchForInterruption(child.pid, request, cgroup);
  const ended = await endOf(child, request.hook);
  const reason = interruption.stop();
  const gone = request.hook.detach || (await killLeftovers(child.pid, cgroup, request.environment['DRIFTLINE_RUN_ID']));
  await Promise.race([drained, sleep(DRAIN_MS, undefined, { ref: false })]);
  child.stdin.destroy();
  child.stdout?.destroy();
  return {
    ...ended,
    outcome: reason ?? ended.outcome,
    problem: ended.problem ?? (gone ? undefined : 'a process that it started does not die'),
    output: capture.text(),
  };
}

async function collect(stdout: Readable, capture: OutputCapture): Promise<void> {
  stdout.on('data', (chunk: Buffer) => capture.write(chunk));
  await once(stdout, 'close');
}

/** A program may end or close its input without reading it: EPIPE and ECONNRESET say no more than that. */
function feed(stdin: Writable, input: Uint8Array): void {
  stdin.on('error', () => undefined);
  stdin.end(input);
}

/** Ends the run at its timeout or when the request is aborted: by its signal, and by SIGKILL after the grace or at `kill`. */
function watchForInterruption(pid: number | undefined, request: CommandRequest, cgroup: RunCgroup | undefined) {
  const { stop, timeoutMs } = request.hook;
  let reason: 'timedOut' | 'canceled' | undefined;
  let killer: NodeJS.Timeout | undefined;
  const kill = (): void => {
    killGroup(pid, 'SIGKILL');
    cgroup?.kill();
  };
  const interrupt = (why: 'timedOut' | 'canceled'): void => {
    if (reason !== undefined) return;
    reason = why;
    killGroup(pid, `SIG${stop.signal}`);
    killer = setTimeout(kill, stop.graceMs);
  };
  const cancel = (): void => interrupt('canceled');
  const timer = setTimeout(() => interrupt('timedOut'), timeoutMs);
  request.signal.addEventListener('abort', cancel);
  request.kill.addEventListener('abort', kill);
  return {
    stop() {
      clearTimeout(timer);
      clearTimeout(killer);
      request.signal.removeEventListener('abort', cancel);
      request.kill.removeEventListener('abort', kill);
      return reason;
    },
  };
}

/** Settles when the process exits, whoever may still hold its pipes; execa's promise would wait for them. */
async function endOf(child: Child, hook: HookSettings): Promise<Ended> {
  const exited = new Promise<Ended>((resolve) => {
    child.once('exit', (code, signal) => resolve(endedWith(code ?? undefined, signal ?? undefined, hook)));
  });
  const refused = child.then((result): Ended => {
    const problem = result.originalMessage ?? result.shortMessage ?? 'it could not be started';
    return { outcome: 'failed', exitCode: undefined, signal: undefined, problem };
  });
  return await Promise.race([exited, refused]);
}

function endedWith(exitCode: number | undefined, signal: string | undefined, { exitCodes }: HookSettings): Ended {
  const isIn = (list: readonly number[]): boolean => exitCode !== undefined && list.includes(exitCode);
  const outcome = isIn(exitCodes.ok) ? 'ok' : isIn(exitCodes.again) ? 'again' : 'failed';
  return { outcome, exitCode, signal, problem: undefined };
}

/** False when something survives even SIGKILL, as a process that hangs in the kernel does for a while. */
async function killLeftovers(
  pid: number | undefined,
  cgroup: RunCgroup | undefined,
  runId: string | undefined,
): Promise<boolean> {
  killGroup(pid, 'SIGKILL');
  cgroup?.kill();
  if (cgroup !== undefined) return await cgroup.remove();
  const isGroupGone = await waitForGroup(pid);
  return (runId === undefined || (await killMarked(`DRIFTLINE_RUN_ID=${runId}`))) && isGroupGone;
}
