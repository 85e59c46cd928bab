// How a hook is run.
import type { HookSettings } from '../../domain/settings.ts';
import type { HookBatch } from './outbox.ts';

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
  /** Called for each program of the run as soon as it is there. */
  readonly onStart: (started: StartedProgram) => void;
}

export interface StartedProgram {
  readonly pid: number;
  /** The name of the cgroup that it and all its descendants are in, if there is one of its own. */
  readonly cgroup: string | undefined;
}

export interface RunOutcome {
  /** `again`: not now. `canceled`: ended by us, for a restart or at shutdown. */
  readonly outcome: 'ok' | 'again' | 'failed' | 'timedOut' | 'canceled';
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  /** What it printed, standard output and error together: the first and the last 32 KiB. */
  readonly output: string;
  /** Why it could not even start. */
  readonly problem: string | undefined;
  /** Somebody has to look at why it did not start. */
  readonly alert?: 'digest' | undefined;
}

/** A run that failed, or an alert, for the hook's `onFailure`. */
export type FailureRequest = Pick<RunRequest, 'hook' | 'environment' | 'kill' | 'onStart'> & {
  /** One line of JSON. */
  readonly record: string;
};

export interface HookRunner {
  /** Never throws for what the command does; resolves when the process has ended and what it left behind is gone. */
  run(request: RunRequest): Promise<RunOutcome>;
  /** Runs the hook's `onFailure`, if it has one; what becomes of it is a matter of notices. Never throws. */
  tellFailure(request: FailureRequest): Promise<void>;
}
