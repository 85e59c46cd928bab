// What became of a run of somebody's own command: in words, and as an exit status.
import { constants } from 'node:os';
import type { RunOutcome } from '../engine/ports/hook-runner.ts';
import type { FoundProgram } from '../hooks/program.ts';

/** As timeout(1) and shells have it. */
const TIMED_OUT = 124;
const NOT_STARTED = 126;
const NOT_FOUND = 127;

/** `look`: where the program is now, for a run that could not begin. */
export function exitStatusOf({ outcome, exitCode, signal }: RunOutcome, look: () => FoundProgram): number {
  if (outcome === 'timedOut') return TIMED_OUT;
  if (exitCode !== undefined) return exitCode;
  if (signal === undefined) return isMissing(look()) ? NOT_FOUND : NOT_STARTED;
  return 128 + (constants.signals[signal as NodeJS.Signals] ?? 0);
}

function isMissing(found: FoundProgram): boolean {
  return 'isMissing' in found && found.isMissing;
}

/** `exit 2`, `SIGSEGV`, `timed out`; undefined when there is nothing wrong. */
export function troubleOf({ outcome, exitCode, signal, problem }: RunOutcome): string | undefined {
  if (problem !== undefined) return problem;
  if (outcome === 'timedOut') return 'timed out';
  if (outcome === 'ok' || outcome === 'canceled') return undefined;
  return signal ?? `exit ${exitCode}`;
}
