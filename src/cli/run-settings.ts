// From the command line of `driftline run` to what the engine works with.
import { basename } from 'node:path';
import { DURATION_MAX_MS } from '../config/duration.ts';
import { implicitSettings } from '../config/implicit.ts';
import { patternMistake } from '../config/path-text.ts';
import type { BatchSettings } from '../domain/batch.ts';
import { AppError } from '../domain/errors.ts';
import { escapeText } from '../domain/escape.ts';
import { type BytePath, outermostPaths, pathFromText, pathToText } from '../domain/path.ts';
import type { ScopeSettings } from '../domain/rule.ts';
import { type HookSettings, PLAIN_HOOK } from '../domain/settings.ts';
import type { Surroundings } from '../hooks/command.ts';
import { type FoundProgram, findProgram, HOOK_PATH } from '../hooks/program.ts';
import type { RunInput } from '../hooks/run-payload.ts';
import { argumentPath } from './argument-path.ts';
import { realPath } from './real-path.ts';

export interface RunOptions {
  readonly paths: readonly string[];
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Milliseconds, as are all times. */
  readonly quiet?: number;
  readonly deadline?: number;
  readonly timeout?: number;
  readonly onBusy: 'queue' | 'skip' | 'restart';
  readonly initial?: boolean;
  readonly once?: boolean;
  readonly ignore?: readonly string[];
  readonly stdin: RunInput;
  readonly marks: 'auto' | 'mount';
}

export interface RunSettings {
  readonly scope: ScopeSettings;
  readonly hook: HookSettings;
  readonly batch: BatchSettings;
  readonly surroundings: Surroundings;
}

const QUIET_MS = 200;
const DEADLINE_MS = 5_000;
/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 10_000;
/** Paths are read so soon, at the latest, while others still change; the run waits for the rest of the quiet. */
const LOOK_MS = 50;

/**
 * Before anything is opened: throws USAGE for what is wrong with the arguments, PROGRAM_MISSING or PROGRAM_UNUSABLE for a
 * command that cannot be run. Then IO for a path that is not there.
 */
export function runSettings(
  options: RunOptions,
  startDir: BytePath,
  environment: Readonly<Record<string, string>>,
): RunSettings {
  const { command, paths, ignore = [] } = options;
  if (paths.length === 0) throw new AppError('USAGE', 'a path is missing', { hint: EXAMPLE });
  if (command.length === 0) throw new AppError('USAGE', 'a command is missing behind --', { hint: EXAMPLE });
  for (const pattern of ignore) {
    const mistake = patternMistake(pattern);
    if (mistake !== undefined) throw new AppError('USAGE', `--ignore ${escapeText(pattern)}: ${mistake}`);
  }
  const times = timesOf(options);
  const surroundings = { cwd: pathToText(startDir), environment };
  requireProgram(command, surroundings);
  const real = paths.map((path) => realPath(argumentPath(path, startDir), 'watch'));
  const { rules } = implicitSettings({ baseline: pathFromText('/'), paths: outermostPaths(real) });
  return { scope: { rules, ignore, own: [] }, hook: hookOf(options, times), batch: times.batch, surroundings };
}

const EXAMPLE = 'driftline run /srv/www -- make';

interface Times {
  readonly batch: BatchSettings;
  readonly hook: BatchSettings;
}

/** A change waits for its path to be read, and then for its run: together as long as was asked for. */
function timesOf({ quiet = QUIET_MS, deadline = Math.max(DEADLINE_MS, quiet) }: RunOptions): Times {
  if (quiet > deadline) throw new AppError('USAGE', '--deadline must not be shorter than --quiet');
  const batch = { quietMs: Math.min(LOOK_MS, quiet), deadlineMs: deadline / 2 };
  return { batch, hook: { quietMs: quiet - batch.quietMs, deadlineMs: deadline - batch.deadlineMs } };
}

/** Where the command's program is now. */
export function programOf([name = '']: readonly string[], { cwd, environment }: Surroundings): FoundProgram {
  return findProgram(name, { path: environment['PATH'] ?? HOOK_PATH, cwd });
}

function requireProgram(command: readonly string[], surroundings: Surroundings): void {
  const found = programOf(command, surroundings);
  if ('path' in found) return;
  throw new AppError(found.isMissing ? 'PROGRAM_MISSING' : 'PROGRAM_UNUSABLE', escapeText(found.problem));
}

function hookOf({ command, stdin, timeout, onBusy }: RunOptions, { hook }: Times): HookSettings {
  return {
    ...PLAIN_HOOK,
    name: basename(command[0] ?? ''),
    run: command,
    stdin: stdin === 'none' ? 'none' : 'paths0',
    ...hook,
    timeoutMs: timeout ?? DURATION_MAX_MS,
    onBusy,
    // What failed is run again at the next change.
    retry: { attempts: 1, backoffMinMs: 0, backoffMaxMs: 0 },
    exitCodes: { ok: [0], again: [] },
    stop: { signal: 'TERM', graceMs: GRACE_MS },
  };
}
