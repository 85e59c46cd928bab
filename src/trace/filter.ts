// Which events are wanted: AND between the kinds of condition, OR within one.
import { AppError } from '../domain/errors.ts';
import { compilePatterns, patternProblem } from '../domain/glob.ts';
import { type BytePath, lineage, nameOf, pathFromText } from '../domain/path.ts';
import type { ProcessInfo } from './record.ts';

export interface FilterOptions {
  /** Patterns as in `exclude:` of the configuration: `/srv/www`, `*.log`; what they match and everything below. */
  readonly paths: readonly string[];
  readonly pids: readonly number[];
  readonly ignoredPids: readonly number[];
  /** Exact names. */
  readonly comms: readonly string[];
  /** Patterns for the program: its whole path, or its name when they have no slash. */
  readonly exes: readonly string[];
  readonly uids: readonly number[];
}

/** `unknown`: nobody can tell any more, because the process is gone. */
export type Verdict = 'wanted' | 'unwanted' | 'unknown';

export interface Filter {
  /** Asked first: it costs nothing. */
  wantsPid(pid: number): boolean;
  /** Both names of a rename; one that is wanted is enough. */
  wantsPaths(paths: readonly BytePath[]): boolean;
  wantsProcess(process: ProcessInfo): Verdict;
}

/** comm of a process: TASK_COMM_LEN of linux/sched.h without its NUL. */
export const COMM_BYTES = 15;
const CACHE_MAX = 65_536;

/** Throws AppError USAGE for a pattern that cannot match what was meant. */
export function compileFilter(options: FilterOptions): Filter {
  const [pids, ignored] = [new Set(options.pids), new Set(options.ignoredPids)];
  const wantsPath = remembered(compilePath(options.paths));
  const wantsExe = compileExe(options.exes);
  const comms = new Set(options.comms.map(cutComm));
  const uids = new Set(options.uids);
  return {
    wantsPid: (pid) => (pids.size === 0 || pids.has(pid)) && !ignored.has(pid),
    wantsPaths: (paths) => wantsPath === undefined || paths.some(wantsPath),
    wantsProcess: ({ comm, actor }) =>
      worst([
        comms.size === 0 ? 'wanted' : verdict(comm, (known) => comms.has(known)),
        wantsExe === undefined ? 'wanted' : verdict(actor.exe, wantsExe),
        uids.size === 0 ? 'wanted' : verdict(actor.uid, (known) => uids.has(known)),
      ]),
  };
}

/** The first 15 bytes, as the kernel keeps them. */
export function cutComm(name: string): string {
  return Buffer.from(name).subarray(0, COMM_BYTES).toString('utf8');
}

function compilePath(patterns: readonly string[]): ((path: BytePath) => boolean) | undefined {
  if (patterns.length === 0) return undefined;
  const matches = compilePatterns(checked('--path', patterns));
  return (path) => lineage(path).some((at) => matches(at, nameOf(at)) !== undefined);
}

function compileExe(exes: readonly string[]): ((exe: string) => boolean) | undefined {
  if (exes.length === 0) return undefined;
  const matches = compilePatterns(checked('--exe', exes));
  return (exe) => {
    const path = pathFromText(exe);
    return matches(path, nameOf(path)) !== undefined;
  };
}

function checked(option: string, patterns: readonly string[]): readonly string[] {
  for (const pattern of patterns) {
    const problem = patternProblem(pattern);
    if (problem === undefined) continue;
    throw new AppError('USAGE', `${option} ${pattern}: ${problem}`, {
      hint: 'a whole path that starts with a slash, or a name without one; `*` stops at a slash, `**` does not',
    });
  }
  return patterns;
}

function remembered(ask: ((path: BytePath) => boolean) | undefined): ((path: BytePath) => boolean) | undefined {
  if (ask === undefined) return undefined;
  const cache = new Map<string, boolean>();
  return (path) => {
    let answer = cache.get(path);
    if (answer === undefined) {
      if (cache.size >= CACHE_MAX) cache.clear();
      answer = ask(path);
      cache.set(path, answer);
    }
    return answer;
  };
}

function verdict<T>(value: T | undefined, wants: (value: T) => boolean): Verdict {
  if (value === undefined) return 'unknown';
  return wants(value) ? 'wanted' : 'unwanted';
}

function worst(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('unwanted')) return 'unwanted';
  return verdicts.includes('unknown') ? 'unknown' : 'wanted';
}
