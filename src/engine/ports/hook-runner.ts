// How a hook is run.
import type { HookSettings } from '../../domain/settings.ts';
import type { HookBatch } from './store.ts';

export interface RunRequest {
  readonly hook: HookSettings;
  readonly runId: string;
  readonly batch: HookBatch;
  /** What goes to standard input. */
  readonly input: Uint8Array;
  /** DRIFTLINE_* variables, ASCII. */
  readonly environment: Readonly<Record<string, string>>;
  /** Asks the run to end; after a grace it is killed. */
  readonly signal: AbortSignal;
  /** Kills the run without any grace. */
  readonly kill: AbortSignal;
  /** Called with the program's pid as soon as it has one. */
  readonly onStart: (pid: number) => void;
}

export interface RunOutcome {
  /** `ok`: exit 0. `again`: exit 75, not now. `canceled`: ended by us, for a restart or at shutdown. */
  readonly outcome: 'ok' | 'again' | 'failed' | 'timedOut' | 'canceled';
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  /** What it printed, standard output and error together: the first and the last 32 KiB. */
  readonly output: string;
  /** Why it could not even start. */
  readonly problem: string | undefined;
}

export interface HookRunner {
  /** Never throws for what the command does; resolves when the process has ended and what it left behind is gone. */
  run(request: RunRequest): Promise<RunOutcome>;
}
